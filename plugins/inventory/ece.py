# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: ece
short_description: Hosts of an ECE platform
version_added: 1.0.0
author:
  - The ece.platform authors (@ece-platform)
description:
  - Has a host for each runner and each allocator of the platform. A runner and an allocator with the same id are one
    host; a host may lack either.
  - The file's name ends with C(.ece.yml) or C(.ece.yaml), or is C(ece.yml) or C(ece.yaml).
  - Hosts are in no group but C(all), unless O(groups) or O(keyed_groups) say so.
  - A platform with up to 1,000 allocators takes three requests, and one more for each further thousand.
  - The plugin warns if the platform counts other numbers of runners and allocators than its lists have. The lists are
    an index that may lag behind, so that hosts are missing.
  - O(url), O(api_key), O(username), O(password) and O(ca_path) may be templates, such as a lookup or an extra variable,
    and may be encrypted by Ansible Vault.
extends_documentation_fragment:
  - ece.platform.connection
  - constructed
  - inventory_cache
options:
  plugin:
    description:
      - The name of this plugin.
    type: str
    required: true
    choices: [ece.platform.ece]
  hostnames:
    description:
      - What the inventory calls a host, in the order of preference.
      - V(runner_id) is the id of the runner or the allocator. V(host_ip) is its address, V(public_hostname) the name
        under which the host is reached, and V(name) the name of the runner.
      - A value that is missing, that is a loopback address, or that several hosts have, is not used. Then the next one
        is, and after the last one the id. The plugin warns about values that several hosts have.
    type: list
    elements: str
    default: [runner_id]
  filters:
    description:
      - Which hosts the inventory has. Each entry has one of the keys V(include) and V(exclude), with a condition that
        may use the variables of the host and C(inventory_hostname), but not those of O(compose).
      - The first entry whose condition a host meets decides. A host that meets none is in the inventory, so that a list
        of hosts to include ends with V(exclude) and V(true).
      - A condition that cannot be evaluated is an error, whatever O(strict) is.
    type: list
    elements: dict
    default: []
notes:
  - "Every host has these variables: C(ece_runner_id) and C(ece_allocator_id), which are V(null) if the platform has no
    such runner or allocator; C(ece_runner_name), C(ece_public_hostname), C(ece_zone) and C(ece_version), which are
    V(null) if the platform does not report them; C(ece_roles), a sorted list with system roles like V(beats-runner),
    empty without a runner; C(ece_connected) and C(ece_healthy), whether both runner and allocator are, those of them
    that there are; C(ece_maintenance), whether the allocator is in maintenance mode; C(ece_memory_mb) and
    C(ece_memory_used_mb), memory that the allocator has and uses in MB, and C(ece_storage_mib), its storage in MiB, all
    V(null) without an allocator; C(ece_instance_count), the number of its instances; C(ece_tags), a mapping of names
    of tags to values, which are text."
  - C(ansible_host) is the address that the platform has of the host. It is not set if that is a loopback address.
  - Tags whose names or values look like secrets are left out. The cache holds the variables of hosts, and no
    credential.
  - Values of the platform are never templates.
seealso:
  - module: ece.platform.ece_runner_info
  - module: ece.platform.ece_allocator_info
"""

EXAMPLES = r"""
# fleet.ece.yml: groups by zone, role and tag, for disconnected hosts and for maintenance mode
plugin: ece.platform.ece
url: https://ece.example.com:12443
ca_path: /etc/ece/ca.pem
username: admin
password: "{{ lookup('ansible.builtin.env', 'ECE_PASSWORD') }}"
keyed_groups:
  - key: ece_zone
    prefix: zone
  - key: ece_roles
    prefix: role
  - key: ece_tags
    prefix: tag
groups:
  connected: ece_connected
  disconnected: not ece_connected
  maintenance: ece_maintenance

---
# allocators.ece.yml: connected allocators in one zone, by name; login and address from the environment
plugin: ece.platform.ece
hostnames: [public_hostname, host_ip]
filters:
  - exclude: not ece_connected
  - include: "'allocator' in ece_roles and ece_zone == 'ece-zone-1'"
  - exclude: true
