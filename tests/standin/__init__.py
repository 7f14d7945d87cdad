# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for an Elastic Cloud Enterprise platform: coordinator, installer and container engine, for tests and demos.

    with StandIn(allocators=3) as ece:
        requests.get(ece.url + "/api/v1/platform", auth=(ece.username, ece.password), verify=ece.ca_path)

It is meant to be harder to deal with than the real product, never kinder.
"""

from tests.standin.server import StandIn

__all__ = ["StandIn"]
