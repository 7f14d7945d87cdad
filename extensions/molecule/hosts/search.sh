#!/usr/bin/env bash
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs on a test host: names each file, and the journal, that has one of the strings given on standard input, a line each.
# Not searched: certificates, in which any three letters occur; the installer, which knows the shape of a token; and the
# installer's own log, which holds the token, as the vendor's may.
set -euo pipefail

needles=$(cat)
places=(/dev/shm /etc /home /mnt /opt /root /run /srv /tmp /var)
# 1: nothing found; 2: a file went away while it was read.
grep --text --recursive --files-with-matches --no-messages --fixed-strings --exclude=elastic-cloud-enterprise.sh --exclude=bootstrap.log \
  --exclude-dir=journal --exclude-dir=ssl -e "$needles" "${places[@]}" | sed "s/^/$HOSTNAME:/" || true
journalctl --sync
lines=$(journalctl --quiet --no-pager --all --output=export | { grep --text --count --fixed-strings -e "$needles" || (($? == 1)); })
if ((lines > 0)); then
  echo "$HOSTNAME:journal"
fi
