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
DATA_FOLDER=/mnt/data
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

# The real script sets these itself. All other variables it takes from the environment where an argument is not given.
unset HOST_STORAGE_PATH HOST_DOCKER_HOST DOCKER_REGISTRY ECE_DOCKER_REPOSITORY WANTED_VERSION DEBUG PODMAN SELINUX \
  OVERWRITE_EXISTING_IMAGE
TIMEOUT_FACTOR=1.0 FORCE_INSTALL=false

# coloured CODE MESSAGE: print a message in red (31) or yellow (33), as the real script prints what it refuses.
coloured() { printf '\e[0;%dm%s\e[0m\n' "$1" "$2"; }

# refuse EXIT_CODE MESSAGE: end with a red message on standard output.
refuse() {
  coloured 31 "$2"
  exit "$1"
}

# log_message MESSAGE: print a message with its date and write it to the log. Only what is said of the matrix is so.
log_message() {
  printf '[%s] %s\n' "$(date)" "$1" | tee -a "$LOG_FILE" || exit 1
}

usage() {
  printf '%s\n' "elastic-cloud-enterprise.sh [COMMAND] [OPTIONS]" "Commands: install (default), upgrade," \
    "reset-adminconsole-password, add-stack-version" "This is a stand-in: the vendor's pages describe the options."
}

# -- arguments ---------------------------------------------------------------------------------------------------------

# assign NAME VALUE FLAG: set a variable. As in the real script, eval evaluates the value once more.
assign() {
  [[ -n ${2:-} && $2 != --* ]] || refuse 3 "Argument '$3' does not have a value"
  eval "$1='$2'"
}

ACTION=help
if (($#)); then
  ACTION=install
  if [[ $1 != --* ]]; then ACTION=$1; shift; fi
fi
case $ACTION in
  help) usage; exit 0 ;;
  install) ;;
  configure-selinux-settings) refuse 1 "The stand-in does not know $ACTION" ;; # since 4.0
  upgrade | reset-adminconsole-password | add-stack-version)
    refuse 1 "The stand-in does not know $ACTION"
    ;;
  *) refuse 2 "Unknown command '$ACTION'" ;;
esac

while (($#)); do
  name=""
  case $1 in
    --coordinator-host) name=COORDINATOR_HOST ;;
    --roles-token) name=RUNNER_ROLES_TOKEN ;;
    --roles) name=RUNNER_ROLES ;;
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
    --external-hostname) name=RUNNER_EXTERNAL_HOSTNAME ;;
    --api-base-url) name=API_BASE_URL ;;
    --proxy-tags) name=PROXY_TAGS ;;
    --environment-metadata) name=RUNNER_ENVIRONMENT_METADATA_JSON ;;
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
    *) refuse 3 "Unknown argument '$(without_token "$1")'" ;;
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

if [[ -n ${COORDINATOR_HOST:-} && -z ${RUNNER_ROLES_TOKEN:-} ]]; then
  refuse 3 "Argument '--roles-token' is required with --coordinator-host"
fi

