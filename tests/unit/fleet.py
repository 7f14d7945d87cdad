# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet for the tests of its report, as the API lists it."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "link", "rect", "br", "hr", "img", "input"}


def runner(number, **more):
    """Return a RunnerInfo."""
    return {
        "runner_id": f"10.0.0.{number}",
        "zone": f"ece-zone-{number % 3 + 1}",
        "host_ip": f"10.0.0.{number}",
        "connected": True,
        "healthy": True,
        "roles": [{"role_name": "allocator"}, {"role_name": "beats-runner"}],
        "build_info": {"version": "3.8.0"},
        **more,
    }


def allocator(number, *, total=65536, used=16384, connected=True, maintenance_mode=False, **more):
    """Return an AllocatorInfo with its zone_id. Memory is in MB."""
    return {
        "allocator_id": f"10.0.0.{number}",
        "zone_id": f"ece-zone-{number % 3 + 1}",
        "host_ip": f"10.0.0.{number}",
        "status": {"connected": connected, "healthy": True, "maintenance_mode": maintenance_mode},
        "capacity": {"memory": {"total": total, "used": used}},
        "instances": [{}, {}],
        "metadata": [{"key": "rack", "value": "r1"}],
        **more,
    }


def platform(allocators, runners):
    """Return a PlatformInfo with these counts. allocators: number by zone."""
    zones = [{"zone_id": zone, "total_allocators": count} for zone, count in allocators.items()]
    region = {"allocators": {"zone_summaries": zones}, "runners": {"total_runners": runners}}
    return {"version": "3.8.0", "regions": [region]}


class Page(HTMLParser):
    """The structure of a page: its elements in order, and texts by element."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.errors = []
        self.texts = []
        self._open = []
        self.feed(text)
        self.close()
        self.errors += [f"<{tag}> is not closed" for tag in self._open]

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self._open or self._open.pop() != tag:
            self.errors.append(f"</{tag}> does not close what is open")

    def handle_data(self, data):
        if data.strip():
            self.texts.append(((self._open or [""])[-1], " ".join(data.split())))

    @property
    def text(self):
        return " ".join(text for tag, text in self.texts if tag != "style")

    def all(self, tag):
        """Return the attributes of each element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]
