# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The requirements without which a host can join but may not work well, as rules over its facts.

Pure functions. Runs on hosts: Python 3.6 and the standard library.
"""

import re
from typing import Any, Iterator, List, Mapping

from ansible_collections.ece.platform.plugins.module_utils._host_network import (
    COORDINATOR_API_PORT,
    COORDINATOR_PORTS,
    DIRECTOR_PORTS,
    DIRECTORS_MAX,
)
from ansible_collections.ece.platform.plugins.module_utils._host_rule import (
    HARDWARE,
    NETWORKING,
    OWN,
    PODMAN_5,
    RHEL_HOST,
    SCRIPT,
    SOFTWARE,
    SUSE_HOST,
    UBUNTU_HOST,
    WARNING,
    Facts,
    Options,
    RuleBook,
    has_engine,
    has_podman,
)
from ansible_collections.ece.platform.plugins.module_utils._host_system import LIMITS, UNLIMITED, kernel_numbers

# Elastic's pages on hosts, read 2026-11-27: 262144 before 2025-12, which is still what the installer asks for.
MAP_COUNT_MIN, MAP_COUNT_REFUSED = 1048576, 262144
SYSCTL_MAX = {"net.ipv4.tcp_retries2": 5, "vm.swappiness": 1}
KERNEL_MIN = "3.10.0-1160.31.1"
# The oldest version of ECE for aarch64.
AARCH64_FROM = (3, 5, 1)
RHEL_8_MINOR_MIN = 5
# Releases of Podman with a leak of memory: containers/podman 25473.
LEAKING_PODMAN = "5.2.2"
ENGINE_DISK_MIN_GB = 10
# The check of the installer in its container: elastic/ansible-elastic-cloud-enterprise, set_limits.yml (2026-08).
NOFILE_MIN = 65536
CLOCK_MAX_SECONDS = 60
# The offset of a host's clock holds the time from the controller's look at its own clock to the host's look.
CLOCK_WAY_SECONDS = 60
SWAP = "elastic/docs-content 7504 (2026-07)"

_BOOK = RuleBook()
rule = _BOOK.rule


def _any_of(*names: str) -> str:
    """a, b and c, for a sentence."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _is_system(facts: Facts, *names: str) -> bool:
    return facts["os"]["matrix_name"] in names


# -- container engine --------------------------------------------------------------------------------------------------


@rule("engine", WARNING, "The `docker` command of a host with Podman uses the socket.", RHEL_HOST)
def _docker_is_remote(facts: Facts, options: Options) -> Iterator[str]:
    if has_podman(facts) and facts["engine"]["docker_is_rootless"]:
        yield (
            "The docker command is that of package podman-docker, which is another engine for each user: replace it "
            "by one that calls podman-remote with the socket, as on Elastic's page on RHEL hosts."
        )


@rule("engine", WARNING, f"Podman is not {LEAKING_PODMAN}, which leaks memory.", PODMAN_5)
def _podman_leaks(facts: Facts, options: Options) -> Iterator[str]:
    if has_podman(facts) and facts["engine"]["version"] == LEAKING_PODMAN:
        yield f"Podman {LEAKING_PODMAN} leaks memory: install Podman 5.4."


@rule("engine", WARNING, "On RHEL 9 and Rocky Linux 9, Podman uses CNI and its plugins are installed.", RHEL_HOST)
def _cni(facts: Facts, options: Options) -> Iterator[str]:
    if not has_podman(facts) or not _is_system(facts, "RHEL-9", "RockyLinux-9"):
        return
    if facts["network_backend"] != "cni":
        yield (
            'Podman does not use CNI, which ECE needs on this system: set network_backend = "cni" in '
            "/etc/containers/containers.conf and reboot the host."
        )
    elif not facts["cni_plugins"]:
        yield "Podman uses CNI, but its plugins are missing: install package containernetworking-plugins."


@rule("engine", WARNING, "On RHEL 10, Podman does not use CNI, which that system does not have.", RHEL_HOST)
def _no_cni(facts: Facts, options: Options) -> Iterator[str]:
    if has_podman(facts) and _is_system(facts, "RHEL-10", "RockyLinux-10") and facts["network_backend"] == "cni":
        yield "Podman is set to use CNI, which this system does not have: remove network_backend from containers.conf."


