# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a stand-in, grouped by the part that reads them. All layers may use this module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CERTIFICATES = ("good", "expired", "wrong-name")
ANY_ADDRESS = ("0.0.0.0", "::")


@dataclass(frozen=True, kw_only=True)
class PlatformOptions:
    """Options of the platform.

    version: of the platform and, unless a test changes it, of the installer. zones: the availability zones.
    connect_seconds: from a join until the runner is connected. index_lag: seconds that lists are behind.
    session_seconds: how long a login lasts. move_seconds: how long an instance takes to move.
    keep_allocators: an allocator's record stays when its runner is deleted, so that it has to be deleted, too.
    """

    version: str = "3.8.0"
    zones: Sequence[str] = ("ece-zone-1", "ece-zone-2", "ece-zone-3")
    connect_seconds: float = 1.0
    index_lag: float = 0.0
    session_seconds: float = 3600.0
    move_seconds: float = 0.5
    keep_allocators: bool = True


@dataclass(frozen=True, kw_only=True)
class NetworkOptions:
    """Options of the listening sockets and of the certificate. Port 0 stands for a free port.

    host: the address to listen on. advertise: the name or address under which hosts reach the stand-in.
    certificate: `good`, `expired` or `wrong-name`. coordinators: how many addresses the API has; `port` is the first.
    """

    host: str = "127.0.0.1"
    advertise: str | None = None
    port: int = 0
    join_port: int = 0
    control_port: int = 0
    coordinators: int = 1
    certificate: str = "good"

    def __post_init__(self) -> None:
        if self.certificate not in CERTIFICATES:
            raise ValueError(f"certificate is one of {', '.join(CERTIFICATES)}, not {self.certificate}")

    @property
    def name(self) -> str:
        """The name or address under which hosts reach the stand-in."""
        return self.advertise or ("127.0.0.1" if self.host in ANY_ADDRESS else self.host)

    @property
    def certified_names(self) -> list[str]:
        """The names and addresses for which a good certificate is valid."""
        names = ["127.0.0.1", "localhost", self.name]
        return list(dict.fromkeys(names if self.host in ANY_ADDRESS else [*names, self.host]))


@dataclass(frozen=True, kw_only=True)
class Options(PlatformOptions, NetworkOptions):
    """All options of `StandIn(...)`.

    directory: for certificate, installer and hosts; by default a temporary one that close() removes.
    allocators: how many hosts have joined already.
    spec: an OpenAPI file against which requests and replies are checked.
    sparse: leave out of replies what recorded replies of the product lack. max_page: the longest page of a list.
    install_seconds: how long the installer takes on a new host.
    """

    directory: str | Path | None = None
    allocators: int = 0
    spec: str | Path | None = None
    sparse: bool = False
    max_page: int | None = None
    install_seconds: float = 2.0
