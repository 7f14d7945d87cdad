# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in's certificate authority and the certificate that its API presents. Part of the server."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

import trustme

from tests.standin.options import CERTIFICATES


class Certificates:
    """A certificate authority, with its certificate in `ca_path`, and a TLS context with a server certificate of it."""

    def __init__(self, ca_path: Path, names: Sequence[str], kind: str) -> None:
        self._names = names
        self._authority = trustme.CA(organization_name="ece.platform stand-in")
        self._authority.cert_pem.write_to_path(str(ca_path))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.present(kind)

    def present(self, kind: str) -> None:
        """Present a good, expired or wrong-name certificate on all connections from now on."""
        if kind not in CERTIFICATES:
            raise ValueError(f"certificate is one of {', '.join(CERTIFICATES)}, not {kind}")
        names = ["somewhere-else.invalid"] if kind == "wrong-name" else self._names
        now = datetime.now(timezone.utc)
        until = now - timedelta(days=1) if kind == "expired" else now + timedelta(days=30)
        certificate = self._authority.issue_cert(*names, not_before=now - timedelta(days=2), not_after=until)
        certificate.configure_cert(self.context)
