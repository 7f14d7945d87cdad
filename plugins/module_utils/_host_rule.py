# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""What a rule about a host is: a requirement with its source, and a check over the facts of the host.

Runs on hosts: Python 3.6 and the standard library.
"""

from typing import Any, Callable, Iterator, List, Mapping, NamedTuple, Tuple

Facts = Mapping[str, Any]
Options = Mapping[str, Any]
Check = Callable[[Facts, Options], Iterator[str]]

# Severities: the installer refuses the host, or the host joins but will have trouble.
PROBLEM = "problem"
WARNING = "warning"

# Sources of the rules, as the page on checks shows them, in Markdown.
_DOCS = "https://www.elastic.co/docs/deploy-manage"
_PAGES = f"{_DOCS}/deploy/cloud-enterprise"
_SCRIPT = "[elastic-cloud-enterprise.sh](https://download.elastic.co/cloud/elastic-cloud-enterprise.sh)"
SCRIPT = f"{_SCRIPT} 4.0.3 (2025-10-31)"
SCRIPTS = f"{_SCRIPT} 3.5.1, which refuses, and 4.0.3 (2025-10-31), which warns"
HARDWARE = f"[Hardware prerequisites]({_PAGES}/ece-hardware-prereq), read 2026-11-27"
SOFTWARE = f"[Software prerequisites]({_PAGES}/ece-software-prereq), read 2026-11-27"
NETWORKING = f"[Networking prerequisites]({_PAGES}/ece-networking-prereq), read 2026-11-27"
USERS = f"[Users and permissions prerequisites]({_PAGES}/ece-users-permissions), read 2026-11-27"
RHEL_HOST = f"[Configure a RHEL host]({_PAGES}/configure-host-rhel), read 2026-11-27"
UBUNTU_HOST = f"[Configure an Ubuntu host]({_PAGES}/configure-host-ubuntu), read 2026-11-27"
SUSE_HOST = f"[Configure a SUSE host]({_PAGES}/configure-host-suse), read 2026-11-27"
PODMAN_5 = f"[Migrate to Podman 5]({_PAGES}/migrate-to-podman-5), read 2026-11-27"
UNINSTALL = f"[Uninstall ECE]({_DOCS}/uninstall/uninstall-elastic-cloud-enterprise), read 2026-11-27"
_CHECKS = "https://www.elastic.co/guide/en/elasticsearch/reference/current"
MAP_COUNT = (
    f"[Maximum map count check]({_CHECKS}/_maximum_map_count_check.html) of Elasticsearch, which the container of the "
    "installer makes too, read 2026-11-27"
)
OWN = "this collection"


class Rule(NamedTuple):
    """One requirement: the check of `skip_checks` that it belongs to, and what the documentation says of it."""

    name: str
    severity: str
    summary: str
    source: str
    # The sentences, with their remedy, about a host that does not meet the requirement; none about another host.
    # A warning has no numbers of the host, so that it is one line for all hosts that it is about; the facts have them.
    check: Check


class RuleBook:
    """Rules in the order in which they are applied."""

    def __init__(self) -> None:
        self._rules: List[Rule] = []

    def rule(self, name: str, severity: str, summary: str, source: str) -> Callable[[Check], Check]:
        """Add the decorated check to the rules."""

        def add(check: Check) -> Check:
            self._rules.append(Rule(name, severity, summary, source, check))
            return check

        return add

    @property
    def rules(self) -> Tuple[Rule, ...]:
        """All rules that were added."""
        return tuple(self._rules)


def is_skipped(name: str, options: Options) -> bool:
    """Whether the operator skips a check."""
    return name in options["skip_checks"] or "all" in options["skip_checks"]


def has_engine(facts: Facts) -> bool:
    """Whether the host has a container engine."""
    return bool(facts["engine"]["version"] or facts["engine"]["usable"])


def has_podman(facts: Facts) -> bool:
    """Whether the container engine of the host is Podman."""
    return has_engine(facts) and facts["engine"]["name"] == "podman"
