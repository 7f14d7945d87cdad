# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page is complete, needs nothing from the network, and takes no text for HTML."""

from __future__ import annotations

import re

import pytest

from ansible_collections.ece.platform.plugins.plugin_utils import _fleet_page as fleet_page
from ansible_collections.ece.platform.plugins.plugin_utils._fleet import report_of
from tests.unit.fleet import Page, allocator, platform, runner

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&lt;b&gt; {{ 7*7 }}{% raw %}"
TIMES = {"a": {"started_at": 100.0, "ended_at": 300.0, "connected_at": 340.0}, "b": {"started_at": 120.0}}
ROW = {"zone": "z", "verdict": "joined", "install_seconds": 200, "connect_seconds": 40, "note": ""}


def page_of(runners=(), allocators=(), info=None, **more):
    info = platform({}, len(runners)) if info is None else info
    report = report_of(info, runners, allocators, url="https://ece.example.com:12443", made_at=1893456000, **more)
    text = fleet_page.page_of(report)
    page = Page(text)
    assert page.errors == []
    return page, text


def test_the_page_has_each_part_and_each_host():
    page, _text = page_of([runner(n) for n in range(1, 7)], [allocator(n) for n in range(1, 7)])
    ids = [attributes["id"] for attributes in page.all("section")]
    assert ids == ["zones", "disconnected", "maintenance", "versions", "roles", "hosts"]
    assert len(page.all("details")) == 3 and all("open" in found for found in page.all("details"))
    for number in range(1, 7):
        assert f"10.0.0.{number}" in page.text
    assert "ECE 3.8.0 at https://ece.example.com:12443, as of 2030-01-01 00:00 UTC" in page.text
    assert "rack: r1" in page.text


def test_a_browser_loads_nothing():
    page, text = page_of([runner(1)], [allocator(1)], rows={"a": ROW}, times=TIMES)
    names = {tag for tag, _attributes in page.elements}
    assert not names & {"script", "link", "img", "iframe", "object", "base", "form", "a"}
    attributes = {name for _tag, found in page.elements for name in found}
    assert not attributes & {"src", "href", "style", "srcset", "action"}
    assert not [name for name in attributes if name.startswith("on")]
    assert "url(" not in text and "@import" not in text
    (policy,) = [found["content"] for found in page.all("meta") if found.get("http-equiv")]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'")


def test_what_the_platform_and_hosts_call_themselves_is_no_html():
    hostile = runner(
        1, runner_id=HOSTILE, zone=HOSTILE, host_ip=HOSTILE, build_info={"version": HOSTILE}, tags={HOSTILE: HOSTILE},
        connected=False, roles=[{"role_name": HOSTILE}],
    )  # fmt: skip
    of_allocator = allocator(1, allocator_id=HOSTILE, zone_id=HOSTILE, maintenance_mode=True)
    info = {**platform({HOSTILE: 3}, 9), "version": HOSTILE}
    rows = {HOSTILE: {**ROW, "zone": HOSTILE, "verdict": HOSTILE, "note": HOSTILE}}
    times = {HOSTILE: TIMES["a"]}
    page, text = page_of([hostile], [of_allocator], info, rows=rows, times=times, warnings=[HOSTILE])
    assert "<script" not in text and "<img" not in text and "<b>" not in text
    assert not [found for _tag, found in page.elements if any(name.startswith("on") for name in found)]
    assert "{{ 7*7 }}" in text
    assert page.text.count("<script>alert(1)</script>") >= 10


def test_tables_have_headers_and_captions_and_pictures_have_a_text():
    page, _text = page_of([runner(1, connected=False)], [allocator(1)], rows={"a": ROW}, times=TIMES)
    assert page.all("html") == [{"lang": "en"}]
    tables = len(page.all("table"))
    assert tables == len(page.all("caption")) == len(page.all("thead")) == 6
    assert all(found.get("scope") in ("col", "row") for found in page.all("th"))
    pictures = page.all("svg")
    assert pictures and all(found.get("role") == "img" and found.get("aria-label") for found in pictures)
    scrolling = [found for found in page.all("div") if "scroll" in found.get("class", "")]
    assert all(found.get("tabindex") == "0" and found.get("aria-label") for found in scrolling)


def test_the_page_fits_the_width_of_a_phone_and_a_dark_screen():
    page, text = page_of([runner(1)])
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")
    assert "@media (max-width:" in text and "prefers-color-scheme: dark" in text


def test_many_hosts_are_folded():
    runners = [runner(n) for n in range(fleet_page.OPEN_MAX + 1)]
    page, _text = page_of(runners)
    assert page.all("details") and not any("open" in found for found in page.all("details"))


def test_a_cut_list_is_said_on_the_page():
    page, _text = page_of([runner(1)], [allocator(1)], platform({"ece-zone-2": 7}, 5))
    assert "The list of runners has 1 entries but GET /platform counts 5" in page.text
    assert "Lists: 1 runners and 1 allocators. The platform counts 5 runners and 7 allocators." in page.text
    assert "1 of 7" in page.text


def test_an_empty_platform_has_a_page():
    page, _text = page_of([], [], {})
    assert "All hosts (0)" in page.text and "The platform counts - runners" in page.text


def test_a_version_that_is_not_the_platforms_is_marked():
    page, _text = page_of([runner(1, build_info={"version": "3.7.2"}), runner(2)])
    assert page.text.count("not that of the platform") == 1


def test_unknown_memory_is_said():
    page, _text = page_of([], [allocator(1, total=None)])
    assert "does not say how much memory 1 of the allocators have" in page.text


def test_each_host_of_a_join_has_a_bar_and_its_times():
    rows = {"a": ROW, "b": {**ROW, "verdict": "failed", "note": "no socket"}, "c": {**ROW, "note": "not begun"}}
    page, text = page_of(rows=rows, times=TIMES)
    assert "join" in [found["id"] for found in page.all("section")]
    bars = [found for found in page.all("svg") if "timeline" in found.get("class", "")]
    assert [found["aria-label"].split(":")[0] for found in bars] == ["a"]
    assert re.search(r'class="install" x="0.0" width="833.3".*class="connect" x="833.3" width="166.7"', text)
    assert "00:01:40 00:05:00 00:05:40 3m20s 40s" in page.text
    assert "no socket" in page.text and "not begun" in page.text


@pytest.mark.parametrize(
    ("megabytes", "text"),
    [(None, "-"), (0, "0 GB"), (512, "512 MB"), (3584, "3.5 GB"), (65536, "64 GB"), (250000, "244 GB")],
)
def test_memory_is_in_gb(megabytes, text):
    assert fleet_page.gb(megabytes) == text


@pytest.mark.parametrize(
    ("part", "whole", "share"),
    [
        (1, 2, 50),
        (0, 2, 0),
        (1, 1000, 1),
        (999, 1000, 99),
        (3, 2, 100),
        (1, 0, 0),
        (None, 2, 0),
        (1, None, 0),
        (-1, 2, 0),
    ],
)
def test_a_share_is_full_or_empty_only_if_it_is(part, whole, share):
    assert fleet_page.percent(part, whole) == share


@pytest.mark.parametrize("seconds", [None, 1e300, float("nan"), "x"])
def test_a_time_that_no_calendar_has_is_not_shown(seconds):
    assert fleet_page.time(seconds) == "-" and fleet_page.clock(seconds) == "-"
