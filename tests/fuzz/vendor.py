# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the vendor's script reads its arguments: a model of its parser, and the stand-in's own shell code to check the model with.

The script hands each value on without quotes and evaluates it between single ones. So a value is cut at its first blank, filled with
file names where it is a pattern, run where it holds a single quote; and what is left must neither be empty nor begin with two dashes.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Sequence

STANDIN = Path(__file__).resolve().parents[1] / "standin" / "files" / "elastic-cloud-enterprise.sh"

# Of both sorts, as the script's documentation and its own help have them; some are in neither.
VALUED = {
    "--coordinator-host": "COORDINATOR_HOST",
    "--roles-token": "ROLES_TOKEN",
    "--roles": "ROLES",
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
    "--external-hostname": "EXTERNAL_HOSTNAME",
    "--api-base-url": "API_BASE_URL",
    "--proxy-tags": "PROXY_TAGS",
    "--environment-metadata": "ENVIRONMENT_METADATA",
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
    """Exit code 3: nothing has happened to the host."""


class Misread(Exception):
    """Something else than what was given would go on, or be run."""


def read(argv: Sequence[str]) -> dict[str, str]:
    """Flag to the value that goes on, which for a switch is "true". Raises Refused or Misread."""
    if re.search("[\0\ud800-\udfff]", "".join(argv)):
        raise Misread("no argument can hold this")
    found, words = {}, list(argv)
    while words:
        flag = words.pop(0)
        if flag in SWITCHES:
            found[flag] = "true"
        elif flag in VALUED:
            found[flag] = _assigned(words.pop(0) if words else "")
        else:
            raise Refused(f"Unknown argument {flag}")
    return found


def _assigned(value: str) -> str:
    """What is left of a value once the script has passed it on and evaluated it."""
    word = next(
        iter(re.split("[ \t\n]+", value.strip(" \t\n")))
    )  # IFS knows these three, and no blank of other scripts
    if re.search(r"[*?\\]", word):
        raise Misread(f"file names, for {word}")
    if not word or word.startswith("--"):
        raise Refused("Argument must not be empty")
    if "'" in word:
        raise Misread(f"run, from its quote on: {word}")
    return word


# -- the same by a shell ---------------------------------------------------------------------------------------------------

_DUMP = 'for name in {names}; do [[ -v $name ]] && printf "%s=%s\\0" "$name" "${{!name}}"; done; exit 0'


def read_by_shell(argv: Sequence[str], folder: Path) -> dict[str, str]:
    """As `read`, by the part of the stand-in's script that reads arguments, in an empty folder. For argv without a quote to run."""
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
        timeout=30,
    )
    if done.returncode == 3:
        raise Refused("by the script")
    assert done.returncode == 0, done
    pairs = (entry.split("=", 1) for entry in done.stdout.decode().split("\0") if entry)
    return {names[name]: value for name, value in pairs}
