# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""The variables of any host of the play, as that host's own tasks would see them.

`hostvars` lacks what a play, a role or a task sets. Ansible's variable manager has all of it and comes along with
hostvars; this file is the only place that uses it.
"""

from __future__ import annotations

import functools
import re
from typing import Any, Collection, Iterable, Iterator, Mapping, NamedTuple, Sequence

import jinja2
from ansible import errors
from ansible.errors import AnsibleError

from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.plugin_utils._variable_types import converted, spec_of

# Lists of the play's hosts, which all hosts share. The variable manager would make them again for every host.
SHARED = ("ansible_play_batch", "ansible_play_hosts", "ansible_play_hosts_all", "play_hosts")
ACTION_GROUP = "group/ece.platform.ece"
# Before ansible-core 2.19, `omit` is text.
OMITTED: Any = getattr(errors, "AnsibleValueOmittedError", ())
_UNDEFINED_NAME = re.compile(r"'([A-Za-z_]\w*)' is undefined")
# Lookups that read variables which their template does not name.
_READS_ANY_VARIABLE = re.compile(r"\b(lookup|query|q)\b.*['\"](ansible\.builtin\.)?(vars|varnames|template)['\"]", re.S)
_COMPARABLE = (str, bool, int, float, list, dict, type(None))
# A template that runs a lookup has one of these names in it.
LOOKUPS = ("lookup", "query", "q")


class Readable(NamedTuple):
    """Values of a host's variables, and those variables that are set, but cannot be read."""

    values: dict[str, Any]
    unknown: list[str]


