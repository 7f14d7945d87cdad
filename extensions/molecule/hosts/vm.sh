#!/usr/bin/env bash
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Virtual machines, for what a container shares with this machine: kernel, quotas, swap, boot. QEMU emulates the processor
# where KVM is not usable. hosts.sh calls this.
#
#   vm.sh build                                        build the image of the disk, if it is not there yet
#   vm.sh start DIRECTORY NAME ADDRESS MAC BRIDGE KEYS start a machine in a folder of its own
#   vm.sh stop DIRECTORY                               stop it; does nothing if it does not run
#
# The disk has a boot loader, and each start of a machine begins with the disk of the image. A second disk of 16 GB is empty.
set -euo pipefail
umask 077
export LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
cache=/var/cache/ece-test-host
image=localhost/ece-test-host-vm:latest

recipe() {
  { podman image inspect --format '{{index .Labels "ece.platform.recipe"}}' "$image"; cat "$here/vm.sh"; } |
    sha256sum | cut -c 1-16
}

build() {
  local target
  "$here/build_kind.sh" vm
  exec 9>/run/lock/ece-test-host-disk.lock
  flock 9
  target=$cache/$(recipe).img
  [[ ! -e $target ]] || return 0
  echo "Building $target"
  mkdir -p "$cache"
  rm -f "$cache"/*.img "$cache"/*.new # of other recipes
  work=$(mktemp -d /var/tmp/ece-test-host.XXXXXX)
  container=ece-test-host-disk
  trap 'podman rm --force "$container" >/dev/null 2>&1 || true; rm -rf --one-file-system "$work"' EXIT
  podman rm --force "$container" >/dev/null 2>&1 || true
  podman create --name "$container" "$image" /bin/true >/dev/null
  podman export "$container" | tar -C "$work" --numeric-owner -x
  : >"$work/etc/machine-id"
  cp --dereference --remove-destination /etc/resolv.conf "$work/etc/resolv.conf"
  chmod 0755 "$work"
  chmod 0644 "$work/etc/resolv.conf"
  add_boot_loader
  truncate --size 6G "$target.new"
  echo 'start=2048, type=83, bootable' | sfdisk --quiet "$target.new"
  mkfs.ext4 -q -L test-root -d "$work" -E offset=1048576 "$target.new" $((6 * 1024 - 2))M
  # The first sector also holds the table of partitions. What follows is free up to the first partition.
  dd if="$work/boot/grub/i386-pc/boot.img" of="$target.new" bs=440 count=1 conv=notrunc status=none
  dd if="$work/boot/grub/i386-pc/core.img" of="$target.new" bs=512 seek=1 conv=notrunc status=none
  mv "$target.new" "$target"
}

# GRUB as grub-install lays it out, which needs a disk with partitions, as loop devices of some kernels are not.
add_boot_loader() {
  local modules=$work/boot/grub/i386-pc
  mkdir -p "$modules"
  cp "$work"/usr/lib/grub/i386-pc/* "$modules"
  chroot "$work" grub-mkimage --format i386-pc --output /boot/grub/i386-pc/core.img --prefix '(hd0,msdos1)/boot/grub' \
    biosdisk part_msdos ext2
  # update-grub, which the tests call in the machine, replaces this.
  (
    cd "$work/boot"
    printf '%s\n' 'set root=(hd0,msdos1)' \
      "linux /boot/$(echo vmlinuz-*) root=LABEL=test-root ro $(. ../etc/default/grub && echo "$GRUB_CMDLINE_LINUX")" \
      "initrd /boot/$(echo initrd.img-*)" boot >grub/grub.cfg
  )
}

# KVM may be there and not work, as in a virtual machine of a virtual machine.
accelerator() {
  if [[ -w /dev/kvm ]] && echo quit | timeout 10 qemu-system-x86_64 -accel kvm -cpu host -m 64 -nodefaults -display none \
    -monitor stdio -S >/dev/null 2>&1; then
    echo "kvm -cpu host"
  else
    echo "tcg -cpu Nehalem"
  fi
}

# start DIRECTORY NAME ADDRESS MAC BRIDGE KEYS
start() {
  local seed=$1/seed tap
  mkdir -p "$seed"
  cp --preserve "$6"/* "$seed"
  chmod 0755 "$seed"
  echo "$2" >"$seed/hostname"
  cat >"$seed/eth0.network" <<TEXT
[Match]
Name=eth0
[Network]
Address=$3/24
Gateway=${3%.*}.1
TEXT
  truncate --size 2M "$1/seed.img"
  mkfs.ext4 -q -O ^has_journal -L test-seed -d "$seed" "$1/seed.img"
  truncate --size 16G "$1/data.img"
  # The name of a network device has 15 characters at most.
  tap=ece-vm-${3##*.}
  ip link delete "$tap" 2>/dev/null || true # of a machine that did not start
  ip tuntap add dev "$tap" mode tap
  ip link set "$tap" master "$5" up
  echo "$tap" >"$1/tap"
  # shellcheck disable=SC2046
  TMPDIR=$1 qemu-system-x86_64 -accel $(accelerator) -smp 2 -m 2048 -nodefaults -display none -daemonize \
    -pidfile "$1/pid" -serial "file:$1/console" -monitor "unix:$1/monitor,server,nowait" \
    -drive "file=$cache/$(recipe).img,format=raw,if=none,id=root,snapshot=on,cache=unsafe" \
    -device virtio-blk-pci,drive=root,bootindex=1 \
    -drive "file=$1/data.img,format=raw,if=none,id=data,cache=unsafe,discard=unmap" \
    -device virtio-blk-pci,drive=data,serial=ece-data \
    -drive "file=$1/seed.img,format=raw,if=none,id=seed,readonly=on" -device virtio-blk-pci,drive=seed \
    -netdev "tap,id=net,ifname=$tap,script=no,downscript=no" -device "virtio-net-pci,netdev=net,mac=$4" \
    -device virtio-rng-pci
}

stop() {
  [[ -e $1/pid ]] || return 0
  # Only a process that was given this file is the machine.
  if grep --text --quiet --fixed-strings "$1/pid" "/proc/$(<"$1/pid")/cmdline" 2>/dev/null; then
    kill -KILL "$(<"$1/pid")"
  fi
  ip link delete "$(<"$1/tap")" 2>/dev/null || true
  rm -rf --one-file-system "$1"
}

"$@"
