#!/usr/bin/env bash
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Builds the image `ece-test-host`: an operating system that boots systemd and sshd and is prepared for ECE.
# It is built from the packages of this machine's distribution, so no image registry is needed. An image whose
# label has the checksum of this file is used again.
#
#   ECE_TEST_MIRROR    package mirror to use instead of the one apt uses
#   ECE_TEST_RELEASE   release of the distribution, like bookworm, instead of this machine's
set -euo pipefail
umask 022
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

image=localhost/ece-test-host:latest
label=ece.platform.recipe
recipe=$(sha256sum "${BASH_SOURCE[0]}")
recipe=${recipe%% *}

built_from() {
  podman image inspect --format "{{index .Labels \"$label\"}}" "$image" 2>/dev/null || true
}

# apt reads its sources in any format. A mirror of the distribution takes precedence over a third party that uses the
# same release name.
apt_mirror() {
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk -v release="$1" '
      $2 == release && $3 == "main" { if (!any) any = $1; if (!own && $1 ~ /\/(debian|ubuntu)\/?$/) own = $1 }
      END { print own ? own : any }'
}

# Two scenarios may start at once; the second waits for the image of the first.
exec 9>/run/lock/ece-test-host.lock
flock 9
if [[ $(built_from) == "$recipe" ]]; then
  exit 0
fi

release=${ECE_TEST_RELEASE:-$(. /etc/os-release && echo "$VERSION_CODENAME")}
mirror=${ECE_TEST_MIRROR:-$(apt_mirror "$release")}
[[ -n $mirror ]] || { echo "apt names no mirror for $release; set ECE_TEST_MIRROR" >&2; exit 1; }

work=$(mktemp -d /var/tmp/ece-test-host.XXXXXX)
trap 'rm -rf --one-file-system "$work"' EXIT
root=$work/root

echo "Building $image ($release)"
# Without the package acl, Ansible cannot become an unprivileged user, and the collection must not need that.
if ! debootstrap --variant=minbase \
  --include=ca-certificates,dbus,iproute2,libpam-systemd,openssh-server,procps,python3,sudo,systemd,systemd-sysv \
  "$release" "$root" "$mirror" >"$work/debootstrap.log" 2>&1; then
  tail -n 30 "$work/debootstrap.log" "$root/debootstrap/debootstrap.log" >&2 || true
  exit 1
fi

# The support matrix of ECE 3.8 has this system together with Docker 25.0.
cat >"$root/usr/lib/os-release" <<'EOF'
PRETTY_NAME="Ubuntu 22.04.5 LTS"
NAME="Ubuntu"
VERSION_ID="22.04"
VERSION="22.04.5 LTS (Jammy Jellyfish)"
VERSION_CODENAME=jammy
ID=ubuntu
ID_LIKE=debian
EOF
ln -sf ../usr/lib/os-release "$root/etc/os-release"

# ops logs in and may use sudo; elastic runs the installer, as in the vendor's documentation.
chroot "$root" groupadd --system docker
chroot "$root" useradd --uid 1000 --create-home --shell /bin/bash --groups docker elastic
chroot "$root" useradd --uid 1001 --create-home --shell /bin/bash ops
echo 'ops ALL=(ALL:ALL) NOPASSWD:ALL' >"$root/etc/sudoers.d/ops"
chmod 0440 "$root/etc/sudoers.d/ops"
chroot "$root" install -d -m 0700 -o elastic -g elastic /mnt/data

# hosts.sh mounts the keys when it starts a host, so the image holds none.
# With VERBOSE sshd logs each session, so that a test can count reused connections, too.
rm -f "$root"/etc/ssh/ssh_host_*
cat >"$root/etc/ssh/sshd_config.d/test-host.conf" <<'EOF'
HostKey /etc/ssh/test-host/host_key
AuthorizedKeysFile /etc/ssh/test-host/authorized_keys
AllowUsers ops
PasswordAuthentication no
PermitRootLogin no
UseDNS no
LogLevel VERBOSE
EOF

# The whole journal is kept, because it is searched for secrets.
install -d "$root/var/log/journal" "$root/etc/systemd/journald.conf.d"
cat >"$root/etc/systemd/journald.conf.d/test-host.conf" <<'EOF'
[Journal]
Storage=persistent
RateLimitIntervalSec=0
ForwardToSyslog=no
EOF

# logind would stop a user's manager ten seconds after his last session. In a container, systemd is not told when that
# manager's control group is empty, and lets the next session wait for two minutes.
install -d "$root/etc/systemd/logind.conf.d"
printf '[Login]\nUserStopDelaySec=infinity\n' >"$root/etc/systemd/logind.conf.d/test-host.conf"

# A container has no console, devices or disks, and needs no updates.
for unit in \
  apt-daily-upgrade.timer apt-daily.timer console-getty.service dpkg-db-backup.timer e2scrub_all.timer \
  e2scrub_reap.service fstrim.timer getty.target getty@.service systemd-binfmt.service \
  systemd-networkd-wait-online.service systemd-resolved.service \
  systemd-timesyncd.service systemd-udev-trigger.service \
  systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udevd.service; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
ln -sf /lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
# Each host creates its machine id at its first boot, unless it finds the copy of dbus.
: >"$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id"

rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,info,locale,man}/* "$root"/debootstrap
old=$(podman image inspect --format '{{.Id}}' "$image" 2>/dev/null || true)
tar -C "$root" --numeric-owner -c . |
  podman --log-level error import --quiet \
    --change "LABEL $label=$recipe" --change 'STOPSIGNAL SIGRTMIN+3' - "$image" >/dev/null
[[ -z $old ]] || podman rmi "$old" >/dev/null 2>&1 || true
