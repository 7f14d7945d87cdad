#!/usr/bin/env bash
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
#   search.sh [processes]
#
# Runs on a test host. Reads strings from standard input, one a line, and prints the name of each file that contains
# one of them, the journal, and the command of each process that has one in its environment or its arguments. With
# `processes` it searches only those. It does not search certificates, in which any three letters occur, or the
# installer, which knows the shape of a token. A running installer and all processes that it started have the token:
# these are named `installer` instead of by their commands.
set -euo pipefail
shopt -s nullglob

needles=$(cat)

# No process of this script has the strings among its own arguments.
search() { grep --text --no-messages --fixed-strings --file=<(printf '%s\n' "$needles") "$@"; }

# An installer has its own session, because the supervisor starts it in one.
installers=$(pgrep --full '^[^ ]*bash [^ ]*/elastic-cloud-enterprise[.]sh install' || true)
for process in /proc/[0-9]*; do
  session=$(ps --no-headers -o sid= --pid "${process#/proc/}") || continue
  name=$(<"$process/comm") || continue
  if grep --quiet --line-regexp "${session// /}" <<<"$installers"; then
    name=installer
  fi
  for part in environ cmdline; do
    if search --quiet "$process/$part"; then
      echo "$HOSTNAME:/proc/$name/$part"
    fi
  done
done 2>/dev/null | sort --unique

if [[ ${1:-} == processes ]]; then
  exit 0
fi

places=(/dev/shm /etc /home /mnt /opt /root /run /srv /tmp /var)
# grep ends with 1 if it finds nothing, and with 2 if a file disappears while it is read.
search --recursive --files-with-matches --exclude=elastic-cloud-enterprise.sh \
  --exclude-dir=journal --exclude-dir=ssl "${places[@]}" | sed "s/^/$HOSTNAME:/" || true
journalctl --sync
lines=$(journalctl --quiet --no-pager --all --output=export | { search --count || (($? == 1)); })
if ((lines > 0)); then
  echo "$HOSTNAME:journal"
fi