# number VERSION: print major and minor as one number, to compare versions.
# shellcheck disable=SC2206
number() { local IFS=.; local -a part=(${1%%-*}); printf '%d' $((10#${part[0]:-0} * 1000 + 10#${part[1]:-0})); }

if [[ ! $WANTED_VERSION =~ ^[0-9]+\.[0-9]+ ]]; then
  refuse 1 "Version $WANTED_VERSION cannot be understood"
fi
# The only refusal of an argument without colours. --skip-cloud-enterprise-version-check does not skip it.
if (($(number "$WANTED_VERSION") > $(number "$CLOUD_ENTERPRISE_VERSION"))); then
  printf '%s\n' "Can't use a --cloud-enterprise-version value greater than $CLOUD_ENTERPRISE_VERSION. Use a newer script."
  exit 1
fi
if [[ -n ${CAPACITY:-} ]] && { [[ ! $CAPACITY =~ ^[0-9]+$ ]] || ((10#$CAPACITY < 8192)); }; then
  refuse 1 "The capacity must be at least 8192 MB"
fi

# -- the host ----------------------------------------------------------------------------------------------------------

# must COMMAND...: run a command, and end with its exit code if it fails, as the real script does under `set -e`.
must() { "$@" || exit; }

if [[ ${SELINUX:-} == true ]]; then
  [[ ${PODMAN:-} == true ]] || refuse 1 "--selinux goes with --podman only"
  printf '%s\n' "Configuring SELinux"
  sudo semanage fcontext -d "$DATA_FOLDER/docker" || true
  sudo semanage fcontext -d "$HOST_STORAGE_PATH" || true
  must sudo semanage fcontext -a -e /var/lib/containers/storage "$DATA_FOLDER/docker"
  must sudo semanage fcontext -a -e /srv/containers "$HOST_STORAGE_PATH"
  must sudo semanage fcontext -a -t container_var_run_t "$HOST_DOCKER_HOST"
  must sudo setsebool -P container_use_devices 1
  # These two files stay in the working folder.
  must sudo checkmodule -M -m -o ece.mod ece_selinux_module.te
  must sudo semodule_package -o ece.pp -m ece.mod
  must sudo semodule -X 300 -i ece.pp
  must sudo restorecon -R -v "$DATA_FOLDER"
  must sudo restorecon -R -v "$DATA_FOLDER/docker"
  must sudo restorecon -v "$HOST_DOCKER_HOST"
  if [[ -d $HOST_STORAGE_PATH ]]; then must sudo restorecon -R -v "$HOST_STORAGE_PATH"; fi
fi

[[ -S $HOST_DOCKER_HOST ]] || refuse 5 "ECE could not verify the Docker socket ($HOST_DOCKER_HOST). "$'\n'"To resolve the \
issue, verify that the engine runs on this host and that this is its socket."

if (($(id -u) < 1000 || $(id -g) < 1000)); then
  refuse 4 "The UID or GID must not be smaller than 1000."
fi
# For Podman too, the user's engine is asked by the name docker and without the given socket. Only a user outside the
# group docker is said to be so.
if ! docker ps >/dev/null 2>&1; then
  [[ " $(id -nG 2>/dev/null) " == *" docker "* ]] || coloured 33 "The user is not a member of the docker group."
  [[ $FORCE_INSTALL == true ]] ||
    refuse 4 "To resolve the issue, add the user to the docker group or install as another one."
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
    [[ $FORCE_INSTALL == true ]] || refuse 5 "The firewalld service is active. Stop it, or use --force."
  fi
  HOST_PREREQ_FAILED=true
  coloured 33 "The firewalld service may interfere with the installation of ECE. If so, disable it and install again."
fi

LOG_FILE=$HOST_STORAGE_PATH/logs/bootstrap-logs/elastic-cloud-enterprise.log
[[ -e $LOG_FILE ]] || { mkdir -p "${LOG_FILE%/*}" && touch "$LOG_FILE"; } || exit 1 # since 4.0

# The operating systems and engines that a release accepts, by release. One without an entry is like the nearest lower
# one. Docker is compared with its minor version, Podman without.
declare -A ECE_compatibility
ECE_compatibility["2.13"]="CentOS-7_Docker-20.10 CentOS-8_Docker-19.03 CentOS-8_Docker-20.10 RHEL-7_Docker-20.10 RHEL-8_Docker-19.03 RHEL-8_Docker-20.10 Ubuntu-16.04_Docker-19.03 Ubuntu-18.04_Docker-19.03 SLES-12_Docker-18.09" # since 4.0
ECE_compatibility["3.3"]="CentOS-7_Docker-20.10 CentOS-8_Docker-19.03 CentOS-8_Docker-20.10 RHEL-7_Docker-20.10 RHEL-8_Docker-19.03 RHEL-8_Docker-20.10 RHEL-8_Podman-4 Ubuntu-18.04_Docker-19.03 Ubuntu-20.04_Docker-20.10 SLES-12_Docker-18.09 SLES-15_Docker-20.10" # since 4.0
ECE_compatibility["3.4"]="CentOS-7_Docker-20.10 CentOS-8_Docker-20.10 RHEL-7_Docker-20.10 RHEL-8_Docker-20.10 RHEL-8_Podman-4 Ubuntu-18.04_Docker-19.03 Ubuntu-20.04_Docker-20.10 SLES-12_Docker-18.09 SLES-15_Docker-20.10" # since 4.0
ECE_compatibility["3.7"]="RHEL-8_Podman-4 RHEL-9_Podman-4 RockyLinux-8_Podman-4 Ubuntu-20.04_Docker-20.10 Ubuntu-20.04_Docker-24.0 Ubuntu-22.04_Docker-24.0 SLES-12_Docker-18.09 SLES-12_Docker-24.0 SLES-15_Docker-20.10 SLES-15_Docker-24.0" # since 4.0
ECE_compatibility["3.8"]="RHEL-8_Podman-4 RHEL-9_Podman-4 RHEL-9_Podman-5 RockyLinux-8_Podman-4 RockyLinux-9_Podman-5 Ubuntu-20.04_Docker-20.10 Ubuntu-20.04_Docker-24.0 Ubuntu-20.04_Docker-25.0 Ubuntu-22.04_Docker-24.0 Ubuntu-22.04_Docker-25.0 SLES-12_Docker-24.0 SLES-12_Docker-25.0 SLES-15_Docker-24.0 SLES-15_Docker-25.0" # since 4.0
ECE_compatibility["4.0"]="RHEL-8_Podman-4 RHEL-9_Podman-4 RHEL-9_Podman-5 RockyLinux-8_Podman-4 RockyLinux-9_Podman-5 Ubuntu-20.04_Docker-25.0 Ubuntu-20.04_Docker-26.0 Ubuntu-20.04_Docker-27.0 Ubuntu-22.04_Docker-25.0 Ubuntu-22.04_Docker-26.0 Ubuntu-22.04_Docker-27.0 Ubuntu-24.04_Docker-26.0 Ubuntu-24.04_Docker-27.0 SLES-12_Docker-25.0 SLES-15_Docker-25.0" # since 4.0
ECE_compatibility["4.2"]="RHEL-8_Podman-4 RHEL-9_Podman-4 RHEL-9_Podman-5 RHEL-10_Podman-5 RockyLinux-8_Podman-4 RockyLinux-9_Podman-5 Ubuntu-20.04_Docker-27.0 Ubuntu-20.04_Docker-27.1 Ubuntu-20.04_Docker-27.2 Ubuntu-20.04_Docker-27.3 Ubuntu-20.04_Docker-27.4 Ubuntu-20.04_Docker-27.5 Ubuntu-22.04_Docker-25.0 Ubuntu-24.04_Docker-29.3 Ubuntu-24.04_Docker-29.4 Ubuntu-24.04_Docker-29.5 Ubuntu-24.04_Docker-29.6 Ubuntu-24.04_Docker-29.7 Ubuntu-24.04_Docker-29.8 Ubuntu-24.04_Docker-29.9 SLES-15_Docker-25.0 SLES-15_Docker-29.3 SLES-15_Docker-29.4 SLES-15_Docker-29.5 SLES-15_Docker-29.6 SLES-15_Docker-29.7 SLES-15_Docker-29.8 SLES-15_Docker-29.9" # since 4.2

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

# os_release NAME: print a value of /etc/os-release. As in the real script, a variable begins only after a value that is
# quoted, so one after `ID=ubuntu` is not found.
os_release() {
  local text line
  text=$(<"$OS_RELEASE")
  text=${text//$'\n'/ }
  while IFS= read -r line; do
    if [[ $line == "$1="* ]]; then line=${line#*=} line=${line%%=*}; printf '%s' "${line//\"/}"; return; fi
  done <<<"${text//'" '/$'"\n'}"
}

# this_system: print the operating system as the matrix spells it. It goes by NAME, and has none for other systems.
this_system() {
  local name release
  name=$(os_release NAME) release=$(os_release VERSION_ID)
  case $name in
    *Ubuntu*) printf 'Ubuntu-%s' "$release" ;;
    *"Red Hat Enterprise"*) printf 'RHEL-%s' "${release%.*}" ;;
    *Rocky*) printf 'RockyLinux-%s' "${release%.*}" ;;
    *CentOS*) printf 'CentOS-%s' "${release%.*}" ;;
    *SLES*) printf 'SLES-%s' "${release%.*}" ;;
    *) printf '%s' - ;;
  esac
}

# this_engine: print the engine as the matrix spells it. An engine that fails has no version.
this_engine() {
  local version
  if [[ $CONTAINER_ENGINE == podman ]]; then
    version=$(engine version --format '{{.Version}}')
    printf 'Podman-%s' "${version%%.*}"
  else
    version=$(engine --version)
    version=${version#Docker version }
    version=${version%,*}
    printf 'Docker-%s' "${version%.*}"
  fi
}

if [[ ${#ECE_compatibility[@]} != 0 ]]; then
  log_message "Validating ECE version ${WANTED_VERSION%.*} compatibility with OS and Docker/Podman."
  HOST_SYSTEM=$(this_system) HOST_ENGINE=$(this_engine)
  if [[ $SKIP_MATRIX == 1 || ${SKIP_CLOUD_ENTERPRISE_VERSION_CHECK:-} == true ]]; then
    log_message "Skipping the validation of ECE - OS - Docker/Podman compatibility."
  elif [[ " $(accepted_by "$WANTED_VERSION") " == *" ${HOST_SYSTEM}_$HOST_ENGINE "* ]]; then
    log_message "Verified that ECE version $WANTED_VERSION is compatible with $HOST_SYSTEM and $HOST_ENGINE."
  else
    log_message "ECE version $WANTED_VERSION is not compatible with $HOST_SYSTEM and $HOST_ENGINE. Please consult the \
support matrix."
    exit 1
  fi
fi

# The name of the user comes from the environment, which may not have it.
if [[ ! -e $HOST_STORAGE_PATH ]]; then mkdir -p "$HOST_STORAGE_PATH" || exit 1; fi
for right in read write; do
  if [[ ($right == read && ! -r $HOST_STORAGE_PATH) || ($right == write && ! -w $HOST_STORAGE_PATH) ]]; then
    coloured 31 "Host storage path $HOST_STORAGE_PATH exists but doesn't have $right permissions for user '${USER:-}'."
    refuse 1 "Please supply the correct permissions for the path."
  fi
done

no_host_ip() { refuse 1 "Can't determine a default HOST_IP$1. Please supply '--host-ip' with the address of this host."; }

# As in the real script, nothing is quoted: it takes the fifth word of each default route, which an on-link route does
# not have or has for something else, and all addresses of that interface.
# shellcheck disable=SC2046,SC2086
if [[ -z ${HOST_IP:-} ]]; then
  has ip || no_host_ip " ('ip' tool can't be found)"
  DEVICE=$(ip -4 route show default | cut -d' ' -f5)
  if [ ! -z $DEVICE ]; then
    ADDRESSES=$(ip -4 -o addr show dev $DEVICE) || exit 1
    HOST_IP=$(printf '%s\n' "$ADDRESSES" | tr -s ' ' | cut -d' ' -f4 | cut -d/ -f1)
    [[ -n $HOST_IP ]] || exit 1
  else
    no_host_ip " (the default gateway was not found)"
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
for key in COORDINATOR_HOST RUNNER_ROLES_TOKEN RUNNER_ROLES HOST_STORAGE_PATH RUNNER_ID HOST_IP AVAILABILITY_ZONE \
  CAPACITY MEMORY_SETTINGS ALLOCATOR_TAGS PROXY_TAGS CONFIG_FILE FORCE_INSTALL HOST_PREREQ_FAILED CONTAINER_ENGINE \
  PROXY_PROTOCOL_VERSION PROXY_PROTOCOL_LENIENT; do
  # shellcheck disable=SC2206
  FORWARDED+=(--env $key=${!key:-})
done
# Each with the container's name for it. The default of the last one ends at the first brace, so the second one follows
# any value.
# shellcheck disable=SC2206
FORWARDED+=(--env ECE_TIMEOUT_FACTOR=$TIMEOUT_FACTOR
  ${RUNNER_EXTERNAL_HOSTNAME:+--env RUNNER_EXTERNAL_HOSTNAME=$RUNNER_EXTERNAL_HOSTNAME}
  ${RUNNER_EXTERNAL_HOSTNAME:+--env HOST_DNS_NAMES=$RUNNER_EXTERNAL_HOSTNAME}
  ${API_BASE_URL:+--env ECE_ADMIN_CONSOLE_API_BASE_URL=$API_BASE_URL}
  --env RUNNER_ENVIRONMENT_METADATA_JSON=${RUNNER_ENVIRONMENT_METADATA_JSON:-{}})
# With --debug the token is in the output, which the real script may do, too.
if [[ ${DEBUG:-} == true ]]; then printf '%s\n' "Running $CONTAINER_ENGINE run ${FORWARDED[*]} $IMAGE"; fi
if [[ -n $STATE && -w $STATE ]]; then
  for argument in "${FORWARDED[@]}"; do
    [[ $argument == --env ]] || without_token "$argument"
  done >"$STATE/last-container-environment"
fi

# What the container prints is the last that is printed, and its exit code is that of the script.
engine run --rm -i --name elastic-cloud-enterprise-installer -p 22000:22000 -p 21000:21000 -p 20000:20000 \
  -v "$HOST_DOCKER_HOST:/run/docker.sock" -v "$HOST_STORAGE_PATH:$HOST_STORAGE_PATH" "${FORWARDED[@]}" "$IMAGE" \
  elastic-cloud-enterprise-installer
