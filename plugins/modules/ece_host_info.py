#!/usr/bin/python

# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type  # the host's Python may be 3.6, which has no annotations import

DOCUMENTATION = r"""
module: ece_host_info
short_description: Gather facts about a host and check the requirements of ECE
version_added: 1.0.0
description:
  - Gathers the facts that decide whether C(elastic-cloud-enterprise.sh install) accepts this host, and lists what ECE
    runs on it.
  - Compares them with the requirements of the installer and of ECE, such as operating system and container engine,
    user, socket, ports and
    memory, so that a host that the installer would refuse is known before anything is changed.
  - C(docs/checks.md) in the collection lists all of these rules with their sources.
  - Runs on the host, best as root, and needs only Python 3.6 there.
author:
  - The ece.platform authors (@ece-platform)
extends_documentation_fragment:
  - ece.platform.attributes
  - ece.platform.attributes.info_module
options:
  user:
    description:
      - User that the installer will run as.
    type: str
    default: elastic
  roles:
    description:
      - Roles that the host will get.
    type: list
    elements: str
    choices: [allocator, coordinator, director, proxy]
    default: [allocator]
  version:
    description:
      - Version of ECE that the host will run. Without it, the rules that depend on the version do not apply.
    type: str
  container_engine:
    description:
      - Container engine of the host. The default is V(docker) if the host has it, else V(podman).
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
      - Folder that ECE keeps its data in. It need not exist yet.
    type: path
    default: /mnt/data/elastic
  state_path:
    description:
      - O(ece.platform.ece_install#module:state_path), where root finds the record of the last install.
    type: path
    default: /var/lib/ece-install
    version_added: 1.1.0
  host_ip:
    description:
      - Address of the host in the platform. The installer's default is that of the default route's interface.
    type: str
  force:
    description:
      - Whether the installer will run with C(--force), which makes it skip some of its checks.
    type: bool
    default: false
  selinux:
    description:
      - Whether the installer will run with C(--selinux).
    type: bool
    default: false
  skip_checks:
    description:
      - Checks whose rules do not apply, or V(all). For example V(os) for an operating system that a new version
        supports.
    type: list
    elements: str
    choices: [all, disk, engine, firewalld, host_ip, installer, memory, os, ports, selinux, socket, storage, user]
    default: []
  installer_url:
    description:
      - Address that the installer will be downloaded from. The module reads it to compare version and checksum, and
        does not keep it.
    type: str
  installer_checksum:
    description:
      - Checksum that the installer must have, like
        V(sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03).
    type: str
  installer_ca_path:
    description:
      - File on the host with the CA certificates for O(installer_url), if the system does not have them.
    type: path
  installer_proxy:
    description:
      - URL of an HTTP proxy for the download from O(installer_url), like V(http://proxy.example.com:3128).
      - Without it, the download uses the proxy in the environment of the task.
    type: str
    version_added: 1.1.0
seealso:
  - module: ece.platform.ece_install
"""

EXAMPLES = r"""
- name: Check whether ECE 3.8.0 accepts this host as an allocator
  ece.platform.ece_host_info:
    version: 3.8.0
  become: true
  register: host
"""

