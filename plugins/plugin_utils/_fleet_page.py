# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""The report on a fleet as a page: one HTML file without scripts, and without anything that a browser has to load."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

import jinja2

from ansible_collections.ece.platform.plugins.plugin_utils._display import duration
from ansible_collections.ece.platform.plugins.plugin_utils._fleet import JoinedHost

TEMPLATES = Path(__file__).resolve().parents[2] / "playbooks" / "templates"
TEMPLATE = "fleet_report.html.j2"
# Longer lists of hosts are folded.
OPEN_MAX = 100
# The width of a timeline, in units of its own.
TIMELINE_WIDTH = 1000.0


class Span(TypedDict):
    """A part of a bar: where it begins and how wide it is, in units of the timeline."""

    kind: str
    x: float
    width: float


def page_of(report: Mapping[str, Any]) -> str:
    """Return the page of a Report. Texts of it are escaped, whatever they hold."""
    # Undefined names are errors: a page with holes would look like a fleet with holes.
    environment = jinja2.Environment(
        autoescape=True,
        loader=jinja2.FileSystemLoader(str(TEMPLATES)),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(gb=gb, percent=percent, time=time, clock=clock, duration=duration)
    by_zone: dict[str | None, list[Any]] = {}
    for host in report["hosts"]:
        by_zone.setdefault(host["zone"], []).append(host)
    return environment.get_template(TEMPLATE).render(
        report=report,
        by_zone=by_zone,
        timelines=timelines(report["join"]),
        OPEN_MAX=OPEN_MAX,
        WIDTH=int(TIMELINE_WIDTH),
    )


def gb(megabytes: float | None) -> str:
    """Return memory for people: 244 GB, 3.5 GB, 512 MB, or - for None."""
    if megabytes is None:
        return "-"
    if 0 < megabytes < 1024:
        return f"{megabytes:,.0f} MB"
    gigabytes = megabytes / 1024
    return f"{gigabytes:,.0f} GB" if gigabytes >= 10 or gigabytes == int(gigabytes) else f"{gigabytes:,.1f} GB"


def percent(part: float | None, whole: float | None) -> int:
    """Return a share from 0 to 100, which are for what is empty and full. It is 0 where it is not known."""
    if not part or not whole or part < 0 or whole < 0:
        return 0
    if part >= whole:
        return 100
    return min(99, max(1, round(100 * part / whole)))


def time(seconds: float | None) -> str:
    """Return a time since 1970 as a date: 2026-11-27 14:05 UTC, or - for one that no calendar has."""
    return _formatted(seconds, "%Y-%m-%d %H:%M UTC")


def clock(seconds: float | None) -> str:
    """Return a time since 1970 without its day: 14:05:09"""
    return _formatted(seconds, "%H:%M:%S")


def _formatted(seconds: float | None, form: str) -> str:
    try:
        return (
            "-" if seconds is None else datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime(form)
        )
    except (TypeError, ValueError, OverflowError, OSError):
        return "-"


def timelines(join: Sequence[JoinedHost]) -> dict[str, list[Span]]:
    """Return the parts of each host's bar, by host. Hosts whose start is not known have none."""
    starts = [host["started_at"] for host in join if host["started_at"] is not None]
    if not starts:
        return {}
    first = min(starts)
    last = max(moment for host in join for moment in _moments(host))
    scale = TIMELINE_WIDTH / max(1.0, last - first)
    return {host["host"]: _spans(host, first, scale) for host in join if host["started_at"] is not None}


def _moments(host: JoinedHost) -> list[float]:
    moments = (host["started_at"], host["ended_at"], host["connected_at"])
    return [moment for moment in moments if moment is not None]


def _spans(host: JoinedHost, first: float, scale: float) -> list[Span]:
    spans: list[Span] = []
    at = host["started_at"] or first
    ends = (("install", host["ended_at"]), ("connect", host["connected_at"]))
    for kind, end in ends:
        # A host may be connected before its installer has ended.
        if end is not None and end > at:
            spans.append({"kind": kind, "x": round((at - first) * scale, 1), "width": round((end - at) * scale, 1)})
            at = end
    return spans
