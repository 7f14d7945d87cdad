# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each fault three times: what the run says, what is true afterwards, and that the same command again ends well. faults.py lists them."""

from __future__ import annotations

import re

import pytest

from tests.integration.faults import ALL, FAULTS, RETRIES, TIMEOUT, Fault, until
from tests.standin.hosts import INSTALLER_CONTAINER

ADDRESSES = {"a": "192.0.2.1", "b": "192.0.2.2"}
API_TOKENS = "/configuration/security/enrollment-tokens"


@pytest.fixture
def standin_options(request) -> dict:
    return dict(request.node.callspec.params["fault"].standin)


def mints(ece) -> int:
    return sum(entry["method"] == "POST" and entry["path"].endswith(API_TOKENS) for entry in ece.requests)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault(operator, fault: Fault):
    suffer(operator, fault)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.act], ids=lambda fault: fault.name)
def test_what_operators_do_ends_as_well_with_the_oldest_ansible_core(oldest_operator, fault: Fault):
    suffer(oldest_operator, fault)


def suffer(operator, fault: Fault) -> None:
    ece = operator.ece
    others = ece.platform.tokens.mint({"persistent": True, "roles": ["allocator"]})["token_id"]
    operator.group_vars = {
        "ece_host_token_persistent": True,
        "ece_timeout": TIMEOUT,
        "ece_retries": RETRIES,
        **fault.variables,
    }
    operator.use_vars_file()  # so that no environment may hold a secret at all
    for name, address in ADDRESSES.items():
        operator.new_host(name, address)
    for name in fault.lacking:
        ece.platform.add_runner(ADDRESSES[name], zone="ece-zone-1", roles=("proxy",))
    newcomers = {name: address for name, address in ADDRESSES.items() if name not in fault.lacking}
    cure = fault.arm(operator) if fault.arm else None

    run = fault.act(operator) if fault.act else operator.play("-vvvv", warnings=True)

    assert (run.rc == 0) == (fault.rc == "ok"), run.output
    assert fault.says in run.words, run.output
    if fault.keeper:
        until(lambda: ece.tokens == [others], 30)
    assert ece.tokens == [others], "a token of ours is left, or one of somebody else is gone"
    if fault.either:
        assert len(ece.joined) == 1
    else:
        assert ece.joined == [newcomers[name] for name in fault.joined if name in newcomers]
    for name in fault.lacking:
        assert ("allocator" in ece.platform.runner(ADDRESSES[name]).roles) == (name in fault.joined)
    assert all(armed.struck for armed in operator.armed), "what was to go wrong never did"
    assert mints(ece) <= (2 if fault.asks else 0), "a token was asked for"
    if fault.check:
        fault.check(operator)
    if not fault.installs:
        assert not any(host.containers or (host.storage / "logs").exists() for host in ece.hosts.values()), (
            "something was begun"
        )
    for name in fault.joined if fault.rc == "ok" else ():
        assert INSTALLER_CONTAINER not in ece.hosts[name].containers

    if cure:
        cure()
    again = operator.play(warnings=True)

    assert again.rc == 0, again.output
    assert len(ece.joined) == fault.joins and set(ece.joined) == set(newcomers.values()), again.output
    assert all("allocator" in ece.platform.runner(ADDRESSES[name]).roles for name in ADDRESSES)
    assert ece.tokens == [others]
    if set(fault.joined) == set(ALL) and fault.rc == "ok":
        assert again.total("changed") == 0 and re.search(r"hosts: \d+ joined, 0 new", again.output), again.output
