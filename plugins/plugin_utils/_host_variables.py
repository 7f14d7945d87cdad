# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""The variables of any host of the play, as that host's own tasks would see them.

`hostvars` lacks what a play, a role or a task sets. Ansible's variable manager has all of it and comes along with
hostvars; this file is the only place that uses it.
"""

from __future__ import annotations

import contextlib
from typing import Any, Iterable, Iterator, Mapping, Sequence

from ansible.errors import AnsibleError

# Lists of the play's hosts, which all hosts share. The variable manager would make them again for every host.
SHARED = ("ansible_play_batch", "ansible_play_hosts", "ansible_play_hosts_all", "play_hosts")


class HostVariables:
    """Variables by host name, with the precedence of play, role and task."""

    def __init__(self, action: Any, task_vars: Mapping[str, Any]) -> None:
        self._task = action._task
        self._play = self._task._parent._play
        self._templar = action._templar
        self._manager = task_vars["hostvars"]._variable_manager
        self._inventory = task_vars["hostvars"]._inventory
        self._shared = {key: task_vars[key] for key in SHARED if key in task_vars}
        self._batch = frozenset(task_vars.get("ansible_play_batch", ()))
        self._playing = frozenset(task_vars.get("ansible_play_hosts_all", ()))

    def of(self, name: str) -> "OneHost":
        """Return the variables of the host with this inventory name."""
        raw = self.raw(name)
        return OneHost(raw, self._templar.copy_with_new_env(available_variables=raw))

    def host(self, name: str) -> Any:
        """Return Ansible's object of the host with this inventory name."""
        return self._inventory.get_host(name)

    def raw(self, name: str) -> dict[str, Any]:
        """Return the variables of the host with this inventory name as Ansible has them, with templates in them."""
        host = self.host(name)
        raw = self._manager.get_vars(play=self._play, host=host, task=self._task, _hosts=[name], _hosts_all=[name])
        raw.update(self._shared)
        return dict(raw)

    def usable(self, name: str, keys: Sequence[str]) -> dict[str, Any]:
        """Return those of the keys that are defined for any host of the inventory and can be templated."""
        if name in self._playing:
            return self.of(name).usable(keys)
        # Without play and task, which do not concern this host.
        raw = self._manager.get_vars(host=self._inventory.get_host(name), include_hostvars=False)
        return OneHost(raw, self._templar.copy_with_new_env(available_variables=raw)).usable(keys)

    def others(self, keys: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield name and variables of each host of the inventory that is not in the batch, as with --limit."""
        for name in list(self._inventory.hosts):
            if name not in self._batch:
                yield name, self.usable(name, keys)


class OneHost:
    """One host's variables. A variable is templated when it is read, because most are never read."""

    def __init__(self, raw: Mapping[str, Any], templar: Any) -> None:
        self._raw = raw
        self._templar = templar

    def get(self, key: str, default: Any = None) -> Any:
        """Return the templated value, or the default where it is undefined, None or empty."""
        value = self._templar.template(self._raw[key]) if key in self._raw else None
        return default if value is None or value == "" else value

    def select(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return those of the keys that are defined, templated."""
        return {key: self._templar.template(self._raw[key]) for key in keys if key in self._raw}

    def usable(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return those of the keys that are defined and can be templated, templated."""
        found = {}
        for key in keys:
            with contextlib.suppress(AnsibleError):
                found.update(self.select([key]))
        return found
