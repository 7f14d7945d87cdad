# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# Runs after bare.sh. RHEL 9 as far as packages go: dnf, rpm, and a repository with small packages of the names that the role
# installs. Podman's has Debian's programs and their version, so that the engine runs.
apt-get install -qq --yes createrepo-c dnf dnf-plugins-core python3-dnf rpm
cat >/usr/lib/os-release <<'TEXT'
NAME="Red Hat Enterprise Linux"
VERSION="9.6 (Plow)"
ID="rhel"
ID_LIKE="fedora"
VERSION_ID="9.6"
PLATFORM_ID="platform:el9"
PRETTY_NAME="Red Hat Enterprise Linux 9.6 (Plow)"
TEXT

work=$(mktemp -d)
repository=/srv/repository
mkdir -p "$repository" /etc/yum.repos.d /etc/dnf/vars "$work/podman"
cd "$work"
apt-get download -qq podman conmon crun netavark aardvark-dns containers-common 2>/dev/null ||
  apt-get download -qq podman conmon crun netavark aardvark-dns golang-github-containers-common golang-github-containers-image
for package in *.deb; do dpkg-deb --extract "$package" podman; done
rm -rf podman/usr/share/{doc,man,bash-completion,fish,zsh,lintian,locale}
# Libraries are Debian's own.
apt-get install -qq --yes libgpgme11 libyajl2 libsubid4 libdevmapper1.02.1 libseccomp2 iptables

# package NAME VERSION [FOLDER]: build a package with the files of a folder.
package() {
  local folder=${3:-$work/empty}
  mkdir -p "$folder"
  {
    printf '%s\n' "Name: $1" "Version: $2" "Release: 1.el9" "Summary: A stand-in for tests" "License: GPLv3+" \
      "AutoReqProv: no" "%description" "A stand-in for tests." "%install" "cp -a $folder/. %{buildroot}" "%files"
    (cd "$folder" && find . \( -type f -o -type l \) -printf '"/%P"\n')
  } >"$work/$1.spec"
  rpmbuild --quiet -bb --target x86_64 --define "_binary_payload w1.gzdio" --define "_topdir $work/rpmbuild" --define "_rpmdir $repository" \
    --define "_build_id_links none" --define "__os_install_post %{nil}" --define "debug_package %{nil}" "$work/$1.spec"
}
for name in lvm2 iptables-nft sysstat net-tools containernetworking-plugins xfsprogs; do
  package "$name" 2.0
done
version=$("$work/podman/usr/bin/podman" --version | grep --only-matching '[0-9.]*$')
package podman "$version" "$work/podman"
mkdir -p podman-remote/usr/bin
printf '%s\n' '#!/bin/sh' 'exec /usr/bin/podman --remote "$@"' >podman-remote/usr/bin/podman-remote
chmod 0755 podman-remote/usr/bin/podman-remote
package podman-remote "$version" "$work/podman-remote"
createrepo_c --quiet "$repository"
printf '%s\n' '[test]' 'name=Packages for tests' "baseurl=file://$repository" 'gpgcheck=0' >/etc/yum.repos.d/test.repo
# Debian's dnf finds no package from which to tell the release, and keeps copies of packages.
echo 9 >/etc/dnf/vars/releasever
# Its rpm has a database in each user's home folder.
mkdir -p /etc/rpm
echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros.test-host
printf '%s\n' '[main]' 'enabled = false' >/etc/dnf/plugins/local.conf
cd /
rm -rf "$work"
# The role and Ansible tell systems apart by this.
rm -f /etc/debian_version /etc/debian_version.dpkg-new
echo 'Red Hat Enterprise Linux release 9.6 (Plow)' >/etc/redhat-release
