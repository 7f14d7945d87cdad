# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""Batches of a play (ece_host_batch) and how many hosts of a batch may fail (ece_host_max_fail_percentage)."""

from __future__ import annotations

from typing import Any

# More hosts than any play has. Python refuses to parse numbers of some thousand digits.
BATCH_DIGITS_MAX = 9


def batch_problem(value: Any) -> str | None:
    """Return what is wrong with a batch as the end of a sentence, or None.

    A batch is a number, a percentage or a list of them, like `serial` of a play.
    """
    sizes = value if isinstance(value, (list, tuple)) else [value]
    if sizes and all(_is_batch(size) for size in sizes):
        return None
    return (
        f"{value!r} is not a batch of hosts: use a number of hosts or a percentage, 1 or more, "
        "or a list of those, like [1, '25%']"
    )


def _is_batch(size: Any) -> bool:
    text = str(size).strip()
    number = text[:-1] if text.endswith("%") else text
    if isinstance(size, bool) or not (number.isascii() and number.isdigit()) or len(number) > BATCH_DIGITS_MAX:
        return False
    return int(number) >= 1 and not (text.endswith("%") and int(number) > 100)


def batch_sizes(batch: Any, hosts: int, limit: int | None) -> list[int]:
    """Return how many hosts each batch of a play has, which `serial` takes as it is.

    batch: a value that batch_problem() accepts, or None for all hosts at once. The last element of a list repeats.
    limit: the most hosts that one batch can have, or None.
    """
    wanted = batch if isinstance(batch, (list, tuple)) else ["100%" if batch is None else batch]
    sizes: list[int] = []
    left = hosts
    while left > 0:
        size = _size(wanted[min(len(sizes), len(wanted) - 1)], hosts)
        sizes.append(min(size, limit or size, left))
        left -= sizes[-1]
    return sizes


def _size(size: Any, hosts: int) -> int:
    text = str(size).strip()
    return max(1, int(text[:-1]) * hosts // 100) if text.endswith("%") else int(text)


def percentage_problem(value: Any) -> str | None:
    """Return what is wrong with a percentage as the end of a sentence, or None."""
    text = str(value).strip()
    try:
        number = float(text[:-1] if text.endswith("%") else text)
    except ValueError:
        number = -1
    if 0 <= number <= 100 and not isinstance(value, bool):
        return None
    return f"{value!r} is not a percentage: use 0 to 100"


def too_many_failed(failed: int, hosts: int, percentage: Any) -> str | None:
    """Return a sentence where more than this percentage of a batch's hosts have failed. None is no limit."""
    if percentage is None or not failed:
        return None
    limit = float(str(percentage).strip().rstrip("%"))
    if failed * 100 <= limit * hosts:
        return None
    return (
        f"{failed} of {hosts} hosts of a batch have failed, "
        f"which is more than ece_host_max_fail_percentage {limit:g} allows"
    )
