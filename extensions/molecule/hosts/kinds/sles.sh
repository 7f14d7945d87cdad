# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# Runs after bare.sh. SLES 15 as far as zypper, its locks and services go: zypper, rpm, and a repository with small packages of the
# names that the role installs. Docker's has Debian's programs and their version, with files and unit like those of SUSE's.
apt-get install -qq --yes createrepo-c firewalld iptables nscd rpm zypper
cat >/usr/lib/os-release <<'TEXT'
NAME="SLES"
VERSION="15-SP7"
VERSION_ID="15.7"
PRETTY_NAME="SUSE Linux Enterprise Server 15 SP7"
ID="sles"
ID_LIKE="suse"
CPE_NAME="cpe:/o:suse:sles:15:sp7"
TEXT

work=$(mktemp -d)
repository=/srv/repository
mkdir -p "$repository" /etc/rpm /etc/zypp/repos.d
# Debian's rpm has a database in each user's home folder.
echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros.test-host
rpm --initdb
cd "$work"
apt-get download -qq containerd docker.io runc xfsprogs
# Libraries are Debian's own.
apt-get install -qq --yes libdevmapper1.02.1 libedit2 libinih1 libseccomp2 liburcu8
for package in containerd docker.io runc; do dpkg-deb --extract "$package"_*.deb docker; done
dpkg-deb --extract xfsprogs_*.deb xfsprogs
version=$(docker/usr/bin/docker --version | grep --only-matching --max-count=1 '[0-9]*\.[0-9]*\.[0-9]*')
mkdir programs
mv docker/usr/bin/{docker,containerd*,ctr} docker/usr/sbin/{dockerd,runc} programs
mv docker/usr/bin/docker-proxy docker/usr/sbin/docker-proxy programs 2>/dev/null || true
rm -rf docker
mkdir -p docker/usr/{bin,sbin,lib/systemd/system} docker/etc/{docker,sysconfig}
mv programs/runc docker/usr/sbin
mv programs/* docker/usr/bin
ln -s runc docker/usr/sbin/docker-runc
printf '%s\n' '## Type           : string' '## ServiceRestart : docker' 'DOCKER_OPTS=""' >docker/etc/sysconfig/docker
cat >docker/etc/docker/daemon.json <<'TEXT'
{
  "log-level": "warn",
  "log-driver": "json-file",
  "log-opts": {
    "max-size": "10m",
    "max-file": "5"
  }
}
TEXT
cat >docker/usr/lib/systemd/system/docker.service <<'TEXT'
[Unit]
Description=Docker
After=network.target firewalld.service

[Service]
Type=notify
EnvironmentFile=/etc/sysconfig/docker
ExecStart=/usr/bin/dockerd --add-runtime oci=/usr/sbin/docker-runc $DOCKER_NETWORK_OPTIONS $DOCKER_OPTS
Delegate=yes
KillMode=process

[Install]
WantedBy=multi-user.target
TEXT
mkdir -p xfs/usr
mv xfsprogs/sbin xfs/usr/sbin

# package NAME VERSION [FOLDER]: build a package with the files of a folder.
package() {
  local folder=${3:-$work/empty}
  mkdir -p "$folder"
  {
    printf '%s\n' "Name: $1" "Version: $2" "Release: 150000.1.1" "Summary: A stand-in for tests" "License: GPLv3+" \
      "AutoReqProv: no" "%description" "A stand-in for tests." "%install" "cp -a $folder/. %{buildroot}" "%files"
    (cd "$folder" && find . -path ./etc/docker/\* -printf '%%config(noreplace) "/%P"\n' -o \( -type f -o -type l \) -printf '"/%P"\n')
  } >"$work/$1.spec"
  rpmbuild --quiet -bb --target x86_64 --define "_topdir $work/rpmbuild" --define "_rpmdir $repository" \
    --define "_build_id_links none" --define "__os_install_post %{nil}" --define "debug_package %{nil}" \
    --define "_binary_payload w1.gzdio" "$work/$1.spec"
}
for name in device-mapper lvm2 net-tools; do
  package "$name" 2.0
done
# It is there already.
package curl 8.0
rpm --install "$repository"/x86_64/curl-*.rpm
package xfsprogs 6.0 "$work/xfs"
package docker "${version}_ce" "$work/docker"
# A newer one, which this release of ECE does not support.
package docker 28.3.3_ce
package docker-bash-completion "${version}_ce"
createrepo_c --quiet "$repository"
printf '%s\n' '[test]' 'name=Packages for tests' 'enabled=1' 'autorefresh=0' "baseurl=file:$repository" 'gpgcheck=0' >/etc/zypp/repos.d/test.repo
cd /
rm -rf "$work" /var/cache/apt/archives/*.deb /var/lib/apt/lists/*
zypper --non-interactive --quiet refresh
# A lock of others, which has to make room for Docker, and to come back.
zypper --non-interactive --quiet addlock 'docker*'

# Settings of others, in which those for ECE have to fit.
cat >/etc/default/grub <<'TEXT'
# Comments stay where they are.
GRUB_DISTRIBUTOR=
GRUB_DEFAULT=saved
GRUB_TIMEOUT=8
GRUB_CMDLINE_LINUX_DEFAULT="splash=silent mitigations=auto quiet"
# GRUB_CMDLINE_LINUX="commented"
GRUB_CMDLINE_LINUX="console=ttyS0,115200 cgroup.memory=nosocket swapaccount=0" # ours
GRUB_TERMINAL="gfxterm"
SUSE_BTRFS_SNAPSHOT_BOOTING="true"
TEXT
# A stand-in for SUSE's: what of the file becomes the arguments of a kernel.
cat >/sbin/update-bootloader <<'TEXT'
#!/bin/sh
set -e
[ "$1" = --refresh ]
. /etc/default/grub
mkdir -p /boot/grub2
echo "linux /boot/vmlinuz root=LABEL=root $GRUB_CMDLINE_LINUX $GRUB_CMDLINE_LINUX_DEFAULT" >/boot/grub2/grub.cfg
TEXT
chmod 0755 /sbin/update-bootloader
update-bootloader --refresh
rm -f /etc/debian_version /etc/debian_version.dpkg-new
echo 'SUSE Linux Enterprise Server 15 SP7' >/etc/SUSE-brand
systemctl enable firewalld.service nscd.service
