# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""Batches of a play (ece_host_batch) and how many of one may fail (ece_host_max_fail_percentage)."""

from __future__ import annotations

from typing import Any


def batch_problem(value: Any) -> str | None:
    """What is wrong with a batch (number, percentage, or a list of them, as Ansible's C(serial)), as the end of a sentence; else None."""
    sizes = value if isinstance(value, (list, tuple)) else [value]
    if sizes and all(_is_batch(size) for size in sizes):
        return None
    return f"{value!r} is no batch of hosts: use a number of hosts or a percentage, 1 or more, or a list of those, like [1, '25%']"


def too_many_failed(failed: int, hosts: int, most: Any) -> str | None:
    """A sentence where more than C(most) percent (as percentage_problem() lets it pass; None: no limit) of a batch's hosts have failed."""
    if most is None or not failed:
        return None
    limit = float(str(most).strip().rstrip("%"))
    if failed * 100 <= limit * hosts:
        return None
    return f"{failed} of {hosts} hosts of a batch have failed, which is more than ece_host_max_fail_percentage {limit:g} allows"


# More hosts than anybody has; Python itself refuses to read numbers of some thousand digits.
BATCH_DIGITS_MAX = 9


def _is_batch(size: Any) -> bool:
    text = str(size).strip()
    number = text[:-1] if text.endswith("%") else text
    if isinstance(size, bool) or not (number.isascii() and number.isdigit()) or len(number) > BATCH_DIGITS_MAX:
        return False
    return int(number) >= 1 and not (text.endswith("%") and int(number) > 100)


def percentage_problem(value: Any) -> str | None:
    """What is wrong with a percentage, as the end of a sentence; else None."""
    text = str(value).strip()
    try:
        number = float(text[:-1] if text.endswith("%") else text)
    except ValueError:
        number = -1
    return None if 0 <= number <= 100 and not isinstance(value, bool) else f"{value!r} is no percentage: use 0 to 100"
