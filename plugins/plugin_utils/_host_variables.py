# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables of many hosts, seen by one task in the controller.

C(hostvars) leaves out what a play, a role or a task sets; a task that plans for all hosts has to see what each host's own
tasks will see. Ansible has that in its variable manager, which hostvars carries with it; this is the only place that uses it.
"""

from __future__ import annotations

from typing import Any, Iterable, Mapping

# Lists of the play's hosts, the same for each of them. The variable manager would make them anew for every host.
OF_PLAY = ("ansible_play_batch", "ansible_play_hosts", "ansible_play_hosts_all", "play_hosts")


class HostVariables:
    """C(of(name)) gives one host's variables by its play's, role's and task's precedence, each templated when asked for."""

    def __init__(self, action, task_vars: Mapping[str, Any]) -> None:
        self._task = action._task
        self._play = self._task._parent._play
        self._templar = action._templar
        self._manager = task_vars["hostvars"]._variable_manager
        self._inventory = task_vars["hostvars"]._inventory
        self._of_play = {key: task_vars[key] for key in OF_PLAY if key in task_vars}

    def of(self, name: str) -> "OneHost":
        """Variables of the host with this inventory name."""
        raw = self._manager.get_vars(
            play=self._play, host=self._inventory.get_host(name), task=self._task, _hosts=[name], _hosts_all=[name]
        )
        raw.update(self._of_play)
        return OneHost(raw, self._templar.copy_with_new_env(available_variables=raw))


class OneHost:
    """One host's variables, templated one by one: most are never looked at."""

    def __init__(self, raw: Mapping[str, Any], templar) -> None:
        self._raw = raw
        self._templar = templar

    def get(self, key: str, default: Any = None) -> Any:
        """The templated value; default where it is undefined, None or empty."""
        value = self._templar.template(self._raw[key]) if key in self._raw else None
        return default if value is None or value == "" else value

    def select(self, keys: Iterable[str]) -> dict[str, Any]:
        """Those of the keys that are defined, templated."""
        return {key: self._templar.template(self._raw[key]) for key in keys if key in self._raw}
