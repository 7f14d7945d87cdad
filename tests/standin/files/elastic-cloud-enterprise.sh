#!/usr/bin/env bash
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A stand-in for the vendor's installer script. It is not a copy: it takes the same arguments and refuses what the real
# script is documented to refuse, in the same order, with the same exit codes and on the same stream. It also has the
# defects of the real script, so that tests fail where arguments are not prepared for them: a value is cut at its first
# blank, it is evaluated once more, a host address that is two values becomes an argument of the engine, and the
# metadata of the environment get a brace too many.
#
# Exit codes: 0 success, 1 general, 2 unknown command, 3 unknown or empty argument, 4 wrong user, 5 precondition; else
# that of the engine or of a command that the host lacks (125, 126, 127).
#
# A line that ends with the remark "since X.Y" is in scripts of this version and later: hosts.py removes it from others.

CLOUD_ENTERPRISE_VERSION=@VERSION@

STANDIN_BIN=$(dirname "$(command -v docker || command -v podman || printf '/nowhere/docker')")
STATE="" SKIP_MATRIX=0 OS_RELEASE=/etc/os-release FIREWALLD=auto MISSING_COMMANDS=""
for STANDIN_CONF in "$STANDIN_BIN/standin.conf" /etc/ece-standin.conf; do
  # shellcheck source=/dev/null
  if [[ -r $STANDIN_CONF ]]; then source "$STANDIN_CONF"; break; fi
done

# The host lacks these commands, whatever this machine has.
for name in $MISSING_COMMANDS; do
  eval "$name() { printf '%s: line %d: %s: command not found\n' \"\$0\" \"\$LINENO\" '$name' >&2; return 127; }"
done

# has COMMAND: succeed if the host has this command.
has() { [[ " $MISSING_COMMANDS " != *" $1 "* ]] && command -v "$1" >/dev/null; }

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

# refuse EXIT_CODE MESSAGE REMEDY: end with two lines on standard output, of which the first one is red.
refuse() {
  say $'\e[0;31m'"$2"$'\e[0m'
  say "$3"
  exit "$1"
}

usage() {
  printf '%s\n' "elastic-cloud-enterprise.sh [COMMAND] [OPTIONS]" "Commands: install (default), upgrade," \
    "reset-adminconsole-password, add-stack-version" "This is a stand-in: the vendor's pages describe the options."
}

# -- arguments ---------------------------------------------------------------------------------------------------------

# assign NAME VALUE FLAG: set a variable. As in the real script, eval evaluates the value once more.
assign() {
  [[ -n ${2:-} && $2 != --* ]] || refuse 3 "Argument of $3 must not be empty" "Give the option a value"
  eval "$1='$2'"
}

ACTION=install
if [[ -n ${1:-} && $1 != -* ]]; then ACTION=$1; shift; fi
case $ACTION in
  install) ;;
  configure-selinux-settings) refuse 1 "The stand-in does not know $ACTION" "Use install" ;; # since 4.0
  upgrade | reset-adminconsole-password | add-stack-version)
    refuse 1 "The stand-in does not know $ACTION" "Use install"
    ;;
  *) refuse 2 "Unknown command $ACTION" "Use --help to see the commands" ;;
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
    --proxy-protocol-version) name=PROXY_PROTOCOL_VERSION ;; # since 4.2
    --proxy-protocol-lenient) PROXY_PROTOCOL_LENIENT=true ;; # since 4.2
    --overwrite-existing-image) OVERWRITE_EXISTING_IMAGE=true ;;
    --debug) DEBUG=true ;;
    --force) FORCE_INSTALL=true ;;
    --podman) PODMAN=true ;;
    --selinux) SELINUX=true ;; # since 3.7
    --help) usage; exit 0 ;;
    --skip-cloud-enterprise-version-check) SKIP_CLOUD_ENTERPRISE_VERSION_CHECK=true ;;
    *) refuse 3 "Unknown argument $(without_token "$1")" "Use --help to see the options" ;;
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
CONTAINER_ENGINE=docker
[[ ${PODMAN:-} == true ]] && CONTAINER_ENGINE=podman

# engine ARGUMENT...: run the engine's client through the given socket.
engine() {
  if [[ $CONTAINER_ENGINE == podman ]]; then
    podman-remote --url "unix://$HOST_DOCKER_HOST" "$@"
  else
    docker -H "unix://$HOST_DOCKER_HOST" "$@"
  fi
}

