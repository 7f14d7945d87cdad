# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host cannot be installed, or does not join as it should. More faults of hosts are in extensions/molecule/faults."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from tests.integration.operator import Operator
from tests.integration.scanner import commands
from tests.integration.scenarios.scenario import ADDRESSES, Joined, Scenario, Undo, host_a, until


@dataclass(frozen=True, kw_only=True)
class ExitCode:
    """An exit code of the installer, as the vendor documents it."""

    meaning: str
    remedy: str


EXIT_CODES = {
    1: ExitCode(
        meaning="general failure",
        remedy="The cause may be the storage path, the host IP, operating system and engine, the version, "
        "or that the platform refused the host.",
    ),
    2: ExitCode(meaning="unknown command", remedy="check that the installer file is elastic-cloud-enterprise.sh"),
    3: ExitCode(
        meaning="unknown or empty argument",
        remedy="use the script of the platform's version, or check extra_args",
    ),
    4: ExitCode(
        meaning="bad user",
        remedy="The install user needs a UID and GID of 1000 or more and must be able to run docker: "
        "add it to the engine's group.",
    ),
    5: ExitCode(
        meaning="precondition",
        remedy="Start the container engine or set the socket's path; stop firewalld or open its ports.",
    ),
}


def joins_another_zone(operator: Operator) -> Undo:
    """Let host "a" join in another zone. The undo removes it from the platform and wipes it."""
    undo_zone = host_a(join_zone="ece-zone-3")(operator)

    def undo() -> None:
        undo_zone()
        operator.ece.platform.remove(ADDRESSES["a"])
        operator.ece.hosts["a"].wipe()

    return undo


def token_without_role(operator: Operator) -> None:
    """Let the platform admit hosts without a role, as when its policy permits less than the token states."""
    admit = operator.ece.platform.tokens.admit
    operator.ece.platform.tokens.admit = lambda token: admit(token) and frozenset()  # type: ignore[method-assign]


def drops_once_seen(operator: Operator) -> Undo:
    """Let host "a" disconnect as soon as the run has seen that it is connected."""
    platform = operator.ece.platform

    def is_connected() -> bool:
        runners = [runner for runner in platform.current_runners() if runner.runner_id == ADDRESSES["a"]]
        return any(runner.connected(platform.now()) for runner in runners)

    def drop() -> None:
        until(is_connected)
        before = len(operator.ece.requests)
        # The first one may have been answered before, and the last one is not answered yet.
        until(lambda: sum(entry["path"].endswith("/allocators") for entry in operator.ece.requests[before:]) >= 3)
        platform.disconnect(ADDRESSES["a"])

    threading.Thread(target=drop, daemon=True).start()
    return lambda: platform.connect(ADDRESSES["a"])


def nothing_runs_on_a(operator: Operator) -> None:
    """Assert that host "a" has no container and no process of the installer."""
    host = operator.ece.hosts["a"]
    assert host.containers == []
    installers = [command for command in commands().values() if b"elastic-cloud-enterprise.sh" in command]
    assert not [command for command in installers if os.fsencode(host.folder) in command]


def a_is_not_started(operator: Operator) -> None:
    """Assert that no installer was started on host "a"."""
    assert not operator.ece.hosts["a"].has_started


def installer_exits(code: int, exit_code: ExitCode) -> Scenario:
    """Return the scenario in which the installer ends with this exit code."""
    return Scenario(
        name=f"installer-exit-{code}",
        what=f"The installer ends with exit code {code}",
        message=f"a failed: installer exit {code} ({exit_code.meaning})",
        joined=Joined.B,
        afterwards=exit_code.remedy,
        prepare=host_a(fail=code),
    )


def failed_installs() -> Iterator[Scenario]:
    """Yield the scenarios in which the installer of a host fails or is not started."""
    for code, exit_code in EXIT_CODES.items():
        yield installer_exits(code, exit_code)
    yield Scenario(
        name="installer-hangs-here",
        what="The installer hangs",
        message="a failed: the installer did not end within 15 s and was stopped.",
        joined=Joined.B,
        afterwards="its processes and its container are gone",
        prepare=host_a(hang=1),
        check=nothing_runs_on_a,
        variables={"ece_host_install_timeout": 15},
    )
    yield Scenario(
        name="engine-stopped",
        what="The container engine of a host does not answer",
        message="cannot tell whether ECE is on it: the container engine does not answer",
        joined=Joined.B,
        afterwards="no installer is started on that host",
        prepare=host_a(broken=1),
        check=a_is_not_started,
    )


def wrong_joins() -> Iterator[Scenario]:
    """Yield the scenarios in which hosts join, but not as they should."""
    yield Scenario(
        name="joins-another-zone",
        what="A host joins in another zone than the inventory has",
        message="a failed: it joined, but it is in zone ece-zone-3 instead of ece-zone-1; "
        "remove the host from the platform and join it again",
        joined=Joined.BOTH,
        afterwards="once removed and wiped, the host joins in its zone",
        prepare=joins_another_zone,
    )
    yield Scenario(
        name="joins-without-the-role",
        what="Hosts join, but the token does not give them the role",
        message="it is connected but without the role allocator, as happens when a token does not permit it; "
        "run this again to assign the role through the API",
        joined=Joined.BOTH,
        afterwards="the second run assigns it through the API",
        prepare=token_without_role,
        variables={"ece_host_connect_timeout": 5},
    )
    yield Scenario(
        name="drops-within-the-settle-time",
        what="A host connects and disconnects within the settle time",
        message="it connected once and disconnected again: look at its runner's logs",
        joined=Joined.BOTH,
        afterwards="once it is connected again, there is nothing to do",
        prepare=drops_once_seen,
        variables={"ece_host_settle_time": 20, "ece_host_connect_timeout": 30},
    )


def scenarios() -> Iterator[Scenario]:
    """Yield the scenarios of this file."""
    yield from failed_installs()
    yield from wrong_joins()