RETURN = r"""
problems:
  description: Reasons for which the installer refuses this host, each a sentence with its remedy. Empty for a host
    that may join.
  returned: success
  type: list
  elements: str
  sample: ["There is no socket /var/run/docker.sock: start the container engine, or set docker_socket."]
warnings_found:
  description: Requirements of ECE that the host does not meet and that the installer does not refuse, each a sentence.
  returned: success
  type: list
  elements: str
  sample: ["vm.max_map_count is 65530; Elasticsearch needs 262144 or more: set it with sysctl."]
facts:
  description: Facts of the host.
  returned: success
  type: dict
  contains:
    os:
      description: The operating system.
      type: dict
      contains:
        id:
          description: Its C(ID) in C(/etc/os-release); empty if that has none.
          type: str
        version:
          description: Its C(VERSION_ID) in C(/etc/os-release); empty if that has none.
          type: str
        matrix_name:
          description: Its name in ECE's support matrix.
          type: str
    kernel:
      description: Release of the kernel.
      type: str
    hostname:
      description: Name of the host.
      type: str
    python:
      description: The Python that runs the module.
      type: dict
      contains:
        version:
          description: Its version.
          type: str
        executable:
          description: Its path.
          type: str
    user:
      description: The install user; null if it does not exist.
      type: dict
      contains:
        name:
          description: Name of the user.
          type: str
        uid:
          description: Number of the user.
          type: int
        gid:
          description: Number of the user's primary group.
          type: int
        home:
          description: Home folder of the user.
          type: str
        groups:
          description: Names of all groups of the user; a number for a group without a name.
          type: list
          elements: str
    effective_uid:
      description: UID that the module runs as.
      type: int
    engine:
      description: The container engine and its containers.
      type: dict
      contains:
        name:
          description: V(docker) or V(podman); null if the host has neither.
          type: str
        version:
          description: Version of the engine's client; null if it is not known.
          type: str
        usable:
          description: Whether the install user can list containers.
          type: bool
        error:
          description: Why the install user cannot; null if it can.
          type: str
        docker_command:
          description: Whether there is a C(docker) command.
          type: bool
        containers:
          description: All containers, running or not.
          type: list
          elements: dict
          contains:
            name:
              description: Name of the container.
              type: str
            image:
              description: Image of the container.
              type: str
            status:
              description: Its status, as the engine prints it.
              type: str
        containers_known:
          description: Whether the engine listed its containers. With V(false) an empty list proves nothing.
          type: bool
        containers_error:
          description: Why the engine did not list them; null if it did.
          type: str
    socket:
      description: The socket of the container engine.
      type: dict
      contains:
        path:
          description: Its path.
          type: str
        is_socket:
          description: Whether there is a socket.
          type: bool
    containers:
      description: Names of all containers.
      type: list
      elements: str
    containers_known:
      description: Whether the engine listed its containers. With V(false) empty lists of containers prove nothing.
      type: bool
    ece_containers:
      description: Names of ECE's containers, those of deployments included.
      type: list
      elements: str
    installer_running:
      description: Whether an installer runs for this storage path.
      type: bool
    last_install:
      description: The last install by this collection; null if there was none.
      type: dict
      contains:
        rc:
          description: Exit code of the installer; null if it runs or was interrupted.
          type: int
        started:
          description: Its start, in seconds since the epoch.
          type: float
        age_seconds:
          description: Seconds since its end; null if it runs or was interrupted.
          type: float
        running:
          description: Whether the installer runs and is supervised.
          type: bool
        token_id:
          description: Id of the persistent token that it was started with; null for another token.
          type: str
    busy_ports:
      description: Those of the TCP ports 20000, 21000 and 22000 that a process listens on.
      type: list
      elements: int
    port_users:
      description: The processes that listen on them, with their pids, as far as the module may see them.
      type: list
      elements: str
    memory:
      description: Memory of the host.
      type: dict
      contains:
        total_mb:
          description: All memory, in MB.
          type: int
        available_mb:
          description: Memory that programs can use without swapping, in MB.
          type: int
    storage:
      description: The disk with the storage path.
      type: dict
      contains:
        path:
          description: The storage path.
          type: str
        existing_parent:
          description: The nearest existing folder above the storage path, or the storage path itself.
          type: str
        free_gb:
          description: Free space, in GB (1000 MB).
          type: int
        filesystem:
          description: Type of the file system; empty if it is not known.
          type: str
        read_only:
          description: Whether it is mounted read-only.
          type: bool
        writable:
          description: Whether the install user can read and write there.
          type: bool
    default_interface:
      description: Network interface of the default route; null if there is no default route.
      type: str
    firewalld_active:
      description: Whether firewalld is active.
      type: bool
    selinux_enforcing:
      description: Whether SELinux is enforcing.
      type: bool
    cgroup_version:
      description: Version of cgroup, V(1) or V(2).
      type: int
    max_map_count:
      description: Value of C(vm.max_map_count); V(0) if it is not known.
      type: int
  sample:
    os: {id: ubuntu, version: "22.04", matrix_name: Ubuntu-22.04}
    kernel: 5.15.0-119-generic
    hostname: alloc-7
    python: {version: 3.10.12, executable: /usr/bin/python3}
    user: {name: elastic, uid: 1000, gid: 1000, home: /home/elastic, groups: [docker, elastic]}
    effective_uid: 0
    engine:
      name: docker
      version: 25.0.5
      usable: true
      error: null
      docker_command: true
      containers: []
      containers_known: true
      containers_error: null
    socket: {path: /var/run/docker.sock, is_socket: true}
    containers: []
    containers_known: true
    ece_containers: []
    installer_running: false
    last_install: null
    busy_ports: []
    port_users: []
    memory: {total_mb: 257000, available_mb: 250000}
    storage:
      path: /mnt/data/elastic
      existing_parent: /mnt/data
      free_gb: 8000
      filesystem: xfs
      read_only: false
      writable: true
    default_interface: eth0
    firewalld_active: false
    selinux_enforcing: false
    cgroup_version: 1
    max_map_count: 262144
installer:
  description: The installer at O(installer_url).
  returned: O(installer_url) is set, the check V(installer) is not skipped, and the installer could be downloaded
  type: dict
  contains:
    version:
      description: Version of ECE that it installs by default; null if the file is not the installer.
      type: str
    checksum:
      description: Its checksum, of the kind of O(installer_checksum) or else C(sha256).
      type: str
  sample: {version: 3.8.0, checksum: "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._host_facts import gather
from ansible_collections.ece.platform.plugins.module_utils._host_options import HOST_INFO_OPTIONS
from ansible_collections.ece.platform.plugins.module_utils._host_process import explain_os_error
from ansible_collections.ece.platform.plugins.module_utils._host_rules import check_requirements, is_skipped
from ansible_collections.ece.platform.plugins.module_utils._install_options import argument_spec, arguments
from ansible_collections.ece.platform.plugins.module_utils._installer_file import check_source, inspect_download


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(HOST_INFO_OPTIONS), supports_check_mode=True)
    params = module.params
    url, checksum = params["installer_url"], params["installer_checksum"]
    try:
        arguments({option.name: params[option.name] for option in HOST_INFO_OPTIONS if option.check})
        check_source(url, checksum)
    except OptionError as error:
        module.fail_json(msg=str(error))
    try:
        facts = gather(params)
    except OSError as error:
        module.fail_json(msg=explain_os_error(error))
    is_inspected = url and not is_skipped("installer", params)
    installer, installer_problems = (
        inspect_download(url, params["installer_ca_path"], checksum, params["version"], params["installer_proxy"])
        if is_inspected
        else (None, [])
    )
    problems, warnings = check_requirements(dict(facts, installer_problems=installer_problems), params)
    result = {"installer": installer} if installer else {}
    module.exit_json(changed=False, facts=facts, problems=problems, warnings_found=warnings, **result)


if __name__ == "__main__":
    main()