@rule("engine", WARNING, "The container engine starts at boot, and Podman's containers too.", RHEL_HOST)
def _starts_at_boot(facts: Facts, options: Options) -> Iterator[str]:
    names = ("podman.service", "podman-restart.service") if has_podman(facts) else ("docker.service",)
    units = facts["units"]
    off = [name for name in names if units.get(name, {}).get("at_boot") in ("disabled", "masked")]
    if has_engine(facts) and off:
        yield f"{_any_of(*off)} would not start at boot, and ECE's containers neither: enable {_any_of(*off)}."


@rule("engine", WARNING, "The storage driver of the engine is overlay2, or overlay for Podman.", UBUNTU_HOST)
def _storage_driver(facts: Facts, options: Options) -> Iterator[str]:
    driver = facts["engine"]["store"]["driver"]
    # overlayfs is the name of the same in an engine that keeps its images in containerd.
    if driver not in (None, "overlay", "overlay2", "overlayfs"):
        yield f"The container engine has the storage driver {driver}: use overlay2."


@rule("engine", WARNING, "The engine keeps images and containers on the disk of the storage path.", UBUNTU_HOST)
def _store_on_disk(facts: Facts, options: Options) -> Iterator[str]:
    store = facts["engine"]["store"]
    if store["on_storage_disk"] is False:
        yield (
            f"The container engine keeps images and containers at {store['folder']}, not on the disk of the storage "
            "path: move it there (data-root of Docker, graphroot of Podman; Elastic's pages use /mnt/data/docker)."
        )


@rule(
    "engine", WARNING, f"The disk of images and containers has {ENGINE_DISK_MIN_GB} GB of free space or more.", HARDWARE
)
def _store_has_room(facts: Facts, options: Options) -> Iterator[str]:
    store = facts["engine"]["store"]
    # The rules on disk are about the other case.
    if store["on_storage_disk"] is False and store["free_gb"] is not None and store["free_gb"] < ENGINE_DISK_MIN_GB:
        yield f"{store['folder']} has less than {ENGINE_DISK_MIN_GB} GB free for ECE's images: make room."


# -- operating system and kernel ---------------------------------------------------------------------------------------


@rule("os", WARNING, f"RHEL 8 is 8.{RHEL_8_MINOR_MIN} or later.", RHEL_HOST)
def _rhel_8(facts: Facts, options: Options) -> Iterator[str]:
    version = facts["os"]["version"].split(".")
    if facts["os"]["id"] == "rhel" and version[0] == "8" and version[1:] and int(version[1]) < RHEL_8_MINOR_MIN:
        yield f"RHEL {facts['os']['version']} is older than 8.{RHEL_8_MINOR_MIN}, which ECE needs: update the system."


@rule("os", WARNING, "The processor is x86_64, or aarch64 from ECE 3.5.1 on.", HARDWARE)
def _architecture(facts: Facts, options: Options) -> Iterator[str]:
    name, version = facts["architecture"], options["version"]
    numbers = tuple(map(int, re.findall("[0-9]+", version)[:3])) if version else AARCH64_FROM
    if name not in ("x86_64", "aarch64") or (name == "aarch64" and numbers < AARCH64_FROM):
        yield f"There are no images of ECE {version or ''} for processors of type {name}: use another host.".replace(
            "  ", " "
        )


@rule("os", WARNING, f"The kernel is {KERNEL_MIN} or later.", SOFTWARE)
def _kernel(facts: Facts, options: Options) -> Iterator[str]:
    numbers = kernel_numbers(facts["kernel"])
    if numbers and numbers < kernel_numbers(KERNEL_MIN):
        yield f"The kernel is older than {KERNEL_MIN}, which ECE needs: update it."


@rule("os", WARNING, "The host uses cgroup v1.", SOFTWARE)
def _cgroup_v1(facts: Facts, options: Options) -> Iterator[str]:
    if facts["cgroup_version"] == 2:
        yield "The host uses cgroup v2, with which Elasticsearch before 7.17.7 and 8.5 fails: use later versions."


@rule("kernel", WARNING, "With cgroup v1, the kernel limits memory, and has the boot arguments for it.", UBUNTU_HOST)
def _memory_controller(facts: Facts, options: Options) -> Iterator[str]:
    missing = facts["boot_arguments_missing"]
    if facts["cgroup_version"] == 1 and (missing or not facts["memory_controller"]):
        arguments = " ".join(missing or ["cgroup_enable=memory"])
        yield f"The kernel was started without {arguments}: set it in the boot loader and reboot the host."


@rule("kernel", WARNING, "`net.ipv4.ip_forward` is 1.", UBUNTU_HOST)
def _ip_forward(facts: Facts, options: Options) -> Iterator[str]:
    if facts["sysctls"]["net.ipv4.ip_forward"] == 0:
        yield "net.ipv4.ip_forward is 0, so that containers reach no other host: set it to 1 with sysctl."


