#!/usr/bin/env bash
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# tests/packages.sh [COMMAND...]
#
# Installs the system packages of these commands, or of all that tests need, if this is root and apt-get exists.
# Otherwise it prints the names of the missing packages and ends with 1. It does nothing if none is missing.
set -euo pipefail
known=
PATH=$PATH:/usr/sbin:/sbin

# A Debian package, and the command or the helper of Podman in it that the tests need.
needs=(
  "aardvark-dns aardvark-dns"
  "curl curl"
  "debootstrap debootstrap"
  "default-jre-headless java"
  "e2fsprogs mkfs.ext4"
  "fdisk sfdisk"
  "iproute2 ip"
  "iptables iptables"
  "netavark netavark"
  "openssh-client ssh"
  "openssh-client ssh-keygen"
  "podman podman"
  "procps pkill"
  "qemu-system-x86 qemu-system-x86_64"
  "runc runc"
  "sshpass sshpass"
  "util-linux flock"
  "util-linux unshare"
)

is_installed() {
  command -v "$1" >/dev/null || [[ -x /usr/lib/podman/$1 || -x /usr/libexec/podman/$1 ]]
}

wanted=" $* "
for need in "${needs[@]}"; do
  known+=" ${need#* }"
done
for command in "$@"; do
  if [[ "$known " != *" $command "* ]]; then
    echo "$0 knows no command '$command'. It knows:$known" >&2
    exit 2
  fi
done

find_missing() {
  local need
  missing=()
  for need in "${needs[@]}"; do
    [[ $wanted == "  " || $wanted == *" ${need#* } "* ]] || continue
    is_installed "${need#* }" || [[ " ${missing[*]} " == *" ${need% *} "* ]] || missing+=("${need% *}")
  done
}

find_missing
if ((${#missing[@]} == 0)); then
  exit 0
fi
if ((EUID == 0)) && command -v apt-get >/dev/null; then
  echo "Installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -qq --yes --no-install-recommends -o DPkg::Lock::Timeout=120 "${missing[@]}" >/dev/null
  find_missing
fi
if ((${#missing[@]} > 0)); then
  echo "Missing packages (names as in Debian): ${missing[*]}. Install them, or run this as root on a system with apt-get." >&2
  exit 1
fi
