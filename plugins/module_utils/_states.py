# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Every state that a host can be in during a join. docs/architecture.md shows them in one table."""

from __future__ import annotations

# Plan: what the platform says.
JOINED = "joined"
NEW = "new"
MISSING_ROLES = "missing-roles"
# Joined, and tags, capacity, maintenance mode or roles are not what the inventory declares. The check says so, too.
UPDATE = "update"
DISCONNECTED = "disconnected"

# Check: what the run does with the host.
INSTALL = "install"
REPLACE = "replace"
ASSIGN_ROLES = "assign-roles"
WAIT = "wait"
# Check: why the run does nothing with it. DISCONNECTED is one of them when the host runs ECE containers.
REFUSED = "refused"
HALF_INSTALLED = "half-installed"
STALE = "stale"

# Wait: how far the host is.
INSTALLING = "installing"
CONNECTING = "connecting"
# Connected, but not yet for ece_host_settle_time seconds.
SETTLING = "settling"
FAILED = "failed"

# Report: a joined host is now what the inventory declares.
CHANGED = "changed"
# Report in check mode: what the run would do.
WOULD_JOIN = "would join"
WOULD_GET_ROLES = "would get roles"
WOULD_CHANGE = "would change"
JOINING = "joining"

INSTALLS = (INSTALL, REPLACE)
# Of hosts that are joined: what they need is done through the API, and they are not contacted.
OF_JOINED = (MISSING_ROLES, UPDATE)
REJECTED = (REFUSED, HALF_INSTALLED, DISCONNECTED, STALE)