def map_count_is_refused(facts: Facts, options: Options) -> bool:
    """Whether the installer refuses vm.max_map_count, of which 0 means that it is not known."""
    return 0 < facts["max_map_count"] < MAP_COUNT_REFUSED and not options["force"]


@rule("kernel", WARNING, f"`vm.max_map_count` is {MAP_COUNT_MIN} or more.", UBUNTU_HOST)
def _map_count(facts: Facts, options: Options) -> Iterator[str]:
    if 0 < facts["max_map_count"] < MAP_COUNT_MIN and not map_count_is_refused(facts, options):
        yield f"vm.max_map_count is lower than {MAP_COUNT_MIN}, which Elasticsearch needs: set it with sysctl."


@rule("kernel", WARNING, "`net.ipv4.tcp_retries2` is 5 or less, and `vm.swappiness` 1 or less.", UBUNTU_HOST)
def _sysctls(facts: Facts, options: Options) -> Iterator[str]:
    found = facts["sysctls"]
    high = [f"{name}={limit}" for name, limit in SYSCTL_MAX.items() if (found[name] or 0) > limit]
    if high:
        yield f"Set {_any_of(*high)} with sysctl, as Elastic's pages on hosts do."


@rule("kernel", WARNING, "A director has no swap, and a host without that role has some.", SWAP)
def _swap(facts: Facts, options: Options) -> Iterator[str]:
    has_swap = facts["memory"]["swap_mb"] > 0
    if "director" in options["roles"]:
        if has_swap:
            yield "Swap is on, which Elastic asks to turn off on directors: turn it off."
    elif not has_swap:
        yield "The host has no swap, which Elastic asks for on hosts without the role director: add 512 MB or more."


# -- limits and services -----------------------------------------------------------------------------------------------


def _low_limits(limits: Mapping[str, Any]) -> List[str]:
    """The names of the limits that are known to be lower than ECE needs."""
    found = []
    for name in LIMITS:
        least = NOFILE_MIN if name == "nofile" else float("inf")
        value = limits[name]
        if value is not None and value != UNLIMITED and value < least:
            found.append(name)
    return found


@rule(
    "limits",
    WARNING,
    f"Containers may open {NOFILE_MIN} files or more, and have no limit of memlock and nproc.",
    UBUNTU_HOST,
)
def _container_limits(facts: Facts, options: Options) -> Iterator[str]:
    low = _low_limits(facts["container_limits"])
    if low:
        place = "default_ulimits in containers.conf" if has_podman(facts) else "default-ulimits in daemon.json"
        yield (
            f"Containers have too low limits of {_any_of(*low)}: set {place} to nofile 1024000, memlock -1 and nproc "
            "-1, and restart the engine."
        )


@rule("os", WARNING, "nscd does not run on SLES.", SUSE_HOST)
def _nscd(facts: Facts, options: Options) -> Iterator[str]:
    is_active = facts["units"].get("nscd.service", {}).get("now") == "active"
    if is_active and facts["os"]["matrix_name"].startswith("SLES"):
        yield "nscd is active, which Elastic asks to stop on SLES: stop and disable it."


@rule("clock", WARNING, f"The clock is that of the controller, give or take {CLOCK_MAX_SECONDS} seconds.", OWN)
def _clock(facts: Facts, options: Options) -> Iterator[str]:
    offset = facts["clock_offset_seconds"]
    if offset is not None and not -CLOCK_MAX_SECONDS <= offset <= CLOCK_MAX_SECONDS + CLOCK_WAY_SECONDS:
        yield (
            "The host's clock is not that of the controller, so that certificates and tokens may count as not valid: "
            "set up time synchronisation on both."
        )


@rule("selinux", WARNING, "SELinux is not enforcing on a host with Podman, or `selinux` is set.", SCRIPT)
def _selinux_set_up(facts: Facts, options: Options) -> Iterator[str]:
    if facts["selinux_enforcing"] and not options["selinux"] and has_podman(facts):
        yield (
            "SELinux is enforcing, so that ECE's containers may be denied access to their files: set ece_host_selinux "
            "(option selinux)."
        )


# -- disk --------------------------------------------------------------------------------------------------------------


@rule("disk", WARNING, "The storage path of an allocator is on XFS.", SOFTWARE)
def _disk_is_xfs(facts: Facts, options: Options) -> Iterator[str]:
    storage = facts["storage"]
    if "allocator" in options["roles"] and storage["filesystem"] not in ("xfs", ""):
        yield (
            f"{storage['existing_parent']} is on {storage['filesystem']}, with which ECE shows a wrong disk usage: use "
            "XFS with project quotas for an allocator."
        )


