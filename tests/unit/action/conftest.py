# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role's steps need of Ansible, reduced to what they use."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible import constants as C
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.ece.platform.plugins.module_utils._plan import host_identity, plan_hosts
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import OneHost, Readable

PLAY = "this play"


@pytest.fixture(autouse=True)
def run_folder(monkeypatch, tmp_path):
    """The temporary folder that a run of its own has, for its notes."""
    folder = tmp_path / "run"
    folder.mkdir()
    monkeypatch.setattr(C, "DEFAULT_LOCAL_TMP", str(folder))


class Variables(OneHost):
    """Variables of a host. The role's defaults are not in it."""

    def __init__(self, variables=(), **more):
        raw = {**dict(variables), **more}
        super().__init__("own", raw, Templar(DataLoader(), raw))

    def keys(self):
        return self.raw.keys()

    def __getitem__(self, key):
        return self.raw[key]


@pytest.fixture
def bare():
    """An action without an executor around it: `act` and what it calls. Variables of its own host are `variables`."""

    def make(module, *, check_mode=False, variables=None, any_errors_fatal=False, ignore_errors=False):
        action = module.ActionModule.__new__(module.ActionModule)
        play = SimpleNamespace(_uuid=PLAY, strategy="linear", hosts=["allocators"])
        action._task = SimpleNamespace(
            action="test",
            check_mode=check_mode,
            connection="ssh",
            any_errors_fatal=any_errors_fatal,
            ignore_errors=ignore_errors,
            vars={},
            _parent=SimpleNamespace(_play=play),
        )
        action.own_variables = lambda task_vars: Variables(variables or {})
        return action

    return make


@pytest.fixture
def shown(monkeypatch):
    """Lines that a module shows to the operator. Call it with the module."""

    def collect(module):
        lines = []
        monkeypatch.setattr(module, "show", lambda line, error=False, indent="": lines.append(line))
        if hasattr(module, "warn"):
            monkeypatch.setattr(module, "warn", lambda sentence: lines.append(f"warning: {sentence}"))
        return lines

    return collect


@pytest.fixture
def role_variables(monkeypatch):
    """Variables by host name in place of HostVariables of a module. outside: hosts that are not in the batch.

    inventory: values of the inventory that an extra variable outranks, by host name.
    """

    def install(module, hosts, extra=(), outside=None, inventory=None):
        def others(keys, known):
            found.read += [name for name in outside or {} if name not in known]
            return ((name, Readable(seen[name].select(keys), [])) for name in outside or {} if name not in known)

        seen = {name: OneHost(name, variables, None) for name, variables in {**hosts, **(outside or {})}.items()}
        found = SimpleNamespace(
            of=seen.__getitem__,
            others=others,
            usable=lambda name, keys: seen[name].select(keys),
            sets=lambda variable: variable in extra,
            runs_task=lambda variables, if_unknown=True: (
                if_unknown if variables.get("unclear") else not variables.get("left")
            ),
            outranked=lambda name, variable: (inventory or {}).get(name),
            note_lookups=lambda variables, keys: None,
            read=[],
        )
        monkeypatch.setattr(module, "HostVariables", lambda action, task_vars: found)
        return found

    return install


@pytest.fixture
def play_vars():
    """Variables of a play: registered results by host name, and which hosts are out of the play."""

    def make(results, *, gone=(), batch=None, **more):
        names = list(results)
        alive = [name for name in names if name not in gone]
        return {
            "hostvars": results,
            "ansible_play_hosts_all": names,
            "ansible_play_hosts": alive,
            "ansible_play_batch": [name for name in alive if batch is None or name in batch],
            "ansible_forks": 5,
            **more,
        }

    return make


def plan_of(names, **more):
    """The plan of these hosts, none of which is joined."""
    hosts = {name: entry_of(name) for name in names}
    return {"made_at": 7.5, "max_fail_percentage": None, "joined": 3, "hosts": hosts, **more}


def entry_of(name):
    """The plan's entry of a new host."""
    wish = {**host_identity(name, {"ece_host_runner_id": f"r-{name}"}), "roles": ["allocator"], "zone": "z"}
    return plan_hosts([wish], {}, "3.8.0")[name]
