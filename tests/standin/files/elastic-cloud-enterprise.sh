#!/usr/bin/env bash
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A stand-in for the vendor's installer script. It is not a copy: it takes the same arguments and refuses what the real
# script is documented to refuse, in the same order and with the same exit codes. It also has two defects of the real
# script, so that tests fail where arguments are not prepared for them: a value is cut at its first blank, and it is
# evaluated once more.
#
# Exit codes: 0 success, 1 general, 2 unknown command, 3 unknown or empty argument, 4 wrong user, 5 precondition.

CLOUD_ENTERPRISE_VERSION=@VERSION@

STANDIN_BIN=$(dirname "$(command -v docker || command -v podman || printf '/nowhere/docker')")
STATE="" SKIP_MATRIX=0 OS_RELEASE=/etc/os-release FIREWALLD=auto
for STANDIN_CONF in "$STANDIN_BIN/standin.conf" /etc/ece-standin.conf; do
  # shellcheck source=/dev/null
  if [[ -r $STANDIN_CONF ]]; then source "$STANDIN_CONF"; break; fi
done

# -- a record for tests, of arguments and environment ------------------------------------------------------------------

# without_token TEXT: print a text with checksums in place of tokens.
without_token() {
  local text=$1
  while [[ $text =~ eyJ[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)* ]]; do
    text=${text/"${BASH_REMATCH[0]}"/"sha256:$(printf '%s' "${BASH_REMATCH[0]}" | sha256sum | cut -c1-64)"}
  done
  printf '%s\n' "$text"
}

record() {
  [[ -n $STATE && -w $STATE ]] || return 0
  local argument
  for argument in "$@"; do without_token "$argument"; done >"$STATE/last-arguments"
  without_token "$STANDIN_ENVIRONMENT" >"$STATE/last-environment"
}
STANDIN_ENVIRONMENT=$(env)
record "$@"

# say MESSAGE: print a message and write it to the log.
say() {
  printf '%s\n' "$1"
  if [[ -n ${LOG_FILE:-} ]]; then printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" >>"$LOG_FILE"; fi
}

# refuse EXIT_CODE MESSAGE
refuse() { say "$2" >&2; exit "$1"; }

# -- arguments ---------------------------------------------------------------------------------------------------------

# assign NAME VALUE FLAG: set a variable. As in the real script, eval evaluates the value once more.
assign() {
  [[ -n ${2:-} && $2 != --* ]] || refuse 3 "Argument of $3 must not be empty"
  eval "$1='$2'"
}

ACTION=install
if [[ -n ${1:-} && $1 != -* ]]; then ACTION=$1; shift; fi
case $ACTION in
  install) ;;
  upgrade | reset-adminconsole-password | add-stack-version | configure-selinux-settings)
    refuse 1 "The stand-in knows install alone, not $ACTION"
    ;;
  *) refuse 2 "Unknown command $ACTION" ;;
esac