if [[ -n ${COORDINATOR_HOST:-} && -z ${ROLES_TOKEN:-} ]]; then
  refuse 3 "Argument --roles-token is required with --coordinator-host" "Use a token of the platform"
fi

# number VERSION: print major and minor as one number, to compare versions.
# shellcheck disable=SC2206
number() { local IFS=.; local -a part=(${1%%-*}); printf '%d' $((10#${part[0]:-0} * 1000 + 10#${part[1]:-0})); }

if [[ ! $WANTED_VERSION =~ ^[0-9]+\.[0-9]+ ]]; then
  refuse 1 "Version $WANTED_VERSION cannot be understood" "Use a version like $CLOUD_ENTERPRISE_VERSION"
fi
if [[ ${SKIP_CLOUD_ENTERPRISE_VERSION_CHECK:-} != true ]] &&
  (($(number "$WANTED_VERSION") > $(number "$CLOUD_ENTERPRISE_VERSION"))); then
  refuse 1 "Can't use a --cloud-enterprise-version value greater than $CLOUD_ENTERPRISE_VERSION" \
    "Use the script of that version"
fi
if [[ -n ${CAPACITY:-} ]] && { [[ ! $CAPACITY =~ ^[0-9]+$ ]] || ((10#$CAPACITY < 8192)); }; then
  refuse 1 "The capacity must be at least 8192 MB" "Use a larger value of --capacity"
fi

# -- the host ----------------------------------------------------------------------------------------------------------

# The real script ends at the first command that fails here, with this command's exit code.
if [[ ${SELINUX:-} == true ]]; then
  [[ ${PODMAN:-} == true ]] || refuse 1 "--selinux goes with --podman only" "Do not use --selinux with Docker"
  sudo -n true || exit 1
  for name in semanage setsebool; do
    has "$name" || { printf 'sudo: %s: command not found\n' "$name" >&2; exit 1; }
  done
  for name in checkmodule semodule_package; do
    has "$name" || { printf '%s: line %d: %s: command not found\n' "$0" "$LINENO" "$name" >&2; exit 127; }
  done
fi

[[ -S $HOST_DOCKER_HOST ]] ||
  refuse 5 "ECE could not verify the Docker socket ($HOST_DOCKER_HOST)." "Start the engine, or use --host-docker-host"

if (($(id -u) < 1000 || $(id -g) < 1000)); then
  refuse 4 "The UID or GID must not be smaller than 1000." "Run the script as another user"
fi
# For Podman too, the user's engine is asked by the name docker and without the given socket.
if ! docker ps >/dev/null 2>&1; then
  [[ ${FORCE_INSTALL:-} == true ]] || refuse 4 "The user is not a member of the docker group." \
    "To resolve the issue, add the user to the docker group."
  say "The user is not a member of the docker group; --force is given, so the installation goes on"
fi

firewalld_runs() {
  case $FIREWALLD in
    active) return 0 ;;
    auto) [[ $(systemctl is-active firewalld 2>/dev/null) == active ]] ;;
    *) return 1 ;;
  esac
}
HOST_PREREQ_FAILED=false
if firewalld_runs; then
  if (($(number "$CLOUD_ENTERPRISE_VERSION") < $(number 4.0))); then
    [[ ${FORCE_INSTALL:-} == true ]] || refuse 5 "firewalld is active" "Stop it, or use --force"
  fi
  HOST_PREREQ_FAILED=true
  say $'\e[0;33m'"firewalld is active"$'\e[0m'
fi

if mkdir -p "$HOST_STORAGE_PATH/logs/bootstrap-logs" 2>/dev/null; then
  LOG_FILE=$HOST_STORAGE_PATH/logs/bootstrap-logs/elastic-cloud-enterprise.log
  : >>"$LOG_FILE" 2>/dev/null || LOG_FILE=""
fi
say "Installing version $WANTED_VERSION"

# The operating systems and engines that a release accepts, by release. One without an entry is like the nearest lower
# one. Docker is compared with its minor version, Podman without.
declare -A ECE_compatibility
ECE_compatibility["2.13"]="CentOS-7_docker-20.10 CentOS-8_docker-19.03 CentOS-8_docker-20.10 RHEL-7_docker-20.10 RHEL-8_docker-19.03 RHEL-8_docker-20.10 Ubuntu-16.04_docker-19.03 Ubuntu-18.04_docker-19.03 SLES-12_docker-18.09" # since 4.0
ECE_compatibility["3.3"]="CentOS-7_docker-20.10 CentOS-8_docker-19.03 CentOS-8_docker-20.10 RHEL-7_docker-20.10 RHEL-8_docker-19.03 RHEL-8_docker-20.10 RHEL-8_podman-4 Ubuntu-18.04_docker-19.03 Ubuntu-20.04_docker-20.10 SLES-12_docker-18.09 SLES-15_docker-20.10" # since 4.0
ECE_compatibility["3.4"]="CentOS-7_docker-20.10 CentOS-8_docker-20.10 RHEL-7_docker-20.10 RHEL-8_docker-20.10 RHEL-8_podman-4 Ubuntu-18.04_docker-19.03 Ubuntu-20.04_docker-20.10 SLES-12_docker-18.09 SLES-15_docker-20.10" # since 4.0
ECE_compatibility["3.7"]="RHEL-8_podman-4 RHEL-9_podman-4 RockyLinux-8_podman-4 Ubuntu-20.04_docker-20.10 Ubuntu-20.04_docker-24.0 Ubuntu-22.04_docker-24.0 SLES-12_docker-18.09 SLES-12_docker-24.0 SLES-15_docker-20.10 SLES-15_docker-24.0" # since 4.0
ECE_compatibility["3.8"]="RHEL-8_podman-4 RHEL-9_podman-4 RHEL-9_podman-5 RockyLinux-8_podman-4 RockyLinux-9_podman-5 Ubuntu-20.04_docker-20.10 Ubuntu-20.04_docker-24.0 Ubuntu-20.04_docker-25.0 Ubuntu-22.04_docker-24.0 Ubuntu-22.04_docker-25.0 SLES-12_docker-24.0 SLES-12_docker-25.0 SLES-15_docker-24.0 SLES-15_docker-25.0" # since 4.0
ECE_compatibility["4.0"]="RHEL-8_podman-4 RHEL-9_podman-4 RHEL-9_podman-5 RockyLinux-8_podman-4 RockyLinux-9_podman-5 Ubuntu-20.04_docker-25.0 Ubuntu-20.04_docker-26.0 Ubuntu-20.04_docker-27.0 Ubuntu-22.04_docker-25.0 Ubuntu-22.04_docker-26.0 Ubuntu-22.04_docker-27.0 Ubuntu-24.04_docker-26.0 Ubuntu-24.04_docker-27.0 SLES-12_docker-25.0 SLES-15_docker-25.0" # since 4.0
ECE_compatibility["4.2"]="RHEL-8_podman-4 RHEL-9_podman-4 RHEL-9_podman-5 RHEL-10_podman-5 RockyLinux-8_podman-4 RockyLinux-9_podman-5 Ubuntu-20.04_docker-27.0 Ubuntu-20.04_docker-27.1 Ubuntu-20.04_docker-27.2 Ubuntu-20.04_docker-27.3 Ubuntu-20.04_docker-27.4 Ubuntu-20.04_docker-27.5 Ubuntu-22.04_docker-25.0 Ubuntu-24.04_docker-29.3 Ubuntu-24.04_docker-29.4 Ubuntu-24.04_docker-29.5 Ubuntu-24.04_docker-29.6 Ubuntu-24.04_docker-29.7 Ubuntu-24.04_docker-29.8 Ubuntu-24.04_docker-29.9 SLES-15_docker-25.0 SLES-15_docker-29.3 SLES-15_docker-29.4 SLES-15_docker-29.5 SLES-15_docker-29.6 SLES-15_docker-29.7 SLES-15_docker-29.8 SLES-15_docker-29.9" # since 4.2

# accepted_by VERSION: print the operating systems and engines that a release accepts.
accepted_by() {
  local release asked row best=0 found=""
  asked=$(number "$1")
  for release in "${!ECE_compatibility[@]}"; do
    row=$(number "$release")
    if ((row <= asked && row >= best)); then best=$row found=${ECE_compatibility[$release]}; fi
  done
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
  if [[ $CONTAINER_ENGINE == podman ]]; then
    engine=$(engine version --format '{{.Client.Version}}') || return
    engine=podman-${engine%%.*}
  else
    engine=$(engine --version) || return
    engine=docker-$(printf '%s' "$engine" | cut -d' ' -f3 | cut -d. -f1,2)
  fi
  printf '%s_%s' "$id" "$engine"
}

if [[ $SKIP_MATRIX != 1 && ${#ECE_compatibility[@]} != 0 ]]; then
  HOST_KIND=$(this_host) || exit
  if [[ " $(accepted_by "$WANTED_VERSION") " != *" $HOST_KIND "* ]]; then
    refuse 1 "ECE version $WANTED_VERSION is not compatible with OS and engine $HOST_KIND" \
      "Use an operating system and an engine of the support matrix"
  fi
fi

mkdir -p "$HOST_STORAGE_PATH" 2>/dev/null
if [[ ! -r $HOST_STORAGE_PATH || ! -w $HOST_STORAGE_PATH || -z ${LOG_FILE:-} ]]; then
  refuse 1 "Host storage path $HOST_STORAGE_PATH doesn't have read/write permissions" "Give them to the user"
fi

# As in the real script, nothing is quoted: it takes the fifth word of each default route, which an on-link route does
# not have or has for something else, and all addresses of that interface.
# shellcheck disable=SC2046,SC2086
if [[ -z ${HOST_IP:-} ]]; then
  has ip || refuse 1 "Can't determine a default HOST_IP ('ip' tool can't be found)" "Please use --host-ip"
  DEVICE=$(ip -4 route show default | cut -d' ' -f5)
  if [ ! -z $DEVICE ]; then
    ADDRESSES=$(ip -4 -o addr show dev $DEVICE) || exit 1
    HOST_IP=$(printf '%s\n' "$ADDRESSES" | tr -s ' ' | cut -d' ' -f4 | cut -d/ -f1)
    [[ -n $HOST_IP ]] || refuse 1 "Can't determine a default HOST_IP" "Please use --host-ip"
  else
    refuse 1 "Can't determine a default HOST_IP (the default gateway was not found)" "Please use --host-ip"
  fi
fi
RUNNER_ID=${RUNNER_ID:-$HOST_IP}

# -- the installer's container -----------------------------------------------------------------------------------------

IMAGE=$DOCKER_REGISTRY/$ECE_DOCKER_REPOSITORY/elastic-cloud-enterprise:$WANTED_VERSION
if [[ ${OVERWRITE_EXISTING_IMAGE:-} == true ]]; then
  engine pull "$IMAGE" || exit
fi

FORWARDED=()
while IFS='=' read -r key value; do
  if [[ $key == CLOUD_FEATURE* ]]; then FORWARDED+=(--env "$key=$value"); fi
done <<<"$STANDIN_ENVIRONMENT"
for key in COORDINATOR_HOST ROLES_TOKEN ROLES HOST_STORAGE_PATH RUNNER_ID HOST_IP AVAILABILITY_ZONE CAPACITY \
  MEMORY_SETTINGS TIMEOUT_FACTOR ALLOCATOR_TAGS EXTERNAL_HOSTNAME API_BASE_URL PROXY_TAGS CONFIG_FILE FORCE_INSTALL \
  HOST_PREREQ_FAILED CONTAINER_ENGINE PROXY_PROTOCOL_VERSION PROXY_PROTOCOL_LENIENT; do
  # shellcheck disable=SC2206
  FORWARDED+=(--env $key=${!key:-})
done
# The default ends at the first brace, so the second one follows any value.
# shellcheck disable=SC2206
FORWARDED+=(--env ENVIRONMENT_METADATA=${ENVIRONMENT_METADATA:-{}})
# With --debug the token is in the output, which the real script may do, too.
if [[ ${DEBUG:-} == true ]]; then say "Running $CONTAINER_ENGINE run ${FORWARDED[*]} $IMAGE"; fi
if [[ -n $STATE && -w $STATE ]]; then
  for argument in "${FORWARDED[@]}"; do
    [[ $argument == --env ]] || without_token "$argument"
  done >"$STATE/last-container-environment"
fi

say "Running the bootstrap container"
engine run --rm --name elastic-cloud-enterprise-installer -p 20000:20000 -p 21000:21000 -p 22000:22000 \
  -v "$HOST_DOCKER_HOST:/run/docker.sock" -v "$HOST_STORAGE_PATH:/host-storage" "${FORWARDED[@]}" "$IMAGE"
EXIT_CODE=$?
# The output of the container is the last that is printed.
say "The bootstrap container ended with $EXIT_CODE" >/dev/null
exit $EXIT_CODE
