#!/usr/bin/env bash
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Starts and removes test hosts: containers that boot like machines and are reached over SSH.
#
#   hosts.sh up   DIRECTORY NAME[=ADDRESS][:KIND]...   start the hosts, wait until each can be logged in to
#   hosts.sh down DIRECTORY NAME[=ADDRESS][:KIND]...   remove them, their network and DIRECTORY
#
# DIRECTORY receives the keys, known_hosts and an inventory. A name without an address gets 10.213.0.11, .12, ...
# All addresses of a call lie in one /24; its .1 is this machine.
#
# A host without a kind is prepared for ECE. The kinds are bare machines: ubuntu, el and sles are privileged containers
# with an empty disk, /dev/disk/by-id/virtio-ece-data; vm is a virtual machine with a kernel of its own.
set -euo pipefail
umask 077
PATH=$PATH:/usr/sbin:/sbin

usage() {
  sed -n '/^#   hosts/,/^# with an empty/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
}

[[ $# -ge 3 && $1 =~ ^(up|down)$ ]] || usage
action=$1
directory=$(realpath -m "$2")
shift 2

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
names=() addresses=() kinds=()
for argument in "$@"; do
  kind=""
  if [[ $argument == *:* ]]; then
    kind=${argument#*:}
    argument=${argument%%:*}
    [[ $kind =~ ^(ubuntu|el|sles|vm)$ ]] || usage
  fi
  kinds+=("$kind")
  names+=("${argument%%=*}")
  if [[ $argument == *=* ]]; then
    addresses+=("${argument#*=}")
  else
    addresses+=("10.213.0.$((10 + ${#names[@]}))")
  fi
done
subnet=${addresses[0]%.*}
network=ece-${subnet//./-}
for address in "${addresses[@]}"; do
  [[ $address =~ ^[0-9.]+$ && ${address%.*} == "$subnet" ]] || usage
done

pod() {
  podman --log-level error "$@"
}

network_of() {
  pod inspect --type container --format '{{index .Config.Labels "ece.platform.network"}}' "$1" 2>/dev/null
}

# The disks of hosts are loop devices, and the sysctls of this machine are also theirs.
sysctls=(vm.max_map_count vm.swappiness)

save_sysctls() {
  local name
  for name in "${sysctls[@]}"; do
    echo "$name=$(sysctl -n "$name")"
  done >"$directory/sysctls"
}

remove_disks() {
  local image
  for image in "$directory"/disks/*.img; do
    [[ -e $image ]] || continue
    losetup --associated "$image" --noheadings --output NAME --list | xargs --no-run-if-empty losetup --detach
    rm "$image"
  done
  if [[ -e $directory/sysctls ]]; then
    sysctl --quiet --load "$directory/sysctls"
    rm "$directory/sysctls"
  fi
}

remove() {
  local name
  for name in "${names[@]}"; do
    "$here/vm.sh" stop "$directory/vm/$name"
    if [[ $(network_of "$name") == "$network" ]]; then
      # Ending sshd closes the connections that Ansible keeps open. Without that they would wait for a host that does
      # not exist, and fail for the next host with its address. Nothing else on a test host needs a clean shutdown.
      pod exec "$name" pkill -x sshd 2>/dev/null || true
      pod rm --force --time 0 --volumes "$name" >/dev/null
    fi
  done
  remove_disks
  if pod network exists "$network"; then
    pod network rm "$network" >/dev/null
  fi
}

write_keys() {
  mkdir -p "$directory/sshd"
  rm -f "$directory"/{id,id.pub,known_hosts,sshd/*}
  ssh-keygen -q -t ed25519 -N '' -C ece-test-hosts -f "$directory/id"
  ssh-keygen -q -t ed25519 -N '' -C ece-test-hosts -f "$directory/sshd/host_key"
  cp "$directory/id.pub" "$directory/sshd/authorized_keys"
  # sshd reads authorized_keys as the user who logs in.
  chmod 0755 "$directory/sshd"
  chmod 0644 "$directory/sshd/authorized_keys"
  local address
  for address in "${addresses[@]}"; do
    echo "$address $(cut -d ' ' -f 1,2 "$directory/sshd/host_key.pub")"
  done >"$directory/known_hosts"
}

write_inventory() {
  local at
  echo "allocators:"
  echo "  hosts:"
  for at in "${!names[@]}"; do
    echo "    ${names[at]}:"
    echo "      ansible_host: ${addresses[at]}"
    echo "      ece_host_zone: ece-zone-$((at % 3 + 1))"
  done
  echo "  vars:"
  echo "    ansible_user: ops"
  echo "    ansible_ssh_private_key_file: $directory/id"
  echo "    ansible_ssh_common_args: -o UserKnownHostsFile=$directory/known_hosts -o IdentitiesOnly=yes"
}

# A machine keeps its hardware address over a reboot. Its neighbours would use the old address for a while.
mac() {
  local octets
  IFS=. read -ra octets <<<"$1"
  printf '02:ec:%02x:%02x:%02x:%02x' "${octets[@]}"
}

# start NAME ADDRESS KIND
start() {
  local options=() image=ece-test-host command=(/sbin/init)
  if [[ $3 == vm ]]; then
    # There is a network while a container is in it.
    pod --runtime runc run --detach --name "$1" --label "ece.platform.network=$network" --network "$network" \
      --ip "${2%.*}.$((100 + ${2##*.}))" --ulimit nofile=20000:20000 --ulimit nproc=4096:4096 \
      localhost/ece-test-host:latest sleep infinity >/dev/null
    "$here/vm.sh" start "$directory/vm/$1" "$1" "$2" "$(mac "$2")" \
      "$(pod network inspect --format '{{.NetworkInterface}}' "$network")" "$directory/sshd"
    return
  fi
  if [[ -n $3 ]]; then
    image=ece-test-host-$3
    add_disk "$1"
    # The engine of the host gets a file system of its own, because overlays cannot be stacked without limit.
    options=(--privileged --cgroupns private --volume "$directory/disks/$1.rules:/etc/udev/rules.d/61-test-host.rules:ro")
    # In a container systemd listens to udev only where this file is there when it starts.
    command=(/bin/sh -c 'mkdir -p /run/udev && : >/run/udev/control && exec /sbin/init')
  fi
  # runc is the runtime that also accepts hybrid cgroups. The journal gets a volume, because podman would put a tmpfs
  # there, which a reboot loses. The restart policy starts a host again that reboots from inside.
  pod --runtime runc run --detach --name "$1" --hostname "$1" --label "ece.platform.network=$network" \
    --network "$network" --ip "$2" --mac-address "$(mac "$2")" \
    --ulimit nofile=20000:20000 --ulimit nproc=4096:4096 --systemd=always --restart=always \
    --volume /var/log/journal "${options[@]}" \
    --volume "$directory/sshd:/etc/ssh/test-host:ro" "localhost/$image:latest" "${command[@]}" >/dev/null
}

# add_disk NAME: give a host a disk of 16 GB, and the rule by which its udev names that.
add_disk() {
  local device
  mkdir -p "$directory/disks"
  truncate --size 16G "$directory/disks/$1.img"
  device=$(losetup --find --show "$directory/disks/$1.img")
  echo "SUBSYSTEM==\"block\", KERNEL==\"${device#/dev/}\", SYMLINK+=\"disk/by-id/virtio-ece-data\"" \
    >"$directory/disks/$1.rules"
}

wait_for_login() {
  local deadline=$((SECONDS + 180))
  [[ ${3:-} != vm ]] || deadline=$((SECONDS + 400))
  until ssh -F none -i "$directory/id" -o UserKnownHostsFile="$directory/known_hosts" -o IdentitiesOnly=yes \
    -o BatchMode=yes -o ConnectTimeout=2 -o LogLevel=ERROR "ops@$2" sudo -n true 2>"$directory/ssh-error"; do
    if ((SECONDS >= deadline)); then
      echo "$1 ($2) cannot be logged in to: $(cat "$directory/ssh-error")" >&2
      pod logs --tail 20 "$1" >&2 || true
      return 1
    fi
    sleep 0.3
  done
  rm -f "$directory/ssh-error"
}

remove
if [[ $action == down ]]; then
  rm -rf --one-file-system "$directory"
  exit 0
fi

while read -r kind; do
  case $kind in
    "") "$here/build_image.sh" ;;
    vm) "$here/vm.sh" build ;;
    *) "$here/build_kind.sh" "$kind" ;;
  esac
done < <(printf '%s\n' "${kinds[@]}" | sort --unique)
# systemd holds four inotify instances a host, and eleven on a bare one, so a kernel's default of 128 is used up by 31
# hosts, and the next sshd does not start.
instances=/proc/sys/fs/inotify/max_user_instances
wanted=$((12 * ${#names[@]} + 64))
if (($(<"$instances") < wanted)); then
  echo "$wanted" >"$instances"
fi
write_keys
save_sysctls
write_inventory >"$directory/inventory.yml"
pod network create --disable-dns --subnet "$subnet.0/24" --gateway "$subnet.1" "$network" >/dev/null
for at in "${!names[@]}"; do
  start "${names[at]}" "${addresses[at]}" "${kinds[at]}"
done
# By default this machine's end of the network has the lowest address of its ports, which changes when that host is
# cut off.
ip link set "$(pod network inspect --format '{{.NetworkInterface}}' "$network")" address "$(mac "$subnet.1")"
for at in "${!names[@]}"; do
  wait_for_login "${names[at]}" "${addresses[at]}" "${kinds[at]}"
done
