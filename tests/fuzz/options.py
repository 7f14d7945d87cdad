# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sets of options for all code that takes options: all of them right, or all but one."""

from __future__ import annotations

import itertools
from typing import Any, Mapping

from hypothesis import strategies as st

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlcyI6WyJhbGxvY2F0b3IiXX0.c2lnbmF0dXJl"

# One of each kind of harm: cut, evaluated, a flag, a pattern, another line, a character that only looks right.
NASTY = [
    *(" ", "\t", "\n", "\r", "\v", "\0", "\u00a0", "\u2028", "\u200b", "\ufeff"),
    *(
        "'",
        '"',
        "`",
        "$",
        "\\",
        ";",
        "&",
        "|",
        "(",
        ")",
        "<",
        ">",
        "!",
        "~",
        "#",
        "%",
        "^",
        "{",
        "}",
        "[",
        "]",
        "*",
        "?",
        "=",
        ",",
        ":",
        "@",
    ),
    *(
        "--force",
        "-",
        "$(id)",
        "`id`",
        "';id;'",
        "$HOME",
        "{a,b}",
        "[a-z]",
        "٣",
        "а",
        "\uff0f",
        "\uff0e",
        "\ud800",
        "\x7f",
        "\x1b[31m",
        "x" * 2000,
    ),
]
HOSTILE = [
    *(
        "",
        " ",
        "--force",
        "--roles",
        "-x",
        "' '",
        "$(touch x)",
        "`touch x`",
        "a b",
        "a\nb",
        "*",
        "?",
        "/*",
        "~",
        "a;b",
        "a'b",
        'a"b',
        "x" * 5000,
        "\0",
    ),
    *(
        TOKEN,
        "." + TOKEN,
        TOKEN + " ",
        [TOKEN],
        {"a": TOKEN},
        {TOKEN: "a b"},
        "10.0.0.256",
        "010.0.0.1",
        "٣.8.0",
        "٣٢٧٦٨",
    ),
    *("8_192", " 8192", "+8192", "8191", "1e4", "nan", "inf", "true", "no", b"bytes", [], {}, [None]),
    *(True, False, 0, 1, -1, 1.5, 8192.0, float("nan"), float("inf"), 10**20, 10**400, "9" * 5000),
    *("allocator, proxy", ["allocator "], ["allocator", "--force"], [["allocator"]], [1]),
    *(
        {"a": None},
        {None: "a"},
        {1: "a", "1": "b"},
        {"a": {"b": "c"}},
        {"a": ["b"]},
        {"a b": "c"},
        {"a": "b c"},
        {"a": ""},
        {"": "a"},
        {"a:b": "c"},
    ),
    *(
        {"runner": {}},
        {"runner": "1G"},
        {"runner": {"xms": "1 G"}},
        {"runner": {"xms": 1}},
        {"runner": {"xms": "1G\n"}},
        {"proxy": {"xms": "1G"}},
    ),
    *(
        '{"runner": {"xms": "1G"}}',
        {"runner": [1]},
        {"runner": {"xms": {"a": "b"}}},
        {"runner": {1: "1G"}},
        {1: {"xms": "1G"}},
    ),
    *(
        [["--a", "b"]],
        ["--a", "b", "c"],
        ["--a", "--b"],
        ["a"],
        ["--token", "a'b"],
        ["--a", "b c"],
        ["--a", "*"],
        ["--a=b"],
        ["--a", "["],
    ),
    *(
        ["--roles-token", TOKEN],
        ["--a", ""],
        ["--a", None],
        ["--a", '{"a": 1}'],
        ["--a\n", "b"],
        ["--podman"],
        "--proxy-tags a",
        {"--a": "b"},
    ),
    *(["--proxy-tags"], ["--proxy-tags", "--debug"], ["--skip-cloud-enterprise-version-check", "x"]),
]


def spoiled(value: Any, nasty: str, position: int) -> Any:
    """The value with a piece put into each of its texts."""
    if isinstance(value, dict):
        return {
            spoiled(key, nasty, position) if position % 2 else key: spoiled(item, nasty, position)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [*value[:-1], spoiled(value[-1], nasty, position)]
    text = str(value)
    at = position % (len(text) + 1)
    return text[:at] + nasty + text[at:]


# Made once, because making a strategy within an example takes longer than the example.
PICKS = st.integers(0, 10**6)
TEXTS = st.text(max_size=4)
ANY_TEXT = object()


def option_sets(
    right: Mapping[str, list], whole: bool = False, more: Mapping[str, list] | None = None
) -> st.SearchStrategy[dict[str, Any]]:
    """Some of these options (whole: all of them) with right values; in three of four examples one value is wrong.

    Only one, because its refusal hides what would happen to another. more: values that are wrong for one option only.
    """
    names = sorted(right)
    together = st.sampled_from(
        [tuple(names)]
        if whole
        else [(), *itertools.combinations(names, 1), *itertools.combinations(names, 2), tuple(names)]
    )
    wrong_names = st.sampled_from([*names, *[None] * (len(names) // 3 + 1)])
    general = [*[(piece, None) for piece in NASTY] * 3, *[(None, value) for value in HOSTILE], *[(None, ANY_TEXT)] * 20]
    wrong = {
        name: st.sampled_from([*general, *[(None, value) for value in (more or {}).get(name, ())] * 3])
        for name in names
    }

    @st.composite
    def sets(draw):
        pick = draw(PICKS)
        options = {name: right[name][pick % len(right[name])] for name in draw(together)}
        name = draw(wrong_names)
        if name:
            piece, value = draw(wrong[name])
            if piece:
                value = spoiled(right[name][pick % len(right[name])], piece, pick % 21)
            options[name] = draw(TEXTS) if value is ANY_TEXT else value
        return options

    return sets()
