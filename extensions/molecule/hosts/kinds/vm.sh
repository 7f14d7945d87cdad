# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# Runs after ubuntu.sh. Adds what a machine has and a container has not: a kernel, a boot loader, a network that it sets up.
# The kernel is the one for clouds, which has no drivers for hardware.
echo 'do_initrd = Yes' >/etc/kernel-img.conf
apt-get install -qq --yes --no-install-recommends grub-pc initramfs-tools systemd-timesyncd
# What the initial file system needs of a virtual machine, instead of all drivers.
sed -i 's/^MODULES=.*/MODULES=list/' /etc/initramfs-tools/initramfs.conf
printf '%s\n' virtio_pci virtio_blk ext4 >>/etc/initramfs-tools/modules
# With these the kernel finds the disks itself, and udev would look for all other devices first. Its hook also adds blkid.
rm /usr/share/initramfs-tools/hooks/udev /usr/share/initramfs-tools/scripts/init-{top,bottom}/udev
printf '%s\n' '#!/bin/sh' '[ "$1" = prereqs ] || { . /usr/share/initramfs-tools/hook-functions; copy_exec /sbin/blkid; }' \
  >/etc/initramfs-tools/hooks/blkid
chmod 0755 /etc/initramfs-tools/hooks/blkid
apt-get install -qq --yes --no-install-recommends linux-image-cloud-amd64
# An engine that is installed, and has not been set up. An emulated processor would take minutes to install it.
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 0755 /usr/sbin/policy-rc.d
apt-get install -qq --yes --no-install-recommends docker.io iptables xfsprogs
rm /usr/sbin/policy-rc.d
systemctl disable docker.service docker.socket containerd.service

# What costs an emulated processor most is left out: other systems and themes in GRUB's menu, and in the kernel the
# separate page tables of processes, which make a system call take ten times as long.
chmod a-x /etc/grub.d/{05_debian_theme,20_linux_xen,30_os-prober,30_uefi-firmware}
cat >/etc/default/grub <<'TEXT'
# Comments stay where they are.
GRUB_DEFAULT=0
GRUB_TIMEOUT=0
GRUB_DISTRIBUTOR=Ubuntu
GRUB_CMDLINE_LINUX_DEFAULT=""
GRUB_CMDLINE_LINUX="console=ttyS0 quiet net.ifnames=0 apparmor=0 mitigations=off init_on_alloc=0 cryptomgr.notests rcupdate.rcu_expedited=1"
GRUB_TERMINAL=console
GRUB_DISABLE_OS_PROBER=true
GRUB_DISABLE_RECOVERY=true
GRUB_DISABLE_SUBMENU=true
TEXT

cat >/etc/fstab <<'TEXT'
# <file system> <mount point> <type> <options> <dump> <pass>
LABEL=test-root / ext4 defaults 0 1
LABEL=test-seed /etc/ssh/test-host ext4 ro 0 0
TEXT
mkdir -p /etc/ssh/test-host
cat >/etc/systemd/system/test-host-network.service <<'UNIT'
[Unit]
Description=Name and address of the test host
DefaultDependencies=no
RequiresMountsFor=/etc/ssh/test-host
After=systemd-remount-fs.service
Before=systemd-networkd.service ssh.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'mkdir -p /run/systemd/network && install -m 0644 /etc/ssh/test-host/eth0.network /run/systemd/network/ && hostname "$(cat /etc/ssh/test-host/hostname)" && echo "127.0.0.1 localhost $(cat /etc/ssh/test-host/hostname)" >/etc/hosts'

[Install]
WantedBy=sysinit.target
UNIT
cd /etc/systemd/system
# An emulated processor takes half a minute for all devices, and only disks and network are needed.
rm -f test-host-disk.service systemd-udev-trigger.service
sed '/^ExecStart=/d; s|^\[Service\]|&\nExecStart=/usr/bin/udevadm trigger --action=add --subsystem-match=virtio --subsystem-match=block --subsystem-match=net|' \
  /lib/systemd/system/systemd-udev-trigger.service >systemd-udev-trigger.service
for unit in dev-hugepages.mount dev-mqueue.mount modprobe@{configfs,dm_mod,drm,efi_pstore,fuse,loop}.service \
  sys-kernel-{debug,tracing}.mount systemd-{machine-id-commit,pstore,sysusers}.service serial-getty@.service; do
  ln -s /dev/null "$unit"
done
rm -f sysinit.target.wants/test-host-disk.service
systemctl enable test-host-network.service systemd-networkd.service
cd /
