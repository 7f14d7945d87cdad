# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The network of a host: its addresses, its ports, and what it reaches.

Runs on hosts: Python 3.6 and the standard library.
"""

import array
import fcntl
import os
import re
import socket
import struct
import threading
import time
from typing import Any, Collection, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.ece.platform.plugins.module_utils._host_read import read_text

CONNECT_SECONDS = 2.0
# A name that is not resolved by then counts as no answer.
CONNECT_DEADLINE_SECONDS = 2.5
HTTPS_PORT = 443
# The ports that ECE uses, as (first, last).
# https://www.elastic.co/docs/deploy-manage/deploy/cloud-enterprise/ece-networking-prereq, read 2026-11-27.
# Without port 53 of the same host, which is that of the host's own resolver.
COORDINATOR_API_PORT = 12443
COORDINATOR_PORTS = range(22191, 22196)
# ZooKeeper, one of these ports for each director.
DIRECTOR_PORTS = range(12191, 12202)
# More directors than that are not asked: a platform has three as a rule.
DIRECTORS_MAX = 5
PORTS_OF_ALL_ROLES = ((2180, 2180), (2191, 2199), (2375, 2375), (5000, 5010), (8080, 8084), (9000, 9000), (9043, 9043))
PORTS_OF_ROLES: Dict[str, Tuple[Tuple[int, int], ...]] = {
    "allocator": ((14000, 14000), (18000, 21999), (23000, 23999)),
    "coordinator": ((12300, 12300), (12343, 12343), (12400, 12400), (12443, 12443), (22191, 22195)),
    "director": ((2112, 2112), (12191, 12201), (12898, 12908), (13898, 13908)),
    "proxy": ((9200, 9200), (9243, 9244), (9300, 9300), (9343, 9343), (9400, 9400), (9443, 9443), (14043, 14043)),
}

_SIOCGIFCONF = 0x8912
# struct ifreq: a name of 16 bytes, then a struct sockaddr_in, and room for a struct ifmap.
_IFREQ_BYTES = 16 + struct.calcsize("LLHBBB0L")
_ROUTE_UP, _ROUTE_REJECT = 0x1, 0x200
# Bridges of container engines and of libvirt. Many hosts have the same addresses on them.
_BRIDGE = re.compile(r"^(docker\d+|br-[0-9a-f]{12}|cni\d*|cni-podman\d+|podman\d+|virbr\d+|veth.*)$")
# A line of /proc/net/tcp or tcp6 of a socket that listens: its port and its inode.
_LISTENING = re.compile(
    r"^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:0000 0A (?:\S+ \S+ \S+ +\d+ +\d+ (\d+) )?", re.MULTILINE
)


# -- addresses -------------------------------------------------------------------------------------------------------


def interface_addresses() -> List[Tuple[str, str]]:
    """(interface, IPv4 address) of all interfaces in the order of the kernel. A host may have no command `ip`."""
    size = 64 * _IFREQ_BYTES
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        while True:
            buffer = array.array("B", bytes(size))
            request = struct.pack("iP", size, buffer.buffer_info()[0])
            used = struct.unpack("iP", fcntl.ioctl(asked.fileno(), _SIOCGIFCONF, request))[0]
            if used < size:
                break
            size *= 2
    entries = [buffer.tobytes()[start : start + _IFREQ_BYTES] for start in range(0, used, _IFREQ_BYTES)]
    # The name of a second address may be a label, like eth0:vip.
    return [
        (entry[:16].split(b"\0")[0].decode("utf-8", "replace").split(":")[0], socket.inet_ntoa(entry[20:24]))
        for entry in entries
    ]


def own_addresses(interfaces: Iterable[Tuple[str, str]]) -> List[Tuple[str, str]]:
    """Those (interface, address) that belong to this host alone: no loopback, no link-local one, no engine's bridge."""
    return [
        (name, address)
        for name, address in interfaces
        if not _BRIDGE.match(name) and not address.startswith(("0.", "127.", "169.254."))
    ]


