# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operator interrupts a run, starts several at once, or leaves out a part of it."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from typing import Any

from tests.integration.operator import Operator, Run
from tests.integration.scenarios.answers import TOKEN_REVOKED, TOKENS
from tests.integration.scenarios.scenario import (
    ADDRESSES,
    CONNECTED,
    Joined,
    Reaches,
    Scenario,
    Undo,
    faulty,
    hold_installers,
    host_a,
    until,
)
from tests.role_names import MINT_TASK, WAIT_TASK
from tests.standin.hosts import INSTALLER_CONTAINER

ONE_CONNECTED = "1/1 connected"
REVOKED = (
    "the token watchdog revokes the token; the second run waits for the installers, which fail because of that, "
    "and the third run installs again"
)
RUN_AGAIN = "the installer that an earlier run started has failed; run this again to start a new one"

# -- what the operator does ------------------------------------------------------------------------------------------


def hosts_install(operator: Operator) -> bool:
    """Return whether both hosts install and the run waits for them, for which it reads the runners a second time."""
    installing = all(INSTALLER_CONTAINER in operator.ece.hosts[name].containers for name in ADDRESSES)
    return installing and sum(entry["path"].endswith("/runners") for entry in operator.ece.requests) > 1


def token_is_minted(operator: Operator) -> bool:
    """Return whether the run has minted a token, besides the one that was there before."""
    return operator.ece.minted > 1


def interrupt(number: signal.Signals, moment: Callable[[Operator], bool] = hosts_install) -> Callable[[Operator], Run]:
    """Return a run that gets a signal at this moment, with all its processes, as from a terminal."""

    def run(operator: Operator) -> Run:
        running = operator.start()
        until(lambda: moment(operator) or running.process.poll() is not None)
        os.killpg(running.process.pid, number)
        return operator.wait_for(running)

    return run


def waiting_runs(operator: Operator) -> int:
    """Return how many runs have begun to wait for installers. Each line of Ansible's log has the id of its process."""
    log = operator.records / "ansible.log"
    lines = log.read_text(encoding="utf-8") if log.exists() else ""
    return len(set(re.findall(rf"p=(\d+) .*{re.escape(WAIT_TASK)}", lines)))


def until_all_wait(operator: Operator, runs: int) -> list[Run]:
    """Run the same play so many times at once, and return the runs. No installer goes on before all of them wait."""
    release = hold_installers(operator)
    waited = waiting_runs(operator)
    running = [operator.start() for _ in range(runs)]
    until(lambda: waiting_runs(operator) == waited + runs)
    release()
    return [operator.wait_for(each) for each in running]


def at_once(operator: Operator, *options: tuple[str, ...]) -> list[Run]:
    """Run the playbook several times at once, once with each of these options."""
    return [operator.wait_for(running) for running in [operator.start(*each) for each in options]]


def limited_to_each_host(operator: Operator) -> list[Run]:
    """Run the playbook for both hosts at once, each with a run of its own."""
    return at_once(operator, *(("--limit", name) for name in ADDRESSES))


def last_of(runs: list[Run]) -> Run:
    """Return the last run, after asserting that all of them succeeded."""
    assert [run.rc for run in runs] == [0] * len(runs), "\n".join(run.output for run in runs)
    return runs[-1]


def one_mint_is_lost(operator: Operator) -> Run:
    """Mint in two runs at once, lose the answer to one of the two, and return the run that lost it."""
    operator.armed.append(operator.ece.fault(method="POST", path=TOKENS, delay=1, reset="after"))
    succeeded, failed = sorted(limited_to_each_host(operator), key=lambda run: run.rc)
    assert succeeded.rc == 0 and ONE_CONNECTED in succeeded.text, succeeded.output
    assert operator.ece.minted == 3, "one before the runs, one that was used, and one that was lost"
    return failed


def wrong_version(operator: Operator) -> Undo:
    """Set a version that the platform does not run."""
    operator.group_vars["ece_host_version"] = "3.7.0"
    return lambda: operator.group_vars.pop("ece_host_version")


def retry_file(operator: Operator) -> Undo:
    """Let the installer of host "a" fail. The undo limits the second run to the hosts in the retry file."""
    folder = operator.folder / "retry"
    operator.environment.update(ANSIBLE_RETRY_FILES_ENABLED="true", ANSIBLE_RETRY_FILES_SAVE_PATH=str(folder))
    undo_failure = host_a(fail=5)(operator)

    def undo() -> None:
        undo_failure()
        operator.options += ["--limit", f"@{folder / 'add_allocators.retry'}"]

    return undo


def a_token_for_each_batch(operator: Operator) -> None:
    """Assert that each of the two batches minted a token."""
    assert operator.ece.minted == 3, "one before the run, and one for each batch"


