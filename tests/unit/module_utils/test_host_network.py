# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses, routes and ports of a host, from samples and from this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _host_network as network
from ansible_collections.ece.platform.plugins.module_utils._host_read import read_text
from tests.machine import need
from tests.unit.host_user import ROOT

TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:4E20 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:5208 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
   2: 0100007F:55F0 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0 100 0 0 10 0
   3: 0100007F:0050 00000000:0000 06 00000000:00000000 00:00000000 00000000     0        0 4 1 0 100 0 0 10 0
"""
ANY_ADDRESS = "0" * 32
TCP6 = f"""  sl  local_address                         remote_address                        st tx_queue rx_queue tr
   0: {ANY_ADDRESS}:55F0 {ANY_ADDRESS}:0000 0A 00000000:00000000 00:00000000 00000000     0
"""


def test_listening_ports_are_those_of_both_families_without_connections():
    assert network.listening_ports(TCP) == {20000, 21000}
    assert network.listening_ports(TCP, TCP6) == {20000, 21000, 22000}
    assert network.listening_ports("", "") == set()


def test_listening_ports_of_this_machine():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        assert port not in network.listening_ports(read_text("/proc/net/tcp"))
        listener.listen()
        assert port in network.listening_ports(read_text("/proc/net/tcp"))


def test_port_users_are_the_processes_that_hold_the_listening_sockets(tmp_path):
    # 7 listens on both, 12 is its child; 30 has a connection on the same port, and listens on another port.
    for pid, name, sockets in ((12, "worker", (1, 2)), (7, "nginx", (1, 2)), (30, "curl", (3, 9))):
        (tmp_path / str(pid) / "fd").mkdir(parents=True)
        (tmp_path / str(pid) / "comm").write_text(name + "\n")
        for inode in sockets:
            (tmp_path / str(pid) / "fd" / str(inode)).symlink_to(f"socket:[{inode}]")
    (tmp_path / "99").mkdir()
    (tmp_path / "net").mkdir()
    table = (
        TCP
        + "   4: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 9 1 0 100 0 0 0\n"
    )
    assert network.port_users({20000, 21000, 22000}, table, proc=str(tmp_path)) == ["nginx (pid 7)"]
    assert network.port_users({8080}, table, proc=str(tmp_path)) == ["curl (pid 30)"]
    assert network.port_users({22000}, table, proc=str(tmp_path)) == []


def test_port_users_of_this_machine():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        users = network.port_users({listener.getsockname()[1]}, read_text("/proc/net/tcp"))
        assert [user.endswith(f" (pid {os.getpid()})") for user in users] == [True]


ROUTE_HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
ROUTE_LOCAL = "eth1\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
ROUTE_DEFAULT = "eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
ROUTE_BACKUP = "eth0\t00000000\t0200000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
ROUTE_SECOND = "eth1\t00000000\t0101000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
ROUTE_ON_LINK = "eth0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n"
ROUTE_HALF = "tun0\t00000000\t0100000A\t0003\t0\t0\t0\t00000080\t0\t0\t0\n"
ROUTE_UNREACHABLE = "*\t00000000\t00000000\t0201\t0\t0\t-1\t00000000\t0\t0\t0\n"


@pytest.mark.parametrize(
    ("route", "found"),
    [
        (ROUTE_LOCAL + ROUTE_DEFAULT, [("eth0", "10.0.0.1")]),
        (ROUTE_HALF + ROUTE_DEFAULT, [("eth0", "10.0.0.1")]),
        (ROUTE_DEFAULT + ROUTE_SECOND, [("eth0", "10.0.0.1"), ("eth1", "10.0.1.1")]),
        (ROUTE_ON_LINK, [("eth0", None)]),
        (ROUTE_UNREACHABLE, []),
        (ROUTE_LOCAL + ROUTE_HALF, []),
        ("", []),
    ],
)
def test_default_routes(route, found):
    routes = network.default_routes(ROUTE_HEAD + route)
    assert [(one["interface"], one["gateway"]) for one in routes] == found


ETH0, VIP, ETH1 = ("eth0", "10.0.0.7"), ("eth0", "10.0.0.200"), ("eth1", "10.0.1.7")


@pytest.mark.parametrize(
    ("interfaces", "route", "hints", "address"),
    [
        pytest.param([ETH0], ROUTE_DEFAULT, [], "10.0.0.7", id="one address"),
        pytest.param([ETH0, ETH1], ROUTE_DEFAULT, [], "10.0.0.7", id="another interface without a default route"),
        pytest.param([ETH0], ROUTE_ON_LINK, [], "10.0.0.7", id="an on-link route"),
        pytest.param([ETH0], ROUTE_DEFAULT + ROUTE_BACKUP, [], "10.0.0.7", id="two routes by one interface"),
        pytest.param([ETH0, VIP], ROUTE_DEFAULT, [], None, id="an address of keepalived, or a second one of a cloud"),
        pytest.param([ETH0, ETH1], ROUTE_DEFAULT + ROUTE_SECOND, [], None, id="two default routes"),
        pytest.param([ETH0, ETH1], "", [], None, id="no default route"),
        pytest.param([], ROUTE_DEFAULT, [], None, id="no address"),
        pytest.param([ETH0, VIP], ROUTE_DEFAULT, ["alloc-7", "10.0.0.7"], "10.0.0.7", id="known by an address"),
        pytest.param([ETH0, ETH1], ROUTE_DEFAULT, ["10.0.1.7"], None, id="known by another address than the route's"),
        pytest.param([ETH0, ETH1], "", ["10.0.1.7"], "10.0.1.7", id="known by an address, without a default route"),
        pytest.param(
            [ETH0, ETH1], ROUTE_DEFAULT + ROUTE_SECOND, ["10.0.1.7"], "10.0.1.7", id="known by one of two routes"
        ),
        pytest.param([ETH0, VIP], ROUTE_DEFAULT, ["198.51.100.4", "alloc-7"], None, id="known by an address of NAT"),
        pytest.param([ETH0], ROUTE_DEFAULT, ["127.0.0.1"], "10.0.0.7", id="known by a loopback address"),
    ],
)
def test_the_hosts_address_is_that_by_which_it_is_known_or_its_only_one(interfaces, route, hints, address):
    routes = network.default_routes(ROUTE_HEAD + route, interfaces)
    addresses = [one for _interface, one in interfaces]
    assert network.host_address(None, hints, addresses, routes) == address
    assert network.host_address("10.9.9.9", hints, addresses, routes) == "10.9.9.9"


def test_addresses_of_the_host_are_not_those_that_every_host_has():
    interfaces = [
        ("lo", "127.0.0.1"),
        ("lo", "10.255.0.7"),
        ("eth0", "10.0.0.7"),
        ("eth0", "169.254.3.4"),
        ("docker0", "172.17.42.1"),
        ("br-0123456789ab", "172.18.0.1"),
        ("br-ex", "10.0.2.7"),
        ("cni-podman0", "10.88.0.1"),
        ("podman1", "10.89.0.1"),
        ("virbr0", "192.168.122.1"),
    ]
    assert [address for _name, address in network.own_addresses(interfaces)] == ["10.255.0.7", "10.0.0.7", "10.0.2.7"]


def test_addresses_of_this_machine_are_those_that_the_command_ip_shows():
    assert ("lo", "127.0.0.1") in network.interface_addresses()
    need("ip")
    shown = subprocess.run(["ip", "-o", "-4", "addr"], capture_output=True, text=True, check=True).stdout
    expected = sorted((line.split()[1], line.split()[3].split("/")[0]) for line in shown.splitlines())
    assert sorted(network.interface_addresses()) == expected


@pytest.mark.skipif(not ROOT, reason="only root makes a network namespace")
@pytest.mark.parametrize("count", [1, 200])
def test_all_addresses_of_an_interface_are_found_with_and_without_a_label(count):
    need("ip", "unshare")
    many = "; ".join(f"ip addr add 10.7.{number}.1/32 dev lo" for number in range(count))
    setup = f"ip addr add 10.0.0.9/24 dev lo label lo:vip; {many}"
    code = (
        "from ansible_collections.ece.platform.plugins.module_utils import _host_network as n\n"
        "found = n.own_addresses(n.interface_addresses()); print(len(found), ('lo', '10.0.0.9') in found)"
    )
    collections = Path(network.__file__).parents[5]
    command = ["unshare", "--net", "sh", "-c", f'{setup}; exec "$0" -c "$1"', sys.executable, code]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(collections)}
    )
    if done.returncode or "not permitted" in done.stderr:
        pytest.skip(f"no network namespace here: {done.stderr}")
    assert done.stdout.split() == [str(count + 1), "True"]


# -- ports that ECE uses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("roles", "inside", "outside"),
    [
        (["allocator"], {2375, 18000, 21999, 23999}, {12191, 9200, 22191, 53}),
        (["director"], {2112, 12191, 13908}, {18000}),
        (["coordinator", "proxy"], {12443, 22195, 9343, 14043}, {2112}),
    ],
)
def test_ports_of_ece_are_those_of_the_roles(roles, inside, outside):
    ports = network.ece_ports(roles)
    assert inside <= ports and not outside & ports


@pytest.mark.parametrize(
    ("port_range", "reserved", "count"),
    [
        ("32768\t60999\n", "\n", 28232),
        ("20000\t20009\n", "20000-20004,20009\n", 4),
        ("", "", 0),
    ],
)
def test_ports_of_outgoing_connections_are_without_the_reserved_ones(port_range, reserved, count):
    assert len(network.temporary_ports(port_range, reserved)) == count


# -- connections -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("registry", "address", "port"),
    [
        ("docker.elastic.co", "docker.elastic.co", 443),
        ("registry.example.com:5000/mirror", "registry.example.com", 5000),
        ("registry.example.com/mirror", "registry.example.com", 443),
    ],
)
def test_a_registry_is_asked_at_its_own_port(registry, address, port):
    assert network.targets(None, registry) == [network.Target("registry", address, port)]


def test_the_coordinator_is_asked_at_the_ports_that_a_join_needs():
    assert [target.port for target in network.targets("10.0.0.1", None)] == [12443, 22191, 22192, 22193, 22194, 22195]
    assert network.targets(None, None) == []


def test_each_director_is_asked_at_all_ports_that_it_may_have():
    found = network.targets(None, None, [f"10.0.0.{number}" for number in range(1, 9)])
    assert [target.port for target in found[:11]] == list(range(12191, 12202))
    assert {target.address for target in found} == {f"10.0.0.{number}" for number in range(1, 6)}


def test_a_connection_says_why_it_fails():
    with socket.socket() as listener, socket.socket() as closed:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        closed.bind(("127.0.0.1", 0))
        wanted = [network.Target("x", "127.0.0.1", one.getsockname()[1]) for one in (listener, closed)]
        found = network.connect_all([*wanted, network.Target("x", "no-such-name.invalid", 1)])
    assert [one["error"] for one in found[:2]] == [None, "connection refused"]
    assert found[2]["error"] in ("the name cannot be resolved", "no answer within 2 s")


def test_a_host_that_starts_no_more_threads_says_nothing_of_the_other_connections(monkeypatch):
    class Thread(threading.Thread):
        left = 2

        def start(self):
            Thread.left -= 1
            if Thread.left < 0:
                raise RuntimeError("can't start new thread")
            super().start()

    monkeypatch.setattr(threading, "Thread", Thread)
    monkeypatch.setattr(socket, "create_connection", lambda *_arguments, **_more: socket.socket())
    found = network.connect_all(network.targets("10.0.0.1", None))
    assert [(one["port"], one["error"]) for one in found] == [(12443, None), (22191, None)]


def test_a_director_that_is_given_twice_is_asked_once(monkeypatch):
    monkeypatch.setattr(network, "_connection_error", lambda _address, _port: None)
    assert len(network.connect_all(network.targets(None, None, ["10.0.0.1", "10.0.0.1"]))) == 11


def test_no_connection_is_waited_for_beyond_its_time(monkeypatch):
    never = threading.Event()

    def connect(*_arguments, **_more):
        never.wait(600)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", connect)
    found = network.connect_all(network.targets("10.0.0.1", "registry.example.com"))
    assert [one["error"] for one in found] == ["no answer within 2 s"] * 7
    never.set()
