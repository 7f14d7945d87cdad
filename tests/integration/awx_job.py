# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs as AWX runs them, without its server and its containers.

AWX makes a folder for each job, with project, inventory, variables, environment and arguments. ansible-runner runs the
playbook in it, or transmits it to another node and runs the playbook there. What AWX knows of a job it knows from its
events. The layout follows awx/main/tasks/jobs.py of https://github.com/ansible/awx.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.awx.files import load
from tests.awx.rules import inject
from tests.integration.operator import COLLECTIONS, PLAY_TIMEOUT_SECONDS, Operator
from tests.integration.scenarios.scenario import until

PLAYBOOK = "add_allocators.yml"
PROJECT = {
    PLAYBOOK: "---\n- ansible.builtin.import_playbook: ece.platform.add_allocators\n",
    "collections/requirements.yml": "---\ncollections: [{name: ece.platform}]\n",
}
# The prompt that AWX answers with the become password of a machine credential.
BECOME_PROMPT = r"BECOME password.*:\s*?$"
# The names of AWX's variables for jobs begin with these.
PREFIXES = ("awx", "tower")
# AWX has these for all jobs.
SETTINGS = {
    "ANSIBLE_FORCE_COLOR": "True",
    "ANSIBLE_HOST_KEY_CHECKING": "False",
    "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
    "ANSIBLE_PARAMIKO_RECORD_HOST_KEYS": "False",
    "ANSIBLE_RETRY_FILES_ENABLED": "False",
    "INVENTORY_ID": "2",
    "MAX_EVENT_RES": "700000",
}
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
WATCHDOG = b"_token_watchdog"


class _Unsafe(yaml.SafeDumper):
    """Marks each text as one that is never templated, as AWX marks what is given at a launch."""


_Unsafe.add_representer(str, lambda dumper, text: dumper.represent_scalar("!unsafe", text))


@dataclass
class JobEnd:
    """How a job ended, by its events. status and rc: of ansible-runner, empty where it was killed."""

    status: str
    rc: str
    events: list[dict[str, Any]]

    @property
    def output(self) -> str:
        """The output of the job as AWX shows it."""
        return output_of(self.events)

    @property
    def text(self) -> str:
        """The output with a single blank for every run of white space."""
        return " ".join(self.output.split())

    @property
    def statistics(self) -> dict[str, Any]:
        """The data of Ansible's recap."""
        found = [event["event_data"] for event in self.events if event["event"] == "playbook_on_stats"]
        assert len(found) == 1, self.output
        return dict(found[0])

    @property
    def artifacts(self) -> dict[str, Any]:
        """The statistics of the play (set_stats), which AWX keeps and passes to the next job of a workflow."""
        return dict(self.statistics["artifact_data"])

    @property
    def failed_hosts(self) -> list[str]:
        """The hosts that a relaunch on failed hosts takes."""
        statistics = self.statistics
        return sorted(name for what in ("failures", "dark") for name, count in statistics[what].items() if count)