# -- scenarios -------------------------------------------------------------------------------------------------------


def interruptions() -> Iterator[Scenario]:
    """Yield the scenarios in which the run is interrupted."""
    common: dict[str, Any] = {
        "afterwards": REVOKED,
        "prepare": hold_installers,
        "watchdog_revokes": True,
        "second_run_fails": RUN_AGAIN,
        "second_run": lambda operator: until_all_wait(operator, 1)[0],
    }
    yield Scenario(
        name="operator-ctrl-c",
        what="The operator presses Ctrl-C while hosts install",
        message="User interrupted execution",
        run=interrupt(signal.SIGINT),
        **common,
    )
    yield Scenario(
        name="operator-sigterm",
        what="The run gets SIGTERM while hosts install",
        message=WAIT_TASK,
        run=interrupt(signal.SIGTERM),
        **common,
    )
    yield Scenario(
        name="operator-sigkill",
        what="The run gets SIGKILL while hosts install",
        message=WAIT_TASK,
        run=interrupt(signal.SIGKILL),
        **common,
    )
    yield Scenario(
        name="operator-sigkill-ephemeral",
        what="The run gets SIGKILL while hosts install, and the token is ephemeral",
        message=WAIT_TASK,
        afterwards="the installers go on, the second run waits for them",
        run=interrupt(signal.SIGKILL),
        prepare=hold_installers,
        variables={"ece_host_token_persistent": False},
    )
    yield Scenario(
        name="operator-sigkill-mid-mint",
        what="The run gets SIGKILL after it requested the token and before it received it",
        message=MINT_TASK,
        reaches=Reaches.MINT,
        afterwards="the token watchdog receives the token and revokes it",
        prepare=faulty(method="POST", path=TOKENS, delay_after=3),
        run=interrupt(signal.SIGKILL, token_is_minted),
        watchdog_revokes=True,
    )


def several_runs() -> Iterator[Scenario]:
    """Yield the scenarios with several batches or several runs at once."""
    yield Scenario(
        name="operator-batches",
        what="Hosts join in batches of one",
        succeeds=True,
        message=f"{ONE_CONNECTED}: b",
        joined=Joined.BOTH,
        afterwards="each batch has its own token, which is revoked at its end",
        variables={"ece_host_batch": 1},
        check=a_token_for_each_batch,
    )
    yield Scenario(
        name="operator-same-play-twice",
        what="The same play runs twice at once for the same hosts",
        succeeds=True,
        message=CONNECTED,
        joined=Joined.BOTH,
        afterwards="one run installs, the other one waits for it",
        run=lambda operator: last_of(until_all_wait(operator, 2)),
    )
    yield Scenario(
        name="operator-two-plays",
        what="Two plays run at once for different hosts",
        succeeds=True,
        message=ONE_CONNECTED,
        joined=Joined.BOTH,
        afterwards="each play has its own token",
        run=lambda operator: last_of(limited_to_each_host(operator)),
    )
    yield Scenario(
        name="operator-two-mints-one-lost",
        what="Two plays mint at once, and the answer to one of them is lost",
        message=TOKEN_REVOKED,
        joined=Joined.EITHER,
        afterwards="the lost token is revoked, the other play keeps its token until its end",
        run=one_mint_is_lost,
    )


def parts_of_a_run() -> Iterator[Scenario]:
    """Yield the scenarios in which the operator's arguments or variables change what the run does."""
    yield Scenario(
        name="operator-wrong-version",
        what="The inventory asks for a version that the platform does not run",
        message="ece_host_version 3.7.0",
        reaches=Reaches.PLAN,
        prepare=wrong_version,
    )
    yield Scenario(
        name="operator-limit",
        what="The run is limited to one host with --limit",
        succeeds=True,
        message=f"{ONE_CONNECTED}: a",
        joined=Joined.A,
        afterwards="the next run joins the other one",
        run=lambda operator: operator.play("--limit", "a"),
    )
    yield Scenario(
        name="operator-start-at-task",
        what="The run skips the plan with --start-at-task",
        message="there is no plan: start at the first task",
        reaches=Reaches.PLAN,
        run=lambda operator: operator.play("--start-at-task", WAIT_TASK),
    )
    yield Scenario(
        name="operator-retry-file",
        what="A host fails, and the second run uses the retry file",
        message="a failed: installer exit 5",
        joined=Joined.B,
        afterwards="the retry file names the host that failed",
        prepare=retry_file,
    )


def scenarios() -> Iterator[Scenario]:
    """Yield the scenarios of this file."""
    yield from interruptions()
    yield from several_runs()
    yield from parts_of_a_run()
