# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resources below /platform/infrastructure that list services: proxies, coordinators and constructors.

Part of the API layer. The stand-in has one of each, on its only coordinator.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tests.standin.api.messages import Json, Reply, context_of
from tests.standin.model import CLUSTER_TYPES


async def get_proxies(request: Request) -> Response:
    """List the proxies with their settings."""
    return Reply(shown_proxies(context_of(request).coordinator))


async def get_coordinators(request: Request) -> Response:
    """List the coordinators."""
    return Reply(shown_coordinators(context_of(request).coordinator))


async def get_constructors(request: Request) -> Response:
    """List the constructors."""
    return Reply(shown_constructors(context_of(request).coordinator))


def shown_coordinators(host: str) -> Json:
    """Return the list of coordinators as the API shows it."""
    one = {
        "name": host,
        "public_hostname": host,
        "leader_port": 22191,
        "election_port": 22192,
        "client_port": 22193,
        "attributes": {},
    }
    return {"coordinators": [one]}


def shown_constructors(host: str) -> Json:
    """Return the list of constructors as the API shows it."""
    return {"constructors": [{"constructor_id": host, "status": {"connected": True, "maintenance_mode": False}}]}


def shown_proxies(host: str) -> Json:
    """Return the list of proxies as the API shows it. Its secrets are in plain text, like those of the product."""
    sso = {
        "max_age": 60,
        "sso_secret": "secret-of-single-sign-on",
        "cookie_name": "sso",
        "dont_log_requests": True,
        "default_redirect_path": "/",
        "maintenance_bypass_cookie_name": "bypass",
    }
    http = {
        "disconnected_cutoff": 1000,
        "minimum_proxy_services": 1,
        "sso_settings": sso,
        "dashboards_base_url": f"https://{host}",
        "cookie_secret": "secret-of-the-cookie",
        "user_cookie_key": "user",
    }
    settings = {
        "expected_proxies_count": 1,
        "signature_secret": "secret-of-the-signature",
        "signature_valid_for_millis": 60000,
        "http_settings": http,
    }
    proxy = {
        "proxy_id": host,
        "runner_id": host,
        "host_ip": host,
        "public_hostname": host,
        "metadata": {},
        "healthy": True,
        "allocations": [
            {"allocations_type": kind, "counts": {"allocations": 0, "connectors": 0}} for kind in CLUSTER_TYPES
        ],
    }
    return {"proxies_count": 1, "settings": settings, "proxies": [proxy]}