compose:
  ansible_user: "'elastic'"
  free_memory_mb: (ece_memory_mb or 0) - (ece_memory_used_mb or 0)
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/ece-inventory
cache_timeout: 300
"""

import os
import re
import traceback
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleError, AnsibleParserError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._module import (
    CONNECTION_SPEC,
    EXPECTED_ERRORS,
    addresses,
    check_connection,
    check_requests,
    make_client,
)
from ansible_collections.ece.platform.plugins.module_utils._text import one_line, redact
from ansible_collections.ece.platform.plugins.plugin_utils._inventory import (
    Filter,
    Fleet,
    address_warnings,
    cache_entry,
    cached_fleet,
    check_hostnames,
    check_keyed_groups,
    check_option_names,
    inventory_names,
    parse_filters,
    read_fleet,
    value_of,
)

try:  # Since 2.19, Ansible templates nothing that it is not told to trust. Before, all but what is marked as unsafe.
    from ansible.template import trust_as_template
except ImportError:
    trust_as_template = None

ENDINGS = (".ece.yml", ".ece.yaml")
NAMES = ("ece.yml", "ece.yaml")
# Without braces and "#jinja2:", a text is no template; without quotes and parentheses, it is no expression that does
# anything, either.
HARMLESS = re.compile(r"[\w .:/,@+=-]*\Z")


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """See DOCUMENTATION."""

    NAME = "ece.platform.ece"

    def verify_file(self, path: str) -> bool:
        """Return whether this is a file of this plugin, by its name."""
        return super().verify_file(path) and (path.endswith(ENDINGS) or os.path.basename(path) in NAMES)

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Add the platform's hosts. Raises AnsibleParserError, whose message begins with the file's name."""
        super().parse(inventory, loader, path, cache)
        name = os.path.basename(path)
        try:
            self._parse(path, name, cache)
        except EXPECTED_ERRORS as error:
            raise AnsibleParserError(f"{name}: {error}") from None
        except AnsibleError as error:
            raise AnsibleParserError(f"{name}: {redact(one_line(error))}") from None
        except Exception as error:  # a bug: one line for the operator, the traceback at -vvv
            self.display.vvv(redact(traceback.format_exc()))
            raise AnsibleParserError(
                f"{name}: unexpected {type(error).__name__} in inventory plugin {self.NAME}, please report it"
            ) from None

    def _parse(self, path: str, name: str, cache: bool) -> None:
        config = self._read_config_data(path)
        check_option_names(config, self._options)
        filters, hostnames = parse_filters(self.get_option("filters")), self.get_option("hostnames")
        check_hostnames(hostnames)
        check_keyed_groups(self.get_option("keyed_groups"))
        fleet = self._fleet(self._connection(config), path, name, cache)
        names, warnings = inventory_names(fleet.hosts, hostnames)
        # All conditions before the first host: a file that fails half-way would leave half of an inventory.
        chosen = {
            host: variables
            for host, variables in ((host, _never_a_template(fleet.hosts[known])) for host, known in names.items())
            if self._passes(filters, host, variables)
        }
        left = {names[host]: fleet.hosts[names[host]] for host in chosen}
        for warning in [*fleet.warnings, *warnings, *address_warnings(left)]:
            self.display.warning(f"{name}: {warning}")
        for host, variables in chosen.items():
            self._add(host, variables)

    # -- the platform's hosts -----------------------------------------------------------------------------------------

    def _connection(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options of the connection, those of the environment included, as modules read them."""
        given = {name: self._value(name, config[name]) for name in CONNECTION_SPEC if config.get(name) is not None}
        result = ArgumentSpecValidator(CONNECTION_SPEC).validate(given)
        if result.error_messages:
            raise OptionError(result.error_messages[0])
        return {name: result.validated_parameters[name] for name in CONNECTION_SPEC}

    def _value(self, name: str, value: Any) -> Any:
        """Return the value of an option, which may be a template or encrypted."""
        self.templar.available_variables = self._vars
        # A password that looks like a list is none.
        options = {} if trust_as_template or name == "url" else {"convert_data": False}
        try:
            found = self.templar.template(value, **options)
            return found if isinstance(found, (bool, int, list, tuple)) else str(found)
        except AnsibleError as error:
            raise OptionError(f"{name} cannot be templated or decrypted: {one_line(error)}") from None

    def _fleet(self, connection: Mapping[str, Any], path: str, name: str, cache: bool) -> Fleet:
        """Return the hosts from the cache, if that is wanted and has them, or from the platform."""
        caches = self.get_option("cache")
        urls, key = addresses(connection), self.get_cache_key(path)
        fleet = cached_fleet(self._cached(key), urls) if caches and cache else None
        if fleet is None:
            check_requests("install it there; an execution environment gets it from this collection's requirements")
            for warning in check_connection(connection):
                self.display.warning(f"{name}: {warning}")
            fleet = read_fleet(make_client(connection))
            if caches:
                self._cache[key] = cache_entry(fleet, urls)
        return fleet

    def _cached(self, key: str) -> Any:
        try:
            return self._cache[key]
        except Exception:  # none yet, too old, or a damaged file, for which each release of Ansible has its own error
            return None

    # -- hosts of the inventory ---------------------------------------------------------------------------------------

    def _passes(self, filters: list[Filter], host: str, variables: Mapping[str, Any]) -> bool:
        """Return whether the inventory has a host. The first filter that it meets decides. Raises OptionError."""
        for one in filters:
            try:
                meets = self._meets(one.condition, {**variables, "inventory_hostname": host})
            except Exception as error:
                raise OptionError(
                    f"{one.place} {one.condition!r} cannot be evaluated for host {host}: {one_line(error)}"
                ) from None
            if meets:
                return one.includes
        return True

    def _meets(self, condition: Any, variables: dict[str, Any]) -> bool:
        known = condition if isinstance(condition, bool) else value_of(condition, variables)
        if isinstance(known, bool):
            return known
        self.templar.available_variables = variables
        if trust_as_template:
            return bool(self.templar.evaluate_conditional(condition))
        return bool(boolean(self.templar.template(f"{{% if {condition} %}}True{{% else %}}False{{% endif %}}")))

    def _add(self, host: str, variables: Mapping[str, Any]) -> None:
        self.inventory.add_host(host)
        for variable, value in variables.items():
            self.inventory.set_variable(host, variable, value)
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), self._variables_of(host), host, strict=strict)
        # Read once for both, with what has been composed.
        found = self._variables_of(host)
        for add, option in (
            (self._add_host_to_composed_groups, "groups"),
            (self._add_host_to_keyed_groups, "keyed_groups"),
        ):
            add(self.get_option(option), found, host, strict=strict, fetch_hostvars=False)

    # Jinja compiles an expression again for each host. A thousand hosts take seconds for each, where the value of a
    # variable is all that is asked for.

    def _compose(self, template: Any, variables: dict[str, Any], *arguments: Any, **options: Any) -> Any:
        known = None if self.get_option("use_extra_vars") else value_of(template, variables)
        return super()._compose(template, variables, *arguments, **options) if known is None else known

    def _add_host_to_composed_groups(
        self, groups: dict[str, Any], variables: dict[str, Any], host: str, *arguments: Any, **options: Any
    ) -> None:
        others = {}
        for group, condition in groups.items():
            known = value_of(condition, variables)
            if not isinstance(known, bool):
                others[group] = condition
            elif known:
                self.inventory.add_child(self.inventory.add_group(self._sanitize_group_name(group)), host)
        super()._add_host_to_composed_groups(others, variables, host, *arguments, **options)

    def _variables_of(self, host: str) -> dict[str, Any]:
        variables: dict[str, Any] = self.inventory.get_host(host).get_vars()
        return variables


def _never_a_template(value: Any) -> Any:
    """Return a value whose texts Ansible never templates: a tag of the platform could run commands here.

    A text that cannot be a template is no other than one of the user's own. Ansible would write it as an object with
    the key __ansible_unsafe, which readers of `ansible-inventory --list` do not expect.
    """
    if isinstance(value, Mapping):
        return {_never_a_template(key): _never_a_template(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_never_a_template(part) for part in value]
    if not isinstance(value, str):
        return value
    if HARMLESS.match(value):
        return trust_as_template(value) if trust_as_template else value
    return value if trust_as_template else wrap_var(value)
