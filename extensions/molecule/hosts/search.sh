#!/usr/bin/env bash
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
#   search.sh [processes]
#
# Runs on a test host: names each file, the journal, and each process by its command, that has one of the strings given on standard
# input, a line each. With `processes` only those are searched: their environments and argument lists.
# Not searched: certificates, in which any three letters occur, and the installer, which knows the shape of a token. An installer
# that runs has the token, with all that it has started: those are named `installer`, not by their commands.
set -euo pipefail
shopt -s nullglob

needles=$(cat)

# Nothing here has the needles among its own arguments.
search() { grep --text --no-messages --fixed-strings --file=<(printf '%s\n' "$needles") "$@"; }

# An installer has a session of its own, by the watcher that started it.
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
# 1: nothing found; 2: a file went away while it was read.
search --recursive --files-with-matches --exclude=elastic-cloud-enterprise.sh \
  --exclude-dir=journal --exclude-dir=ssl "${places[@]}" | sed "s/^/$HOSTNAME:/" || true
journalctl --sync
lines=$(journalctl --quiet --no-pager --all --output=export | { search --count || (($? == 1)); })
if ((lines > 0)); then
  echo "$HOSTNAME:journal"
fi
