#!/usr/bin/python

# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type  # the host's Python may be 3.6, which has no annotations import

DOCUMENTATION = r"""
module: ece_host_info
short_description: Learn what joining an ECE platform needs to know about a host
version_added: 1.0.0
description:
  - Gathers what decides whether C(elastic-cloud-enterprise.sh install) will accept this host, and what runs on it already.
  - Compares it with the installer's own rules (operating system and engine for a version of ECE, user, socket, ports, memory and so on),
    so that a host that would be refused is known before anything is changed.
  - Runs on the host, best as root. Needs nothing but Python 3.6 there.
author:
  - The ece.platform authors (@ece-platform)
extends_documentation_fragment:
  - ece.platform.attributes
  - ece.platform.attributes.info_module
options:
  user:
    description:
      - User that the installer is to run as.
    type: str
    default: elastic
  roles:
    description:
      - Roles that the host is to get.
    type: list
    elements: str
    choices: [allocator, coordinator, director, proxy]
    default: [allocator]
  version:
    description:
      - Version of ECE that the host is to run, for the rules that depend on it. Without it they are left out.
    type: str
  container_engine:
    description:
      - Container engine to look at. By default C(docker) where it is there, else C(podman).
    type: str
    choices: [docker, podman]
  bin_paths:
    description:
      - Folders to search for the engine's command before the system's own.
    type: list
    elements: path
    default: []
  docker_socket:
    description:
      - Socket of the container engine.
    type: path
    default: /var/run/docker.sock
  storage_path:
    description:
      - Folder that ECE keeps its data in, or will.
    type: path
    default: /mnt/data/elastic
  host_ip:
    description:
      - Address that the host is to be known by. Without it the installer takes that of the default route's interface.
    type: str
  force:
    description:
      - Whether the installer will be run with C(--force), which makes it pass over some rules.
    type: bool
    default: false
  selinux:
    description:
      - Whether the installer will be run with C(--selinux).
    type: bool
    default: false
  skip_checks:
    description:
      - Rules not to apply, or V(all). For when you know better, say for an operating system that a new version supports.
    type: list
    elements: str
    choices: [all, disk, engine, firewalld, host_ip, installer, memory, os, ports, selinux, socket, storage, user]
    default: []
  installer_url:
    description:
      - Where the installer will be downloaded from. It is read here, and not kept, to compare version and checksum.
    type: str
  installer_checksum:
    description:
      - Checksum that the installer must have, like V(sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03).
    type: str
  installer_ca_path:
    description:
      - File on the host with the CA certificates for O(installer_url), where the system does not know them.
    type: path
seealso:
  - module: ece.platform.ece_install
"""

EXAMPLES = r"""
- name: Would this host be accepted as an allocator of ECE 3.8.0
  ece.platform.ece_host_info:
    version: 3.8.0
  become: true
  register: host
"""

RETURN = r"""
problems:
  description: What makes the installer refuse this host, each a sentence with what to do. Empty for a host that may join.
  returned: success
  type: list
  elements: str
  sample: ["There is no socket /var/run/docker.sock: start the container engine, or set docker_socket."]
warnings_found:
  description: What the installer or ECE only warns of.
  returned: success
  type: list
  elements: str
  sample: ["vm.max_map_count is 65530; Elasticsearch needs 262144 or more."]
facts:
  description:
    - What was found. Memory is in MB, disk space in GB.
    - With C(containers_known) false the container engine did not answer, and an empty C(ece_containers) says nothing.
  returned: success
  type: dict
  sample:
    os: {id: ubuntu, version: "22.04", matrix_name: Ubuntu-22.04}
    engine: {name: docker, version: 25.0.5, usable: true, error: null, docker_command: true, containers: [], containers_known: true, containers_error: null}
    containers_known: true
    user: {name: elastic, uid: 1000, gid: 1000, home: /home/elastic, groups: [docker, elastic]}
    ece_containers: []
    installer_running: false
    last_install: null
    memory: {total_mb: 257000, available_mb: 250000}
installer:
  description: Version and checksum of the installer at O(installer_url).
  returned: O(installer_url) is given
  type: dict
  sample: {version: 3.8.0, checksum: "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.ece.platform.plugins.module_utils import _host as host
from ansible_collections.ece.platform.plugins.module_utils import _installer as installer
from ansible_collections.ece.platform.plugins.module_utils._ece import (
    DEFAULT_SOCKET,
    DEFAULT_STORAGE_PATH,
    INSTALLER_CONTAINER,
    ROLES,
)
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._installer_file import (
    check_source,
    checksum_problem,
    download,
    version_problem,
)


def look_at_installer(params):
    """(facts of the installer at the URL or None, problems)"""
    if not params["installer_url"]:
        return None, []
    try:
        content = download(params["installer_url"], params["installer_ca_path"])
    except OptionError as error:
        return None, [str(error)]
    where = "the installer at " + params["installer_url"]
    found, problem = checksum_problem(content, params["installer_checksum"], where)
    problems = [problem, version_problem(content, params["version"], where)]
    version = installer.script_version(content.decode("utf-8", "replace"))
    return {"version": version, "checksum": found}, [problem for problem in problems if problem]


def main():
    module = AnsibleModule(
        argument_spec={
            "user": {"type": "str", "default": "elastic"},
            "roles": {"type": "list", "elements": "str", "choices": list(ROLES), "default": ["allocator"]},
            "version": {"type": "str"},
            "container_engine": {"type": "str", "choices": ["docker", "podman"]},
            "bin_paths": {"type": "list", "elements": "path", "default": []},
            "docker_socket": {"type": "path", "default": DEFAULT_SOCKET},
            "storage_path": {"type": "path", "default": DEFAULT_STORAGE_PATH},
            "host_ip": {"type": "str"},
            "force": {"type": "bool", "default": False},
            "selinux": {"type": "bool", "default": False},
            "skip_checks": {"type": "list", "elements": "str", "choices": ["all"] + list(host.CHECKS), "default": []},
            "installer_url": {"type": "str"},
            "installer_checksum": {"type": "str"},
            "installer_ca_path": {"type": "path"},
        },
        supports_check_mode=True,
    )
    params = module.params
    try:
        installer.arguments(
            {key: params[key] for key in ("roles", "version", "user", "docker_socket", "storage_path", "host_ip")}
        )
        check_source(params["installer_url"], params["installer_checksum"])
    except OptionError as error:
        module.fail_json(msg=str(error))
    facts = host.gather(params, installer.log_paths(params["storage_path"]), DEFAULT_STORAGE_PATH, INSTALLER_CONTAINER)
    problems, warnings = host.judge(facts, params)
    result = {"changed": False, "facts": facts}
    if "installer" not in params["skip_checks"] and "all" not in params["skip_checks"]:
        found, installer_problems = look_at_installer(params)
        problems += installer_problems
        if found:
            result["installer"] = found
    module.exit_json(problems=problems, warnings_found=warnings, **result)


if __name__ == "__main__":
    main()