while (($#)); do
  name=""
  case $1 in
    --coordinator-host) name=COORDINATOR_HOST ;;
    --roles-token) name=ROLES_TOKEN ;;
    --roles) name=ROLES ;;
    --cloud-enterprise-version) name=WANTED_VERSION ;;
    --host-storage-path) name=HOST_STORAGE_PATH ;;
    --host-docker-host) name=HOST_DOCKER_HOST ;;
    --docker-registry) name=DOCKER_REGISTRY ;;
    --ece-docker-repository) name=ECE_DOCKER_REPOSITORY ;;
    --runner-id) name=RUNNER_ID ;;
    --host-ip) name=HOST_IP ;;
    --availability-zone) name=AVAILABILITY_ZONE ;;
    --capacity) name=CAPACITY ;;
    --memory-settings) name=MEMORY_SETTINGS ;;
    --timeout-factor) name=TIMEOUT_FACTOR ;;
    --allocator-tags) name=ALLOCATOR_TAGS ;;
    --external-hostname) name=EXTERNAL_HOSTNAME ;;
    --api-base-url) name=API_BASE_URL ;;
    --proxy-tags) name=PROXY_TAGS ;;
    --environment-metadata) name=ENVIRONMENT_METADATA ;;
    --config-file) name=CONFIG_FILE ;;
    --client-forwarder-observers-tag) name=CLIENT_FORWARDER_OBSERVERS_TAG ;;
    --latest-stack-pre-release) name=LATEST_STACK_PRE_RELEASE ;;
    --previous-stack-pre-release) name=PREVIOUS_STACK_PRE_RELEASE ;;
    --overwrite-existing-image) OVERWRITE_EXISTING_IMAGE=true ;;
    --debug) DEBUG=true ;;
    --force) FORCE_INSTALL=true ;;
    --podman) PODMAN=true ;;
    --selinux) SELINUX=true ;;
    --skip-cloud-enterprise-version-check) SKIP_CLOUD_ENTERPRISE_VERSION_CHECK=true ;;
    *) refuse 3 "Unknown argument $(without_token "$1")" ;;
  esac
  if [[ -n $name ]]; then
    # As in the real script, the value is not quoted: a leading blank is dropped, and any other blank cuts the value.
    # shellcheck disable=SC2206
    parts=(${2:-})
    assign "$name" "${parts[0]:-}" "$1"
    shift
  fi
  (($#)) && shift
done

HOST_STORAGE_PATH=${HOST_STORAGE_PATH:-/mnt/data/elastic}
HOST_DOCKER_HOST=${HOST_DOCKER_HOST:-${DOCKER_HOST:-/var/run/docker.sock}}
HOST_DOCKER_HOST=${HOST_DOCKER_HOST#unix://}
DOCKER_REGISTRY=${DOCKER_REGISTRY:-registry.invalid}
ECE_DOCKER_REPOSITORY=${ECE_DOCKER_REPOSITORY:-cloud-enterprise}
WANTED_VERSION=${WANTED_VERSION:-$CLOUD_ENTERPRISE_VERSION}
AVAILABILITY_ZONE=${AVAILABILITY_ZONE:-ece-zone-1}
ENGINE_COMMAND=docker
[[ ${PODMAN:-} == true ]] && ENGINE_COMMAND=podman

if [[ -n ${COORDINATOR_HOST:-} && -z ${ROLES_TOKEN:-} ]]; then
  refuse 3 "Argument --roles-token is required with --coordinator-host"
fi

# number VERSION: print major and minor as one number, to compare versions.
# shellcheck disable=SC2206
number() { local IFS=.; local -a part=(${1%%-*}); printf '%d' $((10#${part[0]:-0} * 1000 + 10#${part[1]:-0})); }

if [[ ! $WANTED_VERSION =~ ^[0-9]+\.[0-9]+ ]]; then refuse 1 "Version $WANTED_VERSION cannot be understood"; fi
if [[ ${SKIP_CLOUD_ENTERPRISE_VERSION_CHECK:-} != true ]] &&
  (($(number "$WANTED_VERSION") > $(number "$CLOUD_ENTERPRISE_VERSION"))); then
  refuse 1 "Can't use a --cloud-enterprise-version value greater than $CLOUD_ENTERPRISE_VERSION"
fi
if [[ -n ${CAPACITY:-} ]] && { [[ ! $CAPACITY =~ ^[0-9]+$ ]] || ((10#$CAPACITY < 8192)); }; then
  refuse 1 "The capacity must be at least 8192 MB"
fi

# -- the host ----------------------------------------------------------------------------------------------------------

if [[ ${SELINUX:-} == true ]]; then
  [[ ${PODMAN:-} == true ]] || refuse 1 "--selinux goes with --podman only"
  for tool in semanage checkmodule; do
    command -v "$tool" >/dev/null || refuse 5 "--selinux needs $tool"
  done
  sudo -n true 2>/dev/null || refuse 5 "--selinux needs sudo without a password"
fi

[[ -S $HOST_DOCKER_HOST ]] || refuse 5 "ECE could not verify the Docker socket ($HOST_DOCKER_HOST)."

if (($(id -u) < 1000 || $(id -g) < 1000)); then refuse 4 "The UID or GID must not be smaller than 1000."; fi
if ! docker ps >/dev/null 2>&1; then
  [[ ${FORCE_INSTALL:-} == true ]] || refuse 4 "The user is not a member of the docker group."
  say "The user is not a member of the docker group; --force is given, so the installation goes on"
fi

firewalld_runs() {
  case $FIREWALLD in
    active) return 0 ;;
    auto) [[ $(systemctl is-active firewalld 2>/dev/null) == active ]] ;;
    *) return 1 ;;
  esac
}
if firewalld_runs; then
  [[ ${FORCE_INSTALL:-} == true ]] || refuse 5 "firewalld is active and must be stopped"
  say "firewalld is active; --force is given, so the installation goes on"
fi

if mkdir -p "$HOST_STORAGE_PATH/logs/bootstrap-logs" 2>/dev/null; then
  LOG_FILE=$HOST_STORAGE_PATH/logs/bootstrap-logs/elastic-cloud-enterprise.log
  : >>"$LOG_FILE" 2>/dev/null || LOG_FILE=""
fi
say "Installing version $WANTED_VERSION"

# accepted_by VERSION: print the operating systems and engines that a release accepts, which may have several rows. A
# release without a row is like the nearest lower one.
accepted_by() {
  local release accepted asked row best=0 found=""
  asked=$(number "$1")
  while IFS='|' read -r release accepted; do
    row=$(number "$release")
    if ((row > asked || row < best)); then continue; fi
    if ((row > best)); then found=""; fi
    best=$row found+=" $accepted"
  done <<'MATRIX'
2.13|CentOS-7_docker-20.10 CentOS-8_docker-19.03 CentOS-8_docker-20.10
2.13|RHEL-7_docker-20.10 RHEL-8_docker-19.03 RHEL-8_docker-20.10
2.13|Ubuntu-16.04_docker-19.03 Ubuntu-18.04_docker-19.03
2.13|SLES-12_docker-18.09
3.3|CentOS-7_docker-20.10 CentOS-8_docker-19.03 CentOS-8_docker-20.10
3.3|RHEL-7_docker-20.10 RHEL-8_docker-19.03 RHEL-8_docker-20.10 RHEL-8_podman-4
3.3|Ubuntu-18.04_docker-19.03 Ubuntu-20.04_docker-20.10
3.3|SLES-12_docker-18.09 SLES-15_docker-20.10
3.4|CentOS-7_docker-20.10 CentOS-8_docker-20.10 RHEL-7_docker-20.10 RHEL-8_docker-20.10 RHEL-8_podman-4
3.4|Ubuntu-18.04_docker-19.03 Ubuntu-20.04_docker-20.10
3.4|SLES-12_docker-18.09 SLES-15_docker-20.10
3.7|RHEL-8_podman-4 RHEL-9_podman-4 RockyLinux-8_podman-4
3.7|Ubuntu-20.04_docker-20.10 Ubuntu-20.04_docker-24.0 Ubuntu-22.04_docker-24.0
3.7|SLES-12_docker-18.09 SLES-12_docker-24.0 SLES-15_docker-20.10 SLES-15_docker-24.0
3.8|RHEL-8_podman-4 RHEL-9_podman-4 RHEL-9_podman-5 RockyLinux-8_podman-4 RockyLinux-9_podman-5
3.8|Ubuntu-20.04_docker-20.10 Ubuntu-20.04_docker-24.0
3.8|Ubuntu-20.04_docker-25.0 Ubuntu-22.04_docker-24.0 Ubuntu-22.04_docker-25.0
3.8|SLES-12_docker-24.0 SLES-12_docker-25.0 SLES-15_docker-24.0 SLES-15_docker-25.0
4.0|RHEL-8_podman-4 RHEL-9_podman-4 RHEL-9_podman-5 RockyLinux-8_podman-4 RockyLinux-9_podman-5
4.0|Ubuntu-20.04_docker-25.0 Ubuntu-20.04_docker-26.0 Ubuntu-20.04_docker-27.0 Ubuntu-22.04_docker-25.0
4.0|Ubuntu-22.04_docker-26.0 Ubuntu-22.04_docker-27.0 Ubuntu-24.04_docker-26.0 Ubuntu-24.04_docker-27.0
4.0|SLES-12_docker-25.0 SLES-15_docker-25.0
MATRIX
  printf '%s' "$found"
}

# os_release NAME: print a value of /etc/os-release.
os_release() {
  local line
  while IFS= read -r line; do
    if [[ $line == "$1="* ]]; then
      line=${line#*=}
      line=${line#[\"\']}
      printf '%s' "${line%[\"\']}"
      return
    fi
  done 2>/dev/null <"$OS_RELEASE"
}

# this_host: print operating system and engine of this host as the matrix spells them.
this_host() {
  local id release engine
  id=$(os_release ID) release=$(os_release VERSION_ID)
  case $id in
    ubuntu) id=Ubuntu-$release ;;
    rhel) id=RHEL-${release%%.*} ;;
    centos) id=CentOS-${release%%.*} ;;
    rocky) id=RockyLinux-${release%%.*} ;;
    sles | sles_sap) id=SLES-${release%%.*} ;;
    *) id=$id-$release ;;
  esac
  if [[ $ENGINE_COMMAND == podman ]]; then
    engine=$(podman --version 2>/dev/null)
    engine=${engine##* }
    engine=podman-${engine%%.*}
  else
    engine=$(docker version --format '{{.Client.Version}}' 2>/dev/null)
    engine=docker-$(printf '%s' "$engine" | cut -d. -f1,2)
  fi
  printf '%s_%s' "$id" "$engine"
}

if [[ $SKIP_MATRIX != 1 ]]; then
  HOST_KIND=$(this_host)
  if [[ " $(accepted_by "$WANTED_VERSION") " != *" $HOST_KIND "* ]]; then
    refuse 1 "ECE version $WANTED_VERSION is not compatible with OS and engine $HOST_KIND"
  fi
fi

mkdir -p "$HOST_STORAGE_PATH" 2>/dev/null
if [[ ! -r $HOST_STORAGE_PATH || ! -w $HOST_STORAGE_PATH || -z ${LOG_FILE:-} ]]; then
  refuse 1 "Host storage path $HOST_STORAGE_PATH doesn't have read/write permissions"
fi

if [[ -z ${HOST_IP:-} ]] && command -v ip >/dev/null; then
  # shellcheck disable=SC2046
  set -- $(ip -4 route show default 2>/dev/null)
  while (($#)); do
    if [[ $1 == dev ]]; then
      HOST_IP=$(ip -4 -o addr show dev "$2" 2>/dev/null | tr -s ' ' | cut -d' ' -f4 | cut -d/ -f1)
      break
    fi
    shift
  done
fi
[[ -n ${HOST_IP:-} ]] || refuse 1 "Can't determine a default HOST_IP, please use --host-ip"
RUNNER_ID=${RUNNER_ID:-$HOST_IP}

# -- the installer's container -----------------------------------------------------------------------------------------

IMAGE=$DOCKER_REGISTRY/$ECE_DOCKER_REPOSITORY/elastic-cloud-enterprise:$WANTED_VERSION
if [[ ${OVERWRITE_EXISTING_IMAGE:-} == true ]]; then
  "$ENGINE_COMMAND" pull "$IMAGE" || refuse 1 "The image cannot be pulled"
fi

FORWARDED=()
while IFS='=' read -r key value; do
  if [[ $key == CLOUD_FEATURE* ]]; then FORWARDED+=(--env "$key=$value"); fi
done <<<"$STANDIN_ENVIRONMENT"
for key in COORDINATOR_HOST ROLES_TOKEN ROLES HOST_STORAGE_PATH RUNNER_ID HOST_IP AVAILABILITY_ZONE CAPACITY \
  MEMORY_SETTINGS TIMEOUT_FACTOR ALLOCATOR_TAGS EXTERNAL_HOSTNAME API_BASE_URL PROXY_TAGS ENVIRONMENT_METADATA; do
  FORWARDED+=(--env "$key=${!key:-}")
done
# With --debug the token is in the output, which the real script may do, too.
if [[ ${DEBUG:-} == true ]]; then say "Running $ENGINE_COMMAND run ${FORWARDED[*]} $IMAGE"; fi
if [[ -n $STATE && -w $STATE ]]; then
  for argument in "${FORWARDED[@]}"; do
    [[ $argument == --env ]] || without_token "$argument"
  done >"$STATE/last-container-environment"
fi

say "Running the bootstrap container"
"$ENGINE_COMMAND" run --rm --name elastic-cloud-enterprise-installer -p 20000:20000 -p 21000:21000 -p 22000:22000 \
  -v "$HOST_DOCKER_HOST:/run/docker.sock" -v "$HOST_STORAGE_PATH:/host-storage" "${FORWARDED[@]}" "$IMAGE"
EXIT_CODE=$?
say "The bootstrap container ended with $EXIT_CODE"
exit $EXIT_CODE
