# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""Persistent tokens that earlier runs left: which may be revoked, by the records of installations on hosts. No I/O.

A run whose machine or container is gone cannot revoke its token, and neither can its watchdog. The record of each
installation names the token, so that a later run can, once no installer needs it. An installer presents its token at
its very end: revoked before that, it fails after minutes of work.
"""

from __future__ import annotations

from typing import Iterable, Mapping

from ansible_collections.ece.platform.plugins.module_utils._enrollment import token_roles
from ansible_collections.ece.platform.plugins.module_utils._states import JOINED, WAIT
from ansible_collections.ece.platform.plugins.module_utils._text import first_names
from ansible_collections.ece.platform.plugins.plugin_utils import _results as results
from ansible_collections.ece.platform.plugins.plugin_utils._host_reports import facts_of
from ansible_collections.ece.platform.plugins.plugin_utils._results import Batch, OldToken


def old_tokens(batch: Batch, before: Mapping[str, OldToken], roles: Mapping[str, list[str]]) -> dict[str, OldToken]:
    """Return the tokens that the records of a batch name, and those of the batches before it, by token id.

    before: the tokens of the plan's batches before. roles: the roles of each host.
    """
    found: dict[str, OldToken] = {
        token_id: {"roles": list(token["roles"]), "users": list(token["users"])} for token_id, token in before.items()
    }
    for name in batch.hosts:
        token_id = (facts_of(batch.result(name, results.CHECK)).get("last_install") or {}).get("token_id")
        # A host decides what it sends.
        if not isinstance(token_id, str) or not token_id:
            continue
        token = found.setdefault(token_id, {"roles": [], "users": []})
        token["roles"] = sorted({*token["roles"], *roles[name]})
        if _may_install(batch, name):
            token["users"].append(name)
    return found


def _may_install(batch: Batch, name: str) -> bool:
    """Return whether the installer that was found on a host may still run."""
    check, wait = batch.result(name, results.CHECK), batch.result(name, results.WAIT)
    facts = facts_of(check)
    running = facts.get("installer_running") or (facts.get("last_install") or {}).get("running")
    if not running and check.get("verdict") != WAIT:
        return False
    row = wait["hosts"].get(name) if wait.get("made_at") == batch.made_at else None
    return not row or (row["verdict"] != JOINED and row["install_seconds"] is None)


def not_seen(batch: Batch) -> list[str]:
    """Return the hosts of the plan that may have an installer of which this run knows nothing."""
    return [*(name for name in batch.hosts if not batch.result(name, results.CHECK).get("verdict")), *batch.later]


def revocable(token: OldToken, listed: Iterable[Mapping[str, object]], token_id: str) -> bool:
    """Return whether the platform lists the token, for the roles of the hosts that name it: a host may name any."""
    return any(entry["token_id"] == token_id and set(token["roles"]) <= set(token_roles(entry)) for entry in listed)


def kept_sentence(token_id: str, users: Iterable[str]) -> str:
    """Return the sentence on a token that stays, because an installer may need it."""
    users = list(users)
    why = f"an installer of {first_names(users)} may need it" if users else "hosts outside --limit may need it"
    return (
        f"the persistent token {token_id} of an earlier run is valid, and {why}: "
        "run this again for all hosts after that, or revoke it with ece_enrollment_token"
    )