@rule("disk", WARNING, "The storage path of an allocator, if it is on XFS, is mounted with project quotas.", SOFTWARE)
def _disk_has_quotas(facts: Facts, options: Options) -> Iterator[str]:
    storage = facts["storage"]
    if "allocator" in options["roles"] and storage["filesystem"] == "xfs" and not storage["project_quotas"]:
        yield (
            f"{storage['existing_parent']} is XFS without project quotas, so that ECE cannot limit the disk of an "
            "instance: mount it with prjquota."
        )


# -- network -----------------------------------------------------------------------------------------------------------


@rule("ports", WARNING, "No process listens on the other ports that ECE uses for the host's roles.", NETWORKING)
def _other_ports_free(facts: Facts, options: Options) -> Iterator[str]:
    if facts["ece_containers"] or facts["installer_running"]:
        return  # they are ECE's own
    busy = [port for port in facts["busy_ece_ports"] if port not in facts["busy_ports"]]
    if busy:
        more = f" and {len(busy) - 5} more" if len(busy) > 5 else ""
        ports = ", ".join(map(str, busy[:5])) + more
        yield f"A process listens on a port that ECE uses ({ports}): stop it, or give it another port."


@rule("ports", WARNING, "The kernel gives no port of ECE to outgoing connections.", NETWORKING)
def _temporary_ports(facts: Facts, options: Options) -> Iterator[str]:
    if facts["temporary_ece_ports"]:
        yield (
            "net.ipv4.ip_local_port_range has ports that ECE uses, which other connections may take: let it begin "
            "above 24000 with sysctl."
        )


def _failed(facts: Facts, purpose: str) -> List[Mapping[str, Any]]:
    return [one for one in facts["connections"] if one["purpose"] == purpose and one["error"]]


@rule("network", WARNING, "The host reaches the coordinator at ports 12443 and 22191 to 22195.", NETWORKING)
def _coordinator_reachable(facts: Facts, options: Options) -> Iterator[str]:
    failed = {one["port"]: one for one in _failed(facts, "coordinator")}
    parts = [f"port {COORDINATOR_API_PORT}"] if COORDINATOR_API_PORT in failed else []
    # A coordinator may have fewer of these ports than there are.
    if all(port in failed for port in COORDINATOR_PORTS):
        parts.append(f"ports {COORDINATOR_PORTS[0]} to {COORDINATOR_PORTS[-1]}")
    if not parts:
        return
    first = min(failed.items())[1]
    loopback = first["address"] == "localhost" or first["address"].startswith("127.")
    remedy = (
        "that address is the host itself, so set ece_host_coordinator (option coordinator_host) to one that hosts reach"
        if loopback
        else "open the way in the firewalls between them, or set ece_host_coordinator (option coordinator_host)"
    )
    place = f"{first['address']} at {_any_of(*parts)}"
    yield f"The host does not reach the coordinator {place} ({first['error']}): {remedy}."


@rule(
    "network",
    WARNING,
    f"Up to {DIRECTORS_MAX} directors are reached, each at a port from {DIRECTOR_PORTS[0]} to {DIRECTOR_PORTS[-1]}.",
    NETWORKING,
)
def _directors_reachable(facts: Facts, options: Options) -> Iterator[str]:
    failed = _failed(facts, "director")
    addresses = [one["address"] for one in failed]
    # Each director has one of these ports.
    closed = sorted({name for name in addresses if addresses.count(name) == len(DIRECTOR_PORTS)})
    if closed:
        error = failed[addresses.index(closed[0])]["error"]
        yield (
            f"The host does not reach {_any_of(*closed)}, which {'are directors' if closed[1:] else 'is a director'}, "
            f"at any port from {DIRECTOR_PORTS[0]} to {DIRECTOR_PORTS[-1]} ({error}): open the way in the firewalls "
            "between them."
        )


@rule("network", WARNING, "The host reaches the registry of the images, unless its engine uses a proxy.", NETWORKING)
def _registry_reachable(facts: Facts, options: Options) -> Iterator[str]:
    for one in () if facts["engine_proxy"] else _failed(facts, "registry"):
        yield (
            f"The host does not reach the registry {one['address']} at port {one['port']} ({one['error']}): open the "
            "way to it, set a proxy for the container engine, or load the images beforehand."
        )


ADVICE = _BOOK.rules
