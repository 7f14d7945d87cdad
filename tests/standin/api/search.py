# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The subset of the query languages that lists understand: terms, joined by AND. Part of the API layer; pure functions.

A query outside the subset is an error. The product would reply, but a query that matches everything by mistake would
hide that mistake.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.standin.model import ApiError

Document = dict[str, Any]
Test = Callable[[Document], bool]
# The furthest record that a search index answers, and the default page of a search.
WINDOW = 10000
DEFAULT_SEARCH_SIZE = 10
_TERM = re.compile(r'^([\w.]+):("?)([^"\s]+)\2$')


class NotUnderstood(Exception):
    """A query outside the subset."""


def _values(document: Any, path: list[str]) -> list[Any]:
    if isinstance(document, list):
        return [value for item in document for value in _values(item, path)]
    if not path:
        return [document]
    return _values(document[path[0]], path[1:]) if isinstance(document, dict) and path[0] in document else []


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _equals(field: str, wanted: Any) -> Test:
    return lambda document: _text(wanted) in (_text(value) for value in _values(document, field.split(".")))


def _exists(field: str) -> Test:
    return lambda document: bool(_values(document, field.split(".")))


def lucene(query: str) -> Test:
    """Return the test of a query such as `status.connected:false AND _exists_:instances`. Raises NotUnderstood.

    An empty query matches every document.
    """
    tests: list[Test] = []
    for term in re.split(r"\s+AND\s+", query.strip()):
        if term in ("", "*", "*:*"):
            continue
        found = _TERM.match(term)
        if not found or "*" in found.group(3):
            raise NotUnderstood(term)
        field, value = found.group(1), found.group(3).replace("\\", "")
        tests.append(_exists(value) if field == "_exists_" else _equals(field, value))
    return lambda document: all(test(document) for test in tests)


def query_container(query: Any) -> Test:
    """Return the test of the `query` of a search request. Raises NotUnderstood, or what wrong types raise."""
    if query in (None, {}):
        return lambda document: True
    if not isinstance(query, dict) or len(query) != 1:
        raise NotUnderstood(str(query))
    kind, content = next(iter(query.items()))
    if kind == "match_all":
        return lambda document: True
    if kind == "match_none":
        return lambda document: False
    if kind == "query_string":
        return lucene(content["query"])
    if kind == "exists":
        return _exists(content["field"])
    if kind in ("term", "match"):
        field, inner = next(iter(content.items()))
        return _equals(field, inner["value" if kind == "term" else "query"])
    if kind == "bool":
        return _combined(content)
    raise NotUnderstood(kind)


def _combined(content: Any) -> Test:
    parts = {
        name: [query_container(item) for item in content.get(name) or []]
        for name in ("must", "filter", "should", "must_not")
    }
    required = parts["must"] + parts["filter"]
    least = content.get("minimum_should_match", 0 if required else 1) if parts["should"] else 0
    return lambda document: (
        all(test(document) for test in required)
        and not any(test(document) for test in parts["must_not"])
        and sum(test(document) for test in parts["should"]) >= least
    )


def understood(make: Callable[[Any], Test], query: Any, code: str) -> Test:
    """Return `make(query)`. Raises ApiError with this error code for a query outside the subset."""
    try:
        return make(query)
    except (NotUnderstood, KeyError, TypeError, AttributeError, StopIteration) as error:
        raise ApiError(400, code, f"The query cannot be understood: {error}") from None


def window(start: Any, size: Any, default: int) -> tuple[int, int]:
    """Return (from, size) of a request. Raises ApiError beyond what a search index allows."""
    numbers = []
    for name, value, fallback in (("from", start, 0), ("size", size, default)):
        try:
            number = fallback if value is None else int(value)
        except (TypeError, ValueError):
            number = -1
        if number < 0:
            raise ApiError(400, "root.invalid_data", f"{name} is a whole number, 0 or more.", (name,))
        numbers.append(number)
    if sum(numbers) > WINDOW:
        raise ApiError(400, "root.invalid_data", f"from + size must be {WINDOW} or less.", ("from", "size"))
    return numbers[0], numbers[1]