class HostVariables:
    """Variables by host name, with the precedence of play, role and task."""

    def __init__(self, action: Any, task_vars: Mapping[str, Any]) -> None:
        self._task = action._task
        self._play = self._task._parent._play
        self._templar = action._templar
        self._manager = task_vars["hostvars"]._variable_manager
        self._inventory = task_vars["hostvars"]._inventory
        self._shared = {key: task_vars[key] for key in SHARED if key in task_vars}
        self._playing = frozenset(task_vars.get("ansible_play_hosts_all", ()))
        self._defaults = connection_defaults(action._task)
        self._empty = {key: value for key, value in self.extra.items() if key.startswith("ece_") and _is_empty(value)}
        self._looked_up = LookedUp()

    @property
    def extra(self) -> Mapping[str, Any]:
        """The extra variables of the run, which outrank all others."""
        return self._manager.extra_vars or {}

    def sets(self, variable: str) -> bool:
        """Return whether the run gives a variable a value for all hosts, as an extra variable."""
        return not _is_empty(self.extra.get(variable))

    def of(self, name: str) -> "OneHost":
        """Return the variables of the host with this inventory name."""
        raw = self._without_extra_variables(name, self._empty) if self._empty else self._raw(name)
        hidden = {key: raw[key] for key in self._empty if not _is_empty(raw.get(key))}
        raw.update(self._empty)
        raw.update(self._shared)
        templar = self._templar.copy_with_new_env(available_variables=raw)
        return OneHost(name, raw, templar, defaults=self._defaults, hidden=self._not_from_the_role(hidden))

    def outranked(self, name: str, variable: str) -> Any:
        """Return the value of a host's variable that an extra variable outranks, or None."""
        raw = self._without_extra_variables(name, [variable])
        templar = self._templar.copy_with_new_env(available_variables=raw)
        return OneHost(name, raw, templar).readable([variable]).values.get(variable)

    def host(self, name: str) -> Any:
        """Return Ansible's object of the host with this inventory name."""
        return self._inventory.get_host(name)

    def raw(self, name: str) -> dict[str, Any]:
        """Return the variables of the host with this inventory name as Ansible has them, with templates in them."""
        return {**self._raw(name), **self._shared}

    def usable(self, name: str, keys: Sequence[str]) -> dict[str, Any]:
        """Return those of the keys that are set for any host of the inventory and can be templated."""
        return self._of_any(name).readable(keys).values

    def others(self, keys: Sequence[str], known: Collection[str]) -> Iterator[tuple[str, Readable]]:
        """Yield name and variables of each host of the inventory that is not among the known ones.

        Such hosts are left out by --limit, by a batch or by a condition. No lookup runs for them, as it may be slow, or
        prompt. Its value is known where a host of the plan has the same one (note_lookups).
        """
        for name in list(self._inventory.hosts):
            if name not in known:
                yield name, self._of_any(name).readable(keys, self._looked_up)

    def note_lookups(self, variables: "OneHost", keys: Sequence[str]) -> None:
        """Keep what lookups gave for a host of the plan, for hosts for which they would give the same."""
        self._looked_up.note(variables, keys)

    def _of_any(self, name: str) -> "OneHost":
        if name in self._playing:
            return self.of(name)
        # Without play and task, which do not concern this host.
        raw = self._manager.get_vars(host=self.host(name), include_hostvars=False)
        return OneHost(name, raw, self._templar.copy_with_new_env(available_variables=raw))

    def _raw(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self._manager.get_vars(
            play=self._play, host=self.host(name), task=self._task, _hosts=[name], _hosts_all=[name]
        )
        return found

    def _without_extra_variables(self, name: str, left_out: Collection[str]) -> dict[str, Any]:
        # This process is Ansible's worker for one task, so that nothing else sees the change.
        every = self._manager._extra_vars
        self._manager._extra_vars = {key: value for key, value in every.items() if key not in left_out}
        try:
            return self._raw(name)
        finally:
            self._manager._extra_vars = every

    def _not_from_the_role(self, hidden: Mapping[str, Any]) -> dict[str, Any]:
        role = self._task._role if hidden else None
        defaults = role.get_default_vars() if role else {}
        return {key: value for key, value in hidden.items() if key not in defaults or defaults[key] != value}

    def runs_task(self, variables: "OneHost", *, if_unknown: bool = True) -> bool:
        """Return whether the conditions of the task, which may come from a play, are true for a host.

        if_unknown: the answer for conditions that cannot be evaluated. By default the host's own tasks report them.
        """
        conditions = self._task.when
        if not conditions:
            return True
        templar, raw = variables.templar, variables.raw
        try:
            if hasattr(self._task, "evaluate_conditional"):  # ansible-core before 2.19
                return bool(self._task.evaluate_conditional(templar, raw))
            return all(templar.evaluate_conditional(condition) for condition in conditions)
        except AnsibleError:
            return if_unknown


class OneHost:
    """One host's variables. A variable is templated when it is read first, because most are never read."""

    def __init__(
        self,
        name: str,
        variables: Mapping[str, Any],
        templar: Any,
        *,
        defaults: Mapping[str, Any] | None = None,
        hidden: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.raw = variables
        self.templar = templar
        # The play's module_defaults by variable, for variables that are not set.
        self._defaults = defaults or {}
        # What an empty extra variable takes away from the host.
        self.hidden = hidden or {}
        # A template may run a lookup, which may be slow, or prompt.
        self._read: dict[str, Any] = {}

    def get(self, key: str, default: Any = None) -> Any:
        """Return the templated value as the type of its variable, or the default where it is undefined, None or empty.

        Raises OptionError for a value that cannot be templated.
        """
        if key not in self._read:
            self._read[key] = self._first(key)
        return default if self._read[key] is None else self._read[key]

    def _first(self, key: str) -> Any:
        for source in (self.raw, self._defaults):
            value = self._value(key, source[key]) if key in source else None
            if not _is_empty(value):
                return value
        return None

    def select(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return those of the keys that are set, as `get` does."""
        found = {key: self.get(key) for key in keys}
        return {key: value for key, value in found.items() if value is not None}

    def readable(self, keys: Iterable[str], looked_up: "LookedUp | None" = None) -> Readable:
        """Return those of the keys that are set, as `get` does, and those that cannot be read.

        looked_up: takes the place of lookups, which do not run then.
        """
        found = Readable({}, [])
        for key in keys:
            try:
                value = looked_up.value(self, key) if looked_up and self.has_lookup(key) else self.get(key)
            except OptionError:
                found.unknown.append(key)
            else:
                found.values.update({key: value} if value is not None else {})
        return found

    def has_lookup(self, key: str) -> bool:
        """Return whether a lookup runs when the variable is templated."""
        return not _is_plain(self.raw.get(key)) and any(name in self.sources(key) for name in LOOKUPS)

    def sources(self, key: str) -> dict[str, Any]:
        """Return all that a variable's value depends on, by name. Hosts with equal sources have equal values.

        To compare these is cheaper than to template, which for a secret may mean a request to a vault.
        """
        found: dict[str, Any] = {}
        waiting = [key]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found[name] = self.raw.get(name)
                waiting += _names_in(found[name])
        if _is_empty(found[key]):
            found[key] = self._defaults.get(key)
        return found

    def _value(self, key: str, raw: Any) -> Any:
        return converted(key, raw if _is_plain(raw) else self._template(key, raw))

    def _template(self, key: str, raw: Any) -> Any:
        try:
            value = self.templar.template(raw)
        except OMITTED:
            return None
        except AnsibleError as error:
            raise OptionError(_template_problem(key, error)) from None
        return None if isinstance(value, str) and value == self.raw.get("omit") else value


class LookedUp:
    """What lookups gave for hosts, by all that each value depends on."""

    def __init__(self) -> None:
        self._values: dict[str, list[tuple[dict[str, Any], Any]]] = {}

    def note(self, variables: OneHost, keys: Iterable[str]) -> None:
        """Keep what lookups gave for a host, where they may give the same for another one."""
        for key in filter(variables.has_lookup, keys):
            sources = variables.sources(key)
            if "inventory_hostname" not in sources and self._find(key, sources) is None:
                self._values.setdefault(key, []).append((sources, variables.get(key)))

    def value(self, variables: OneHost, key: str) -> Any:
        """Return what a lookup would give. Raises OptionError where that is not known."""
        found = self._find(key, variables.sources(key))
        if found is None:
            raise OptionError(f"{key} needs a lookup")
        return found

    def _find(self, key: str, sources: Mapping[str, Any]) -> Any:
        return next((value for known, value in self._values.get(key, ()) if equal_sources(known, sources)), None)


def equal_sources(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two results of OneHost.sources() are the same. Where in doubt they are not."""
    return one.keys() == other.keys() and all(
        # Secrets of a vault are equal only as objects: to compare their values is to decrypt them.
        one[name] is other[name]
        or (isinstance(one[name], _COMPARABLE) and isinstance(other[name], _COMPARABLE) and one[name] == other[name])
        for name in one
    )


def connection_defaults(task: Any) -> dict[str, Any]:
    """Return the play's module_defaults for the collection's API modules, by the variables that the role reads."""
    found: dict[str, Any] = {}
    for entry in task.module_defaults or []:
        found.update(entry.get(ACTION_GROUP) or {})
    return {f"ece_{option}": value for option, value in found.items()}


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value == "")


def _is_plain(value: Any) -> bool:
    """Return whether a value is the same after templating. A secret of a vault is none of these types."""
    if isinstance(value, str):
        return "{" not in value and "#jinja2:" not in value
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(_is_plain(key) and _is_plain(part) for key, part in value.items())
    return value is None or isinstance(value, (bool, int, float))


def _names_in(value: Any) -> Iterator[str]:
    """Yield the variables that a raw value names."""
    if isinstance(value, str):
        yield from () if _is_plain(value) else _names_in_template(str(value))
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _names_in(part)
    elif isinstance(value, dict):
        for part in (*value, *value.values()):
            yield from _names_in(part)


@functools.lru_cache(maxsize=1000)
def _names_in_template(text: str) -> frozenset[str]:
    try:
        parsed = jinja2.Environment(autoescape=True).parse(text)
    except jinja2.TemplateError:
        return frozenset(("inventory_hostname",))
    names = {node.name for node in parsed.find_all(jinja2.nodes.Name)}
    # What depends on unnamed variables is taken as different on each host.
    return frozenset(names | {"inventory_hostname"} if _READS_ANY_VARIABLE.search(text) else names)


def _template_problem(key: str, error: AnsibleError) -> str:
    undefined = _UNDEFINED_NAME.search(str(error))
    if undefined:
        return f"{key} holds the variable {undefined.group(1)}, which is undefined"
    if spec_of(key).get("no_log"):
        return f"{key} cannot be templated: correct its template"  # Ansible's message may repeat the secret
    return f"{key} cannot be templated: {error}"
