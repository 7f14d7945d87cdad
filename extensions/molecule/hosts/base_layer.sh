#!/usr/bin/env bash
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs on a test host. Prints a tar file with the programs that the installer's image needs, and their libraries.
set -euo pipefail
programs=(/bin/bash)
for name in cat curl cut date head ln mkdir mv rm sed sha256sum sleep tail timeout touch tr; do
  programs+=("$(type -P "$name")")
done
mapfile -t libraries < <(ldd "${programs[@]}" | grep --only-matching '/[^ ]*\.so[^ ]*' | sort --unique)
files=("${programs[@]}" "${libraries[@]}")
# Without links, so that the folders need not be as they are here.
tar --create --directory / --dereference --hard-dereference "${files[@]#/}"
