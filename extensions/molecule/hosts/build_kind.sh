#!/usr/bin/env bash
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
#   build_kind.sh KIND
#
# Builds the image `ece-test-host-KIND` of a bare machine from `ece-test-host`, with kinds/bare.sh and kinds/KIND.sh,
# which run inside. An image whose label has the checksum of all these files is used again.
set -euo pipefail
umask 022

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
kind=$1
image=localhost/ece-test-host-$kind:latest
container=ece-test-host-build-$kind
label=ece.platform.recipe
parts=("$here/kinds/bare.sh" "$here/kinds/$kind.sh")
# A virtual machine is an Ubuntu with more.
[[ $kind != vm ]] || parts=("$here/kinds/bare.sh" "$here/kinds/ubuntu.sh" "$here/kinds/vm.sh")
recipe=$(cat "$here/build_image.sh" "$here/build_kind.sh" "${parts[@]}" | sha256sum)
recipe=${recipe%% *}

"$here/build_image.sh"
exec 9>"/run/lock/ece-test-host-$kind.lock"
flock 9
if [[ $(podman image inspect --format "{{index .Labels \"$label\"}}" "$image" 2>/dev/null) == "$recipe" ]]; then
  exit 0
fi

remove_container() {
  podman rm --force --time 0 "$container" >/dev/null 2>&1 || true
}

log=$(mktemp /var/tmp/ece-test-host.XXXXXX)
trap 'remove_container; rm -f "$log"' EXIT
echo "Building $image"
remove_container
# With the network of this machine, apt reaches what it reaches here.
if ! podman --runtime runc run --name "$container" --network host \
  --ulimit nofile=20000:20000 --ulimit nproc=4096:4096 localhost/ece-test-host:latest \
  bash -c "$(cat "${parts[@]}")" >"$log" 2>&1; then
  tail -n 30 "$log" >&2
  exit 1
fi
old=$(podman image inspect --format '{{.Id}}' "$image" 2>/dev/null || true)
podman commit --quiet --change "LABEL $label=$recipe" "$container" "$image" >/dev/null
[[ -z $old ]] || podman rmi "$old" >/dev/null 2>&1 || true