def default_routes(route: str, interfaces: Iterable[Tuple[str, str]] = ()) -> List[Dict[str, Any]]:
    """The default routes, from the text of /proc/net/route, with the addresses of their interfaces."""
    owned = list(interfaces)
    found = []
    for line in route.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 8 or fields[1] != "00000000" or fields[7] != "00000000":
            continue
        if int(fields[3], 16) & (_ROUTE_UP | _ROUTE_REJECT) != _ROUTE_UP:
            continue
        gateway = socket.inet_ntoa(struct.pack("=I", int(fields[2], 16)))
        found.append(
            {
                "interface": fields[0],
                # Without a gateway the route is on-link.
                "gateway": None if gateway == "0.0.0.0" else gateway,
                "addresses": [address for name, address in owned if name == fields[0]],
            }
        )
    return found


def host_address(
    given: Optional[str], hints: Sequence[str], addresses: Collection[str], routes: Sequence[Mapping[str, Any]]
) -> Optional[str]:
    """The host's address in the platform: the given one, else the only one that it can be, else None.

    The installer by itself would take the address of the default route, and Ansible may connect by another network, so
    that neither is taken where both are known and differ: the address stays as long as the host is in the platform.
    hints: addresses and names by which the controller knows the host. routes: those of default_routes().
    """
    if given:
        return given
    known, routed = _known_address(hints, addresses), _routed_address(routes)
    return None if known and routed and known != routed else known or routed


def _known_address(hints: Sequence[str], addresses: Collection[str]) -> Optional[str]:
    """The address of the host by which the controller knows it."""
    return next((hint for hint in hints if hint in addresses), None)


def _routed_address(routes: Sequence[Mapping[str, Any]]) -> Optional[str]:
    """The only address of the default route's only interface."""
    candidates = {address for route in routes for address in route["addresses"]}
    interfaces = {route["interface"] for route in routes}
    return candidates.pop() if len(candidates) == 1 and len(interfaces) == 1 else None


def _why_not_known(hints: Sequence[str], addresses: Collection[str], routes: Sequence[Mapping[str, Any]]) -> str:
    routed = _routed_address(routes)
    if routed:
        return f"Ansible knows it by {_known_address(hints, addresses)}, but its default route goes by {routed}"
    interfaces = sorted({route["interface"] for route in routes})
    if not routes:
        return "there is no default route"
    if len(interfaces) > 1:
        return f"there are default routes by {' and '.join(interfaces)}"
    found = sorted({address for route in routes for address in route["addresses"]})
    if not found:
        return f"{interfaces[0]}, the interface of the default route, has no IPv4 address"
    return f"{interfaces[0]}, the interface of the default route, has the addresses {' and '.join(found)}"


def unclear_address(hints: Sequence[str], addresses: Collection[str], routes: Sequence[Mapping[str, Any]]) -> str:
    """The sentence on a host whose host_address() is None."""
    choice = f" to one of {', '.join(addresses)}" if addresses else ""
    return (
        f"The address of the host in the platform is not clear, because {_why_not_known(hints, addresses, routes)}: "
        f"set ece_host_ip (option host_ip){choice}."
    )


# -- ports -----------------------------------------------------------------------------------------------------------


def listening_ports(*tables: str) -> Set[int]:
    """TCP ports that a process listens on, from the texts of /proc/net/tcp and tcp6."""
    return {int(port, 16) for text in tables for port, _inode in _LISTENING.findall(text)}


def ece_ports(roles: Iterable[str]) -> Set[int]:
    """TCP ports that ECE uses on a host with these roles."""
    spans = [*PORTS_OF_ALL_ROLES, *(span for role in roles for span in PORTS_OF_ROLES.get(role, ()))]
    return {port for first, last in spans for port in range(first, last + 1)}


