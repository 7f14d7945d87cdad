# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""Secrets in the arguments of a module."""

from __future__ import annotations

from typing import Any

from ansible_collections.ece.platform.plugins.module_utils._text import MASK


class HiddenText(str):
    """A secret in the arguments of a module. ANSIBLE_DEBUG prints the arguments' repr, and this one shows nothing."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(MASK)


def hidden(value: Any) -> Any:
    """Return a value with all text in it hidden, but for the keys of mappings. A secret of a vault is text, too."""
    if isinstance(value, dict):
        return {key: hidden(part) for key, part in value.items()}
    if isinstance(value, list):
        return [hidden(part) for part in value]
    return value if value is None or isinstance(value, (bool, int, float)) else HiddenText(value)
