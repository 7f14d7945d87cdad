# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans a join for all hosts of a play with a handful of requests, before any of them is contacted."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.ece.platform.plugins.module_utils import _install_options as installer
from ansible_collections.ece.platform.plugins.module_utils import _installer_file as installer_file
from ansible_collections.ece.platform.plugins.module_utils._ece import DEFAULT_ROLES
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._module import CONNECTION_SPEC
from ansible_collections.ece.platform.plugins.module_utils._plan import (
    add_allocators,
    count_warnings,
    difference_warnings,
    host_identity,
    known_hosts,
    plan_hosts,
    plan_line,
    unlisted_allocators,
)
from ansible_collections.ece.platform.plugins.module_utils._records import platform_totals
from ansible_collections.ece.platform.plugins.module_utils._states import JOINED, MISSING_ROLES, NEW
from ansible_collections.ece.platform.plugins.plugin_utils._action import ApiAction, show
from ansible_collections.ece.platform.plugins.plugin_utils._batch import batch_problem, percentage_problem
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import HostVariables

# Role variables (ece_host_<option>) that end up as ece_install's option of that name and are checked for each new host.
INSTALL_OPTIONS = (
    "allocator_tags",
    "api_base_url",
    "capacity",
    "container_engine",
    "docker_registry",
    "docker_repository",
    "docker_socket",
    "external_hostname",
    "extra_args",
    "installer_path",
    "memory_settings",
    "selinux",
    "storage_path",
    "timeout_factor",
    "user",
    "version",
    "zone",
)
# And the fewest seconds that make sense.
SECONDS_OPTIONS = {"install_timeout": 1, "connect_timeout": 1, "wait_interval": 1, "settle_time": 0}
# Of these a play has one each; they are taken from its hosts all the same, because a group's variables are where users put them.
PLAY_OPTIONS = {"batch": batch_problem, "max_fail_percentage": percentage_problem}
ROLE_SPECS = Path(__file__).resolve().parents[2] / "roles" / "ece_host" / "meta" / "argument_specs.yml"
LINES_MAX = 20


