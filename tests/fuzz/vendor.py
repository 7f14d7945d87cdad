# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the vendor's script reads its arguments: a model of its parser, and the stand-in's shell code to check the model.

The script passes each value on without quotes and evaluates it between single ones. So a value is cut at its first
blank, a pattern becomes file names, and text behind a single quote is run. The rest of the value must not be empty or
begin with two dashes.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Sequence

STANDIN = Path(__file__).resolve().parents[1] / "standin" / "files" / "elastic-cloud-enterprise.sh"

# Arguments with a value and switches, from the script's documentation and its help text; some are in neither.
VALUED = {
    "--coordinator-host": "COORDINATOR_HOST",
    "--roles-token": "RUNNER_ROLES_TOKEN",
    "--roles": "RUNNER_ROLES",
    "--cloud-enterprise-version": "WANTED_VERSION",
    "--host-storage-path": "HOST_STORAGE_PATH",
    "--host-docker-host": "HOST_DOCKER_HOST",
    "--docker-registry": "DOCKER_REGISTRY",
    "--ece-docker-repository": "ECE_DOCKER_REPOSITORY",
    "--runner-id": "RUNNER_ID",
    "--host-ip": "HOST_IP",
    "--availability-zone": "AVAILABILITY_ZONE",
    "--capacity": "CAPACITY",
    "--memory-settings": "MEMORY_SETTINGS",
    "--timeout-factor": "TIMEOUT_FACTOR",
    "--allocator-tags": "ALLOCATOR_TAGS",
    "--external-hostname": "RUNNER_EXTERNAL_HOSTNAME",
    "--api-base-url": "API_BASE_URL",
    "--proxy-tags": "PROXY_TAGS",
    "--environment-metadata": "RUNNER_ENVIRONMENT_METADATA_JSON",
    "--config-file": "CONFIG_FILE",
    "--client-forwarder-observers-tag": "CLIENT_FORWARDER_OBSERVERS_TAG",
    "--latest-stack-pre-release": "LATEST_STACK_PRE_RELEASE",
    "--previous-stack-pre-release": "PREVIOUS_STACK_PRE_RELEASE",
}
SWITCHES = {
    "--overwrite-existing-image": "OVERWRITE_EXISTING_IMAGE",
    "--debug": "DEBUG",
    "--force": "FORCE_INSTALL",
    "--podman": "PODMAN",
    "--selinux": "SELINUX",
    "--skip-cloud-enterprise-version-check": "SKIP_CLOUD_ENTERPRISE_VERSION_CHECK",
}


class Refused(Exception):
    """The script exits with 3 and does not change the host."""


class Misread(Exception):
    """The script would pass on or run another text than the given one."""


def read(argv: Sequence[str]) -> dict[str, str]:
    """The value that is passed on for each flag, "true" for a switch. Raises Refused or Misread."""
    if re.search("[\0\ud800-\udfff]", "".join(argv)):
        raise Misread("no argument can hold this")
    found, rest = {}, list(argv)
    while rest:
        flag = rest.pop(0)
        if flag in SWITCHES:
            found[flag] = "true"
        elif flag in VALUED:
            found[flag] = _assigned(rest.pop(0) if rest else "")
        else:
            raise Refused(f"Unknown argument {flag}")
    return found


def _assigned(value: str) -> str:
    """The rest of a value after the script has passed it on and evaluated it."""
    rest = next(iter(re.split("[ \t\n]+", value.strip(" \t\n"))))  # IFS has these three blanks and no others
    if re.search(r"[*?\\]", rest):
        raise Misread(f"file names, for {rest}")
    if not rest or rest.startswith("--"):
        raise Refused("Argument must not be empty")
    if "'" in rest:
        raise Misread(f"run, from its quote on: {rest}")
    return rest


# -- the same, by a shell --------------------------------------------------------------------------------------------

_DUMP = 'for name in {names}; do [[ -v $name ]] && printf "%s=%s\\0" "$name" "${{!name}}"; done; exit 0'


def read_by_shell(argv: Sequence[str], folder: Path) -> dict[str, str]:
    """The result of `read` by the stand-in's script in an empty folder. No argument may hold a quote that would run."""
    text = STANDIN.read_text(encoding="utf-8")
    parser = text[text.index("assign() {") : text.index("HOST_STORAGE_PATH=${")]
    names = {name: flag for flags in (VALUED, SWITCHES) for flag, name in flags.items()}
    script = "\n".join(
        ['refuse() { exit "$1"; }', "without_token() { :; }", parser, _DUMP.format(names=" ".join(names))]
    )
    command = ["bash", "-c", script, "bash", "install", *argv]
    done = subprocess.run(
        command,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        stdout=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    if done.returncode == 3:
        raise Refused("by the script")
    assert done.returncode == 0, done
    pairs = (entry.split("=", 1) for entry in done.stdout.decode().split("\0") if entry)
    return {names[name]: value for name, value in pairs}
