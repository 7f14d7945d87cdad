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
  - R(Checks of a host,ansible_collections.ece.platform.docsite.checks) lists all of these rules with their sources.
  - Runs on the host, best as root, and needs only Python 3.6 there. SLES 12 has Python 3.4, so that package C(python36)
    and C(ansible_python_interpreter) are needed there.
  - Connects to the coordinator, to O(directors) and to the registry, for 2 seconds at most, unless the check V(network)
    is skipped.
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
  host_ip:
    description:
      - IPv4 address of the host in the platform, which must be one of the host's own.
      - The default is RV(facts.host_ip), which is the first of O(addresses) that is one of the host's own, or else the
        only address of the default route's interface. Where there are both and they differ, it is not clear which of
        them ECE has to use, and the check V(host_ip) asks for it.
    type: str
  addresses:
    description:
      - Addresses and names by which the controller knows the host, like C(ansible_host) and its name in the inventory.
        The first one that is an IPv4 address of the host is its address in the platform, unless O(host_ip) is set or
        the default route goes by another one.
    type: list
    elements: str
    default: []
  coordinator_host:
    description:
      - Address of a coordinator, as the host reaches it. Without it, no connection to a coordinator is checked.
    type: str
  directors:
    description:
      - Addresses of hosts with the role director, as the host reaches them. The first five of them are checked.
    type: list
    elements: str
    default: []
  docker_registry:
    description:
      - Registry that the installer will pull images from.
    type: str
    default: docker.elastic.co
  controller_time:
    description:
      - Clock of the controller when it called the module, in seconds since 1970. Without it, the host's clock is not
        checked.
    type: float
  capacity:
    description:
      - Memory in MB that the allocator may give to deployments. Without it, it is not compared with the host's memory.
    type: int
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
    choices:
      - all
      - clock
      - disk
      - engine
      - firewalld
      - host_ip
      - installer
      - kernel
      - leftovers
      - limits
      - memory
      - network
      - os
      - ports
      - selinux
      - socket
      - storage
      - user
    default: []
  installer_path:
    description:
      - Path of the installer on the host. Without O(installer_url) and O(installer_facts), the module reads this file
        to compare version and checksum.
      - With O(installer_url), nothing is downloaded if this file has O(installer_checksum). The default is then
        C(elastic-cloud-enterprise.sh) beside O(storage_path).
    type: path
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
  installer_facts:
    description:
      - What is known of an installer that is copied to the host later, so that the file at O(installer_path) does not
        matter. Without it, O(installer_path) and O(installer_url), the support matrix of this collection decides.
    type: dict
    suboptions:
      version:
        description:
          - As RV(installer.version).
        type: str
      support_matrix:
        description:
          - As RV(installer.support_matrix).
        type: dict
      arguments:
        description:
          - As RV(installer.arguments).
        type: list
        elements: str
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
  sample: ["vm.max_map_count is lower than 1048576, which Elasticsearch needs: set it with sysctl."]
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
    architecture:
      description: Type of the processor, like V(x86_64) or V(aarch64).
      type: str
    boot_arguments_missing:
      description: Those of the boot arguments C(cgroup_enable=memory), C(swapaccount=1) and C(cgroup.memory=nokmem)
        that it was started without.
      type: list
      elements: str
    memory_controller:
      description: Whether the kernel limits the memory of control groups, with cgroup v1.
      type: bool
    sysctls:
      description: Mapping of C(net.ipv4.ip_forward), C(net.ipv4.tcp_retries2) and C(vm.swappiness) to their values, or
        to null where the host does not have them.
      type: dict
    units:
      description: Mapping of systemd's units C(docker.service), C(firewalld.service), C(nscd.service),
        C(podman.service) and C(podman-restart.service) to their states, C(at_boot) and C(now). Without those that the
        host does not have.
      type: dict
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
          description: Version of the engine's client, for Podman of C(podman-remote); null if it is not known.
          type: str
        usable:
          description: Whether the install user can list containers, by the C(docker) command and through the socket.
          type: bool
        error:
          description: Why the install user cannot; null if it can.
          type: str
        docker_error:
          description: Why the install user cannot list containers by the plain C(docker) command; null if it can, or
            was not asked to.
          type: str
        socket_error:
          description: Why the install user cannot list containers through the socket; null if it can, or there is no
            socket.
          type: str
        docker_command:
          description: Whether there is a C(docker) command.
          type: bool
        docker_is_rootless:
          description: Whether the C(docker) command is that of package C(podman-docker), which does not use the socket.
          type: bool
        podman_remote:
          description: Whether there is a C(podman-remote) command.
          type: bool
        store:
          description: Where the engine keeps images and containers.
          type: dict
          contains:
            folder:
              description: Its folder; null if it is not known.
              type: str
            driver:
              description: The storage driver; null if it is not known.
              type: str
            free_gb:
              description: Free space, in GB (1000 MB); null if it is not known.
              type: int
            on_storage_disk:
              description: Whether it is on the disk of the storage path; null if it is not known.
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
    runner_ids:
      description: Runner ids as which ECE was installed at the storage path, by the folders there.
      type: list
      elements: str
    addresses:
      description: IPv4 addresses of the host, without loopback and link-local addresses and those of bridges of
        container engines.
      type: list
      elements: str
    host_ip:
      description: Address of the host in the platform, O(host_ip) or what takes its place; null if it is not clear.
      type: str
    default_routes:
      description: The default routes.
      type: list
      elements: dict
      contains:
        interface:
          description: Network interface.
          type: str
        gateway:
          description: Address of the gateway; null for a route without one.
          type: str
        addresses:
          description: IPv4 addresses of the interface.
          type: list
          elements: str
    connections:
      description: Ports of the coordinator, of directors and of the registry that the host has tried to reach.
      type: list
      elements: dict
      contains:
        purpose:
          description: V(coordinator), V(director) or V(registry).
          type: str
        address:
          description: Address or name.
          type: str
        port:
          description: TCP port.
          type: int
        error:
          description: Why it cannot be reached; null if it can.
          type: str
    busy_ports:
      description: Those of the TCP ports 20000, 21000 and 22000 that a process listens on.
      type: list
      elements: int
    port_users:
      description: The processes that listen on them, with their pids, as far as the module may see them.
      type: list
      elements: str
    busy_ece_ports:
      description: TCP ports that ECE uses on a host with these roles and that a process listens on.
      type: list
      elements: int
    temporary_ece_ports:
      description: Number of the ports that ECE uses and that the kernel gives to outgoing connections.
      type: int
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
        swap_mb:
          description: Swap space, in MB.
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
        project_quotas:
          description: Whether it is mounted with project quotas.
          type: bool
        read_only:
          description: Whether it is mounted read-only.
          type: bool
        writable:
          description: Whether the install user can read and write there.
          type: bool
        leftovers:
          description: Folders in the storage path that ECE made, without those for logs.
          type: list
          elements: str
        closed_logs:
          description: Folders for logs in the storage path that the install user cannot write.
          type: list
          elements: str
    default_interface:
      description: Network interface of the default route; null if there is no default route.
      type: str
    firewalld_active:
      description: Whether firewalld is active.
      type: bool
    selinux_enforcing:
      description: Whether SELinux is enforcing.
      type: bool
    selinux:
      description: What C(--selinux) needs.
      type: dict
      contains:
        mode:
          description: V(enforcing), V(permissive) or V(disabled).
          type: str
        missing_commands:
          description: Commands that C(--selinux) needs and that the host does not have. Empty without O(selinux).
          type: list
          elements: str
        missing_folders:
          description: Folders that C(--selinux) needs and that the host does not have. Empty without O(selinux).
          type: list
          elements: str
        sudo:
          description: Whether the install user can run C(sudo) without a password; null without O(selinux).
          type: bool
    network_backend:
      description: The network backend in Podman's settings, V(cni) or V(netavark); null if they have none.
      type: str
    cni_plugins:
      description: Whether the CNI plugins are installed.
      type: bool
    container_limits:
      description: Limits that the engine sets for containers.
      type: dict
      contains:
        nofile:
          description: Open files, V(-1) for no limit; null if it is not known.
          type: int
        memlock:
          description: Locked memory in bytes, V(-1) for no limit; null if it is not known.
          type: int
        nproc:
          description: Processes, V(-1) for no limit; null if it is not known.
          type: int
    engine_proxy:
      description: Whether the container engine uses an HTTP proxy.
      type: bool
    clock_offset_seconds:
      description: Seconds by which the host's clock is ahead of the controller's, with the time that the call took;
        null without O(controller_time).
      type: float
    cgroup_version:
      description: Version of cgroup, V(1) or V(2).
      type: int
    max_map_count:
      description: Value of C(vm.max_map_count); V(0) if it is not known.
      type: int
  sample:
    os: {id: ubuntu, version: "22.04", matrix_name: Ubuntu-22.04}
    kernel: 5.15.0-119-generic
    architecture: x86_64
    boot_arguments_missing: []
    memory_controller: true
    sysctls: {net.ipv4.ip_forward: 1, net.ipv4.tcp_retries2: 5, vm.swappiness: 1}
    units: {docker.service: {at_boot: enabled, now: active}}
    hostname: alloc-7
    python: {version: 3.10.12, executable: /usr/bin/python3}
    user: {name: elastic, uid: 1000, gid: 1000, home: /home/elastic, groups: [docker, elastic]}
    effective_uid: 0
    engine:
      name: docker
      version: 25.0.5
      usable: true
      error: null
      docker_error: null
      socket_error: null
      docker_command: true
      docker_is_rootless: false
      podman_remote: false
      store: {folder: /mnt/data/docker, driver: overlay2, free_gb: 8000, on_storage_disk: true}
      containers: []
      containers_known: true
      containers_error: null
    socket: {path: /var/run/docker.sock, is_socket: true}
    containers: []
    containers_known: true
    ece_containers: []
    installer_running: false
    last_install: null
    runner_ids: []
    addresses: [10.0.0.7]
    host_ip: 10.0.0.7
    default_routes: [{interface: eth0, gateway: 10.0.0.1, addresses: [10.0.0.7]}]
    connections: [{purpose: registry, address: docker.elastic.co, port: 443, error: null}]
    busy_ports: []
    port_users: []
    busy_ece_ports: []
    temporary_ece_ports: 0
    memory: {total_mb: 257000, available_mb: 250000, swap_mb: 4096}
    storage:
      path: /mnt/data/elastic
      existing_parent: /mnt/data
      free_gb: 8000
      filesystem: xfs
      project_quotas: true
      read_only: false
      writable: true
      leftovers: []
      closed_logs: []
    default_interface: eth0
    firewalld_active: false
    selinux_enforcing: false
    selinux: {mode: disabled, missing_commands: [], missing_folders: [], sudo: null}
    network_backend: null
    cni_plugins: false
    container_limits: {nofile: 1024000, memlock: -1, nproc: -1}
    engine_proxy: false
    clock_offset_seconds: 0.8
    cgroup_version: 1
    max_map_count: 1048576