class ActionModule(ApiAction):
    """See the documentation of the module with this name."""

    SPEC = CONNECTION_SPEC

    def act(self, arguments, task_vars):
        names = task_vars["ansible_play_batch"]  # in the inventory's order, which is that of batches
        client, warnings = self.connect(arguments)
        variables = HostVariables(self, task_vars)
        self._unchecked = set()
        # One host's variables at a time: those of thousands would fill the memory.
        hosts = [self._wish(name, variables.of(name)) for name in names]

        platform = client.platform()
        totals = platform_totals(platform)
        known = known_hosts(client.runners(), client.iter_allocators(totals["allocators"]))
        planned = plan_hosts(hosts, known, platform["version"])
        unlisted = unlisted_allocators(planned, known)
        if unlisted:
            add_allocators(known, filter(None, map(client.allocator, unlisted)))
            planned = plan_hosts(hosts, known, platform["version"])
        warnings += [*count_warnings(known, totals), *difference_warnings(planned)]
        open_entries = {name: entry for name, entry in planned.items() if entry["state"] != JOINED}
        play_options = self._check_all(open_entries, variables, platform["version"], urlsplit(client.url).hostname)

        line = plan_line(planned, platform["version"], client.url)
        show(line)
        for name, entry in sorted(open_entries.items())[:LINES_MAX]:
            show(f"{name}: {self._words(entry)}")
        if len(open_entries) > LINES_MAX:
            show(f"... and {len(open_entries) - LINES_MAX:,} more; the report names them all")
        return {
            "changed": False,
            "msg": line,
            "url": client.url,
            "version": platform["version"],
            "joined": len(planned) - len(open_entries),
            "hosts": open_entries,
            "made_at": time.time(),
            "warnings": warnings + client.warnings + sorted(self._unchecked),
            **play_options,
        }

    def _wish(self, name, variables):
        """What the inventory wants of one host."""
        roles = variables.get("ece_host_roles", list(DEFAULT_ROLES))
        try:
            installer.arguments({"roles": roles}, "ece_host_")
        except OptionError as error:
            raise OptionError(f"host {name}: {error}") from None
        identity = host_identity(
            name, {key: variables.get(key) for key in ("ece_host_runner_id", "ece_host_ip", "ansible_host")}
        )
        return {**identity, "roles": list(roles), "zone": variables.get("ece_host_zone")}

    def _check_all(self, entries, variables, platform_version, coordinator):
        """Everything that hosts which are not joined would be given, before anything happens to any of them; the play's own options."""
        options_of_role = yaml.safe_load(ROLE_SPECS.read_text(encoding="utf-8"))["argument_specs"]["join"]["options"]
        # Defaults are the role's business, where they may be templates.
        spec = {
            name: {key: value for key, value in option.items() if key != "default"}
            for name, option in options_of_role.items()
            if name.startswith("ece_host_")
        }
        validator = ArgumentSpecValidator(spec)
        play_options = dict.fromkeys(PLAY_OPTIONS)
        wanted_by = dict.fromkeys(PLAY_OPTIONS)
        for name, entry in entries.items():
            seen = variables.of(name)
            self._check(entry, seen, platform_version, coordinator)
            wrong = validator.validate(
                {key: value for key, value in seen.select(spec).items() if value is not None and value != ""}
            ).error_messages
            if wrong:
                raise OptionError(f"host {name}: {wrong[0]}")
            for option in PLAY_OPTIONS:
                value = seen.get(f"ece_host_{option}")
                if wanted_by[option] is not None and value != play_options[option]:
                    raise OptionError(
                        f"ece_host_{option} is {play_options[option]!r} for host {wanted_by[option]} and {value!r} for host {name}: "
                        "a play has one value for all its hosts, so set it for their group"
                    )
                play_options[option], wanted_by[option] = value, name
        return play_options

    def _check(self, entry, variables, platform_version, coordinator):
        """Everything that the installer would be given for one host."""
        prefix = "ece_host_"
        options = {option: variables.get(prefix + option) for option in INSTALL_OPTIONS}
        options.update(
            coordinator_host=variables.get("ece_host_coordinator", coordinator),
            host_ip=variables.get("ece_host_ip"),
            roles=entry["roles"],
            runner_id=entry["runner_id"],
            # Which engine a host has is not known yet; only Podman goes with SELinux, and the install itself checks that.
            container_engine=options["container_engine"]
            or ("podman" if boolean(options["selinux"] or False, strict=False) else None),
            # A survey's answer or an extra variable is a string, and "false" is one that counts as true.
            selinux=boolean(options["selinux"] or False, strict=False),
        )
        try:
            installer.arguments(options, prefix)
            for option, least in SECONDS_OPTIONS.items():
                _check_seconds(prefix + option, variables.get(prefix + option), least)
            for option, problem_of in PLAY_OPTIONS.items():
                value = variables.get(prefix + option)
                problem = None if value is None else problem_of(value)
                if problem:
                    raise OptionError(f"{prefix}{option} {problem}")
            version = options["version"] or platform_version
            if version != platform_version:
                raise OptionError(
                    f"ece_host_version {version} is not what the platform runs: a host must join with {platform_version}, so leave ece_host_version out"
                )
            if not installer.is_version(version):
                raise OptionError(
                    f"cannot join a platform that says it runs version {version!r}, which is none; is ece_url a coordinator of ECE?"
                )
            self._check_installer(variables, version, entry["state"] != MISSING_ROLES)
        except OptionError as error:
            raise OptionError(f"host {entry['name']}: {error}") from None
        entry["version"] = version
        entry["coordinator"] = options["coordinator_host"]

    def _check_installer(self, variables, version, runs):
        """The installer's source; a file of the controller is read here, so that a wrong one is known in check mode too. runs: whether it may come to that."""
        # The role's own validation, which makes text of them, comes later.
        given = (variables.get(f"ece_host_installer_{name}") for name in ("src", "url", "checksum"))
        source, url, checksum = (None if value is None else str(value) for value in given)
        unchecked = installer_file.check_source(None if source else url, checksum, "ece_host_")
        if unchecked and runs:
            self._unchecked.add(unchecked)
        if not source:
            return
        key = (source, checksum, version)
        if not hasattr(self, "_sources"):
            self._sources = {}
        if key not in self._sources:
            try:
                path = self._find_needle("files", source)
                with open(path, "rb") as file:
                    content = file.read()
            except Exception:  # _find_needle raises Ansible's own error, with all folders it searched
                raise OptionError(
                    f"ece_host_installer_src {source} is no file in the controller: give the path of elastic-cloud-enterprise.sh"
                ) from None
            where = f"ece_host_installer_src {source}"
            self._sources[key] = (
                installer_file.checksum_problem(content, checksum, where)[1]
                or installer_file.text_problem(content, where)
                or installer_file.version_problem(content, version, where)
            )
        if self._sources[key]:
            raise OptionError(self._sources[key])

    @staticmethod
    def _words(entry):
        if entry["state"] == NEW:
            zone = f", {entry['zone']}" if entry["zone"] else ""
            return f"new, to join as {', '.join(entry['roles'])} with runner id {entry['runner_id']}{zone}"
        if entry["state"] == MISSING_ROLES:
            return f"joined, but lacks the role {', '.join(entry['missing_roles'])}"
        return f"known as {entry['runner_id']}, but not connected"


def _check_seconds(name, value, least):
    if value is None:
        return
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = -1
    # A fraction of the least second is as good as that.
    if not (0 < number or number == least) or not number < 2**31:
        raise OptionError(f"{name} {value!r} is no time: use seconds, {least} or more")