def temporary_ports(port_range: str, reserved: str) -> Set[int]:
    """The ports that the kernel gives to connections, from the texts of ip_local_port_range and ..reserved_ports."""
    limits = port_range.split()
    if len(limits) != 2:
        return set()
    ports = set(range(int(limits[0]), int(limits[1]) + 1))
    for span in filter(None, reserved.strip().split(",")):
        first, _dash, last = span.partition("-")
        ports -= set(range(int(first), int(last or first) + 1))
    return ports


def open_files(folder: str) -> Set[str]:
    """Targets of the file descriptors in /proc/PID/fd, without those that are closed meanwhile or cannot be read."""
    found = set()
    try:
        for name in os.listdir(folder):
            try:
                found.add(os.readlink(os.path.join(folder, name)))
            except OSError:
                continue
    except OSError:
        pass
    return found


def port_users(ports: Collection[int], *tables: str, proc: str = "/proc") -> List[str]:
    """The processes that listen on these TCP ports, like `python3 (pid 812)`, as far as this process may see them.

    The texts are those for listening_ports().
    """
    sockets = {
        f"socket:[{inode}]"
        for text in tables
        for port, inode in _LISTENING.findall(text)
        if inode and int(port, 16) in ports
    }
    users = []
    for pid in sorted(int(name) for name in os.listdir(proc) if name.isdigit()):
        held = open_files(os.path.join(proc, str(pid), "fd"))
        if held & sockets:
            # Child processes may hold the socket too; the first process is the one to stop.
            sockets -= held
            users.append(f"{read_text(os.path.join(proc, str(pid), 'comm')).strip()} (pid {pid})")
    return users


# -- connections -----------------------------------------------------------------------------------------------------


class Target(NamedTuple):
    """An address that the host has to reach, and what is there: coordinator, director or registry."""

    purpose: str
    address: str
    port: int


def registry_target(registry: str) -> Target:
    """Where a registry like registry.example.com:5000/path listens."""
    address, _colon, port = registry.split("/")[0].partition(":")
    return Target("registry", address, int(port) if port.isdigit() else HTTPS_PORT)


def targets(coordinator: Optional[str], registry: Optional[str], directors: Sequence[str] = ()) -> List[Target]:
    """What a host with these options of ece_host_info has to reach."""
    ports = [COORDINATOR_API_PORT, *COORDINATOR_PORTS] if coordinator else []
    found = [Target("coordinator", coordinator or "", port) for port in ports]
    found += [Target("director", address, port) for address in directors[:DIRECTORS_MAX] for port in DIRECTOR_PORTS]
    return found + ([registry_target(registry)] if registry else [])


def _connection_error(address: str, port: int) -> Optional[str]:
    try:
        socket.create_connection((address, port), timeout=CONNECT_SECONDS).close()
    except socket.timeout:
        return _no_answer()
    except socket.gaierror:
        return "the name cannot be resolved"
    except (OSError, ValueError, OverflowError) as error:
        return (getattr(error, "strerror", None) or str(error)).lower()
    return None


def _no_answer() -> str:
    return f"no answer within {CONNECT_SECONDS:.0f} s"


def connect_all(wanted: Sequence[Target]) -> List[Dict[str, Any]]:
    """The targets with the error of a connection to each, or None, within 2.5 seconds for all of them.

    Without those that were not tried, of which nothing is known.
    """
    deadline = time.monotonic() + CONNECT_DEADLINE_SECONDS
    errors: Dict[Target, Optional[str]] = {}

    def connect(target: Target) -> None:
        errors[target] = _connection_error(target.address, target.port)

    # Daemons, because a resolver may take longer, and the module does not wait for it.
    threads: Dict[Target, threading.Thread] = {}
    for target in dict.fromkeys(wanted):
        thread = threading.Thread(target=connect, args=(target,), daemon=True)
        try:
            thread.start()
        except RuntimeError:
            break  # the user may have no more threads (limit of nproc)
        threads[target] = thread
    for thread in threads.values():
        thread.join(max(0.0, deadline - time.monotonic()))
    found = dict(errors)
    return [dict(target._asdict(), error=found.get(target, _no_answer())) for target in threads]
