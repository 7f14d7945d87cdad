# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for an Elastic Cloud Enterprise platform, for tests and demos: coordinator, installer, container engine.

README.md describes its layers.

    with StandIn(allocators=3) as ece:
        requests.get(ece.url + "/api/v1/platform", auth=(ece.username, ece.password), verify=ece.ca_path)

Where the two differ, the stand-in is stricter than the real product.
"""

from tests.standin.standin import StandIn

__all__ = ["StandIn"]