class Awx:
    """Launches jobs for an operator. All processes are watched until the block ends."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        ece = operator.ece
        # The inputs of the credential.
        self.credential = {
            "url": ece.url,
            "api_key": "",
            "username": ece.username,
            "password": ece.password,
            "ca": Path(ece.ca_path).read_text(encoding="utf-8"),
        }
        operator.group_vars.update(ece_url=None, ece_ca_path=None)
        # Hosts of other groups, which slices count too.
        self.others: dict[str, dict[str, Any]] = {}
        self._jobs: list[Job] = []
        self._watch = operator.processes.watching()

    def __enter__(self) -> Awx:
        self._watch.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        for job in self._jobs:
            job.kill()
        self._watch.__exit__(*exception)

    def job(self, **launch: Any) -> Job:
        """Return a job to start, with the fields of `Launch`."""
        job = Job(self, 16 + len(self._jobs), Launch(**launch))
        self._jobs.append(job)
        return job

    def slices(self, count: int, **launch: Any) -> list[Job]:
        """Return the jobs of one launch of a template with so many slices."""
        return [
            self.job(slice_number=number, slice_count=count, workflow=1, **launch) for number in range(1, count + 1)
        ]

    def relaunch(self, job: Job, hosts: Sequence[str] = ()) -> Job:
        """Return the job that a relaunch of this one makes, on all its hosts or on some of them."""
        limit = ",".join(hosts) or job.launch.limit
        return self.job(**{**vars(job.launch), "limit": limit})

    def run(self, *jobs: Job) -> list[JobEnd]:
        """Run jobs at the same time, and return their ends after a search for secrets."""
        for job in jobs:
            job.start()
        ends = [job.wait() for job in jobs]
        self.scan(*ends)
        return ends

    def scan(self, *ends: JobEnd) -> None:
        """Search for secrets in what jobs left and showed. A hit fails the test."""
        self.operator.scan("\n".join(json.dumps(end.events) + end.output for end in ends))

    def inventory(self) -> dict[str, Any]:
        """Return the whole inventory: groups with their hosts."""
        content = yaml.safe_load(self.operator.inventory().read_text(encoding="utf-8"))["all"]
        groups = {name: group["hosts"] for name, group in content["children"].items()}
        return {"vars": content["vars"], "groups": {**groups, **({"others": self.others} if self.others else {})}}


@dataclass(frozen=True, kw_only=True)
class Launch:
    """What a user gives at a launch, and what the template and its machine credential have.

    survey: answers, which are never templated. wire: the job runs on another node. shown: ansible-runner prints the
    output itself, which AWX turns off.
    """

    survey: Mapping[str, Any] | None = None
    limit: str = ""
    check: bool = False
    verbosity: int = 0
    slice_number: int = 1
    slice_count: int = 1
    workflow: int | None = None
    wire: bool = False
    shown: bool = False
    become_password: str = ""
    ssh_key: str = ""


class Job:
    """One job: a folder, the processes that run it, and its events."""

    def __init__(self, awx: Awx, number: int, launch: Launch) -> None:
        self.number = number
        self.launch = launch
        self._awx = awx
        self._operator = awx.operator
        folder = self._operator.folder / f"job-{number}"
        # The folder that AWX makes, and the one in which the playbook runs.
        self.private = folder / "private"
        self.node = folder / "node" if launch.wire else self.private
        # The container's.
        self._home = folder / "home"
        for path in (self.private, self.node, self._home):
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o700)
        self._processes: list[subprocess.Popen[str]] = []
        self._killed = False

    # -- its folder ---------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        for name, text in PROJECT.items():
            self._write(f"project/{name}", text)
        # Where the update of a project installs what its requirements name.
        (self.private / "requirements_collections").symlink_to(COLLECTIONS)
        (self.private / "cp").mkdir(mode=0o700)
        data = script_data(self._awx.inventory(), self.launch.slice_number, self.launch.slice_count)
        self._write("inventory/hosts", f"#!/usr/bin/env python3\nprint({json.dumps(data)!r})\n", 0o700)
        self._write("env/extravars", yaml.dump(self._variables(), Dumper=_Unsafe))
        self._write("env/cmdline", shlex.join(self._arguments()))
        self._write("env/envvars", json.dumps(self._environment()))
        quiet = not self.launch.shown
        self._write("env/settings", json.dumps({"suppress_ansible_output": quiet, "suppress_output_file": quiet}))
        password = self.launch.become_password
        self._write("env/passwords", json.dumps({BECOME_PROMPT: password} if password else {}))
        if self.launch.ssh_key:
            self._write("env/ssh_key", self.launch.ssh_key)
        # The operator put the credential there. ansible-runner copies the environment of any job into `command`.
        secret = ("env/envvars", f"artifacts/{self.number}/command")
        self._operator.credential_files |= {folder / name for folder in (self.private, self.node) for name in secret}

    def _write(self, name: str, text: str, mode: int = 0o600) -> None:
        path = self.private / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode)
        path.write_text(text, encoding="utf-8")

    def _variables(self) -> dict[str, Any]:
        launch, workflow = self.launch, {}
        if launch.workflow:
            workflow = {"workflow_job_id": launch.workflow, "workflow_job_name": "Add allocators"}
        own = {
            "job_id": self.number,
            "job_launch_type": "manual",
            "job_template_id": 9,
            "job_template_name": "Add allocators",
            "user_name": "ops",
            "user_email": "",
            "inventory_id": 2,
            "inventory_name": "fleet",
            "project_revision": "",
            "project_scm_branch": "",
            **workflow,
        }
        meta = {f"{prefix}_{name}": value for prefix in PREFIXES for name, value in own.items()}
        return {**(launch.survey or {}), **meta}

    def _arguments(self) -> list[str]:
        launch = self.launch
        return [
            *(["--check", "--diff"] if launch.check else []),
            *("-u", "root"),
            *(["--ask-become-pass"] if launch.become_password else []),
            *(["-l", launch.limit] if launch.limit else []),
            *(["-" + "v" * launch.verbosity] if launch.verbosity else []),
        ]

    def _environment(self) -> dict[str, str]:
        return {
            **SETTINGS,
            "ANSIBLE_COLLECTIONS_PATH": str(self.node / "requirements_collections"),
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.node / "cp"),
            "AWX_PRIVATE_DATA_DIR": str(self.private),
            "JOB_ID": str(self.number),
            **self._injected(),
        }

    def _injected(self) -> dict[str, str]:
        """Return the variables that the credential puts into the environment, after writing its file."""
        credential_type = load("credential_type.yml")
        injected = inject(credential_type, self._awx.credential, self.private / "env", self.node / "env")
        # The scan accepts these in environments.
        self._operator.environment.update(injected.env)
        return injected.env

    # -- its processes ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the job."""
        self._lay_out()
        runner, number = os.fspath(self._operator.core / "ansible-runner"), str(self.number)
        folder = os.fspath(self.private)
        if not self.launch.wire:
            self._open([runner, "run", folder, "-p", PLAYBOOK, "-i", number], None)
            return
        sent = self._open([runner, "transmit", folder, "-p", PLAYBOOK, "-i", number], None)
        done = self._open([runner, "worker", "--private-data-dir", os.fspath(self.node)], sent)
        self._open([runner, "process", folder, "-i", number], done)

    def _open(self, command: list[str], before: subprocess.Popen[str] | None) -> subprocess.Popen[str]:
        # What AWX itself has in its environment is not the job's.
        hidden = {*self._operator.recorders(), *self._operator.environment, "ANSIBLE_NOCOLOR"}
        environment = {key: value for key, value in self._operator.play_environment().items() if key not in hidden}
        with open(self._home / "errors", "a", encoding="utf-8") as errors:
            process = subprocess.Popen(
                command,
                env={**environment, "HOME": str(self._home), "ANSIBLE_HOME": str(self._home / ".ansible")},
                stdin=before.stdout if before else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=self._home,
                start_new_session=True,
            )
        if before and before.stdout:
            before.stdout.close()  # so that a process gets a signal when the one that reads from it has ended
        self._processes.append(process)
        return process

    @property
    def is_running(self) -> bool:
        """Whether ansible-runner has not ended."""
        return any(process.poll() is None for process in self._processes)

    def wait_for_output(self, text: str) -> None:
        """Wait until a line of the output has this text, while the job runs."""
        until(lambda: text in output_of(self.events()) or not self.is_running, PLAY_TIMEOUT_SECONDS)
        assert self.is_running and text in output_of(self.events()), output_of(self.events())

    def read_until(self, text: str) -> None:
        """Read what ansible-runner itself prints up to a line that has this text. Kills it if that takes too long."""
        printed = self._processes[0].stdout
        assert printed
        limit = threading.Timer(PLAY_TIMEOUT_SECONDS, self._processes[0].kill)
        limit.start()
        try:
            for line in printed:
                if text in line:
                    return
        finally:
            limit.cancel()
        raise AssertionError(f"the job ended without {text!r}")

    def wait(self) -> JobEnd:
        """Wait for the end of the job."""
        printed = self._processes[-1].communicate(timeout=PLAY_TIMEOUT_SECONDS)[0]
        for process in self._processes:
            process.wait(PLAY_TIMEOUT_SECONDS)
        errors = (self._home / "errors").read_text(encoding="utf-8")
        assert self._killed or self._artifact("status"), printed + errors
        return JobEnd(self._artifact("status"), self._artifact("rc"), self.events(partly=self._killed))

    def cancel(self) -> JobEnd:
        """Cancel the job as AWX does: ansible-runner gets a signal and kills the play, and the container goes."""
        self._freeze_watchdogs()
        self._processes[1 if self.launch.wire else 0].send_signal(signal.SIGTERM)
        end = self.wait()
        self.kill()
        return end

    def kill(self) -> None:
        """Kill all processes of the job at once, as where its container or its node is gone. Those of hosts stay."""

        def killed() -> bool:
            found = list(self._all_processes())
            for pid in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not found

        self._killed = True
        self._freeze_watchdogs()
        until(killed)
        for process in self._processes:
            process.wait(PLAY_TIMEOUT_SECONDS)

    def _freeze_watchdogs(self) -> None:
        """Stop what would revoke a token between the end of the play and that of its container."""
        for pid in self._all_processes():
            with contextlib.suppress(OSError):
                if WATCHDOG in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGSTOP)

    def _all_processes(self) -> Iterator[int]:
        home, folders = f"HOME={self._home}".encode(), {os.fsencode(self.private), os.fsencode(self.node)}
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (path / "cmdline").read_bytes()
                in_folder = any(folder in command for folder in folders)
                if in_folder or (WATCHDOG in command and home in (path / "environ").read_bytes().split(b"\0")):
                    yield int(path.name)

    # -- its results --------------------------------------------------------------------------------------------------

    def events(self, *, partly: bool = True) -> list[dict[str, Any]]:
        """Return the events up to now, in order. partly: one may be incomplete, because the job is running."""
        found = []
        for path in (self.private / "artifacts" / str(self.number) / "job_events").glob("[0-9]*-*.json"):
            if path.name.endswith("-partial.json"):
                continue
            with contextlib.suppress(*((OSError, ValueError) if partly else ())):
                found.append(json.loads(path.read_text(encoding="utf-8")))
        return sorted(found, key=lambda event: event["counter"])

    def _artifact(self, name: str) -> str:
        path = self.private / "artifacts" / str(self.number) / name
        return path.read_text(encoding="utf-8") if path.exists() else ""


def output_of(events: Sequence[Mapping[str, Any]]) -> str:
    """Return the output that events have, without colours."""
    return COLOUR.sub("", "\n".join(event["stdout"] for event in events if event.get("stdout"))).replace("\r", "")


def script_data(inventory: Mapping[str, Any], number: int, count: int) -> dict[str, Any]:
    """Return what the inventory script of a slice prints: hosts of other slices are gone, and groups stay."""
    groups = inventory["groups"]
    hosts = {name: variables for group in groups.values() for name, variables in group.items()}
    mine = sorted(hosts)[number - 1 :: count]
    data: dict[str, Any] = {"all": {"vars": inventory["vars"], "hosts": [], "children": list(groups)}}
    for group, members in groups.items():
        names = [name for name in members if name in mine]
        # A group that has nothing is only named.
        data.update({group: {"hosts": names}} if names else {})
    own = {name: {"remote_tower_enabled": "true", "remote_tower_id": place} for place, name in enumerate(sorted(hosts))}
    data["_meta"] = {"hostvars": {name: {**hosts[name], **own[name]} for name in mine}}
    return data
