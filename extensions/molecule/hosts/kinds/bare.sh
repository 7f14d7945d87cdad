#!/usr/bin/env bash
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The first part of each kind: takes from a test host what a bare machine does not have, and adds what it has.
set -euo pipefail
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

userdel --remove elastic
groupdel docker
groupdel elastic 2>/dev/null || true
rmdir /mnt/data

apt-get update -qq
apt-get install -qq --yes --no-install-recommends curl kmod udev

# udev names the disk. All devices of this machine are none of a host's business, so udev is told of disks only.
cd /etc/systemd/system
rm -f systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udevd.service
cat >test-host-disk.service <<'UNIT'
[Unit]
Description=Disks of the test host
DefaultDependencies=no
Wants=systemd-udevd.service
After=systemd-udevd.service
Before=local-fs-pre.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/udevadm trigger --action=add --settle --subsystem-match=block --sysname-match=loop*

[Install]
WantedBy=sysinit.target
UNIT
systemctl enable test-host-disk.service

cd /

# Packages are what is tested, not what they recommend.
echo 'APT::Install-Recommends "false";' >/etc/apt/apt.conf.d/80test-host
