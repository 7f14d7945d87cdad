# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""Checks the installer before any host is asked: a file on the controller, or the URL that hosts download it from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._installer_file import (
    check_source,
    checksum_problem,
    file_problem,
)
from ansible_collections.ece.platform.plugins.module_utils._plan import PlanEntry
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import OneHost


class InstallerSources:
    """Checks where hosts get the installer from. Each file is read once, however many hosts use it."""

    def __init__(self, find: Callable[[str], str]) -> None:
        """find: returns the path of a file that the user named, and raises where there is none."""
        self._find = find
        self._problems: dict[tuple[str, str | None, str], str | None] = {}

    def check(self, entry: PlanEntry, variables: OneHost) -> str | None:
        """Return a warning where no checksum proves a download, or None. Raises OptionError."""
        try:
            return self._check(entry["version"] or "", variables)
        except OptionError as error:
            raise OptionError(f"host {entry['name']}: {error}") from None

    def _check(self, version: str, variables: OneHost) -> str | None:
        source, url, checksum = (
            None if value is None else str(value)
            for value in (variables.get(f"ece_host_installer_{name}") for name in ("src", "url", "checksum"))
        )
        warning: str | None = check_source(None if source else url, checksum, "ece_host_")
        if source:
            key = (source, checksum, version)
            if key not in self._problems:
                self._problems[key] = self._problem(source, checksum, version)
            if self._problems[key]:
                raise OptionError(self._problems[key])
        return warning

    def _problem(self, source: str, checksum: str | None, version: str) -> str | None:
        where = f"ece_host_installer_src {source}"
        try:
            with open(self._find(source), "rb") as file:
                content = file.read()
        except Exception:  # Ansible raises its own error, with all folders that it searched
            return f"{where} is not a file on the controller: give the path of elastic-cloud-enterprise.sh"
        problem: Any = checksum_problem(content, checksum, where)[1] or file_problem(content, version, where)
        return str(problem) if problem else None