installer:
  description: The installer at O(installer_url) or O(installer_path).
  returned: O(installer_url) is set, or O(installer_path) without O(installer_facts), the check V(installer) is not
    skipped, and the installer could be read
  type: dict
  contains:
    version:
      description: Version of ECE that it installs by default; null if the file is not the installer.
      type: str
    checksum:
      description: Its checksum, of the kind of O(installer_checksum) or else C(sha256).
      type: str
    support_matrix:
      description: Mapping of releases of ECE to what the installer accepts, like V([RHEL-8 podman 4]). Parts that are
        not understood are as they are in the installer, and nothing is a problem for their release. Empty if the
        installer has no such table.
      type: dict
    arguments:
      description: Arguments that the installer knows. Empty if they are not recognised.
      type: list
      elements: str
  sample:
    version: 4.0.3
    checksum: "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
    support_matrix: {"4.0": [RHEL-8 podman 4, RHEL-9 podman 4, RHEL-9 podman 5]}
    arguments: [--coordinator-host, --podman, --roles-token, --selinux]
"""

from typing import Any, Mapping

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._host_facts import gather
from ansible_collections.ece.platform.plugins.module_utils._host_installer import inspect_script
from ansible_collections.ece.platform.plugins.module_utils._host_options import HOST_INFO_OPTIONS
from ansible_collections.ece.platform.plugins.module_utils._host_process import explain_os_error
from ansible_collections.ece.platform.plugins.module_utils._host_rule import is_skipped
from ansible_collections.ece.platform.plugins.module_utils._host_rules import check_requirements
from ansible_collections.ece.platform.plugins.module_utils._install_options import argument_spec, arguments
from ansible_collections.ece.platform.plugins.module_utils._installer_file import check_source


def _is_inspected(params: Mapping[str, Any]) -> bool:
    # What is known of an installer that is copied to the host later tells more than a file that it replaces.
    is_here = params["installer_path"] and not params["installer_facts"]
    return bool(params["installer_url"] or is_here) and not is_skipped("installer", params)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(HOST_INFO_OPTIONS), supports_check_mode=True)
    params = module.params
    try:
        arguments({option.name: params[option.name] for option in HOST_INFO_OPTIONS if option.check})
        check_source(params["installer_url"], params["installer_checksum"])
    except OptionError as error:
        module.fail_json(msg=str(error))
    try:
        facts = gather(params)
    except OSError as error:
        module.fail_json(msg=explain_os_error(error))
    installer, installer_problems = inspect_script(params) if _is_inspected(params) else (None, [])
    known = {"installer": installer or params["installer_facts"], "installer_problems": installer_problems}
    problems, warnings = check_requirements(dict(facts, **known), params)
    result = {"installer": installer} if installer else {}
    module.exit_json(changed=False, facts=facts, problems=problems, warnings_found=warnings, **result)


if __name__ == "__main__":
    main()
