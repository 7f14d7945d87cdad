# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the ASGI layers share: the entry of a request, keys of the ASGI scope, and the patterns of paths and tokens.

Below all ASGI layers: this module imports nothing of the stand-in.
"""

from __future__ import annotations

import re
from typing import Any, TypedDict

# Keys of the ASGI scope: the request's entry in the log, and the transport of its connection.
ENTRY = "standin.entry"
TRANSPORT = "standin.transport"

MASK = "********"
# Also a token that was cut off after its first dot.
JWT = re.compile(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_.-]*")
_PREFIX = re.compile(r"^/api/v1(/regions/[^/]+)?")


class RequestEntry(TypedDict):
    """One request in the log. `status` is None until a reply is sent, and stays None where none is.

    port: of the coordinator that received it.
    """

    method: str
    path: str
    query: dict[str, str]
    body: Any
    status: int | None
    auth: str | None
    time: float
    port: int


def resource_path(path: str) -> str:
    """Return a path without `/api/v1` and without the region, as the OpenAPI file spells paths."""
    return _PREFIX.sub("", path)
