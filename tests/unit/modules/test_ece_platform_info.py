# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.modules import ece_platform_info
from tests.unit.scripted import failed, platform

# In every place where the API specification has one.
SECRET = "must-not-show"

PROXIES = {
    "proxies": [{"proxy_id": "10.0.0.9", "healthy": True}],
    "settings": {
        "expected_proxies_count": 1,
        "signature_secret": SECRET,
        "http_settings": {
            "cookie_secret": SECRET,
            "user_cookie_key": "FoundUser",
            "sso_settings": {"sso_secret": SECRET, "cookie_name": "sso"},
        },
    },
}
ROLES = {
    "values": [
        {
            "id": "proxy",
            "role": {
                "value": {
                    "containers": [
                        {
                            "name": "route-server",
                            "options": {
                                "enabled": True,
                                "auths": [{"scheme": "digest", "auth": SECRET}],
                                "runners_secret": SECRET,
                                "container_set_secret": SECRET,
                                "overrides": {"container_config": {"env": ["HEAP=1G", f"KEYSTORE_PASSWORD={SECRET}"]}},
                            },
                        }
                    ]
                }
            },
        }
    ]
}
LICENSE = {
    "license": {
        "type": "enterprise",
        "signature": SECRET,
        "cluster_licenses": [{"license": {"type": "platinum", "signature": SECRET}}],
    }
}
PARTS = {
    "license": ("/platform/license", LICENSE),
    "proxies": ("/platform/infrastructure/proxies", PROXIES),
    "roles": ("/platform/infrastructure/blueprinter/roles", ROLES),
}


@pytest.mark.parametrize(
    ("counts", "totals"),
    [
        ({"allocators": 120, "runners": 123}, {"allocators": 120, "runners": 123}),
        ({}, {"allocators": None, "runners": None}),
    ],
    ids=["counted", "silent"],
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_the_platform_is_one_request(ece, run_module, counts, totals, check_mode):
    reply = platform(**counts, eula_accepted=True)
    ece.expect("GET", "/platform", json=reply)
    result = run_module(ece_platform_info, check_mode=check_mode)
    assert {key: result[key] for key in ("changed", "version", "platform", "totals")} == {
        **{"changed": False, "version": "3.8.0"},
        **{"platform": reply, "totals": totals},
    }
    assert not set(PARTS) & set(result)


@pytest.mark.parametrize(
    "gather", [["license"], ["proxies"], ["roles"], ["roles", "license", "proxies"], ["proxies", "proxies"]], ids=str
)
def test_each_part_is_gathered_once_and_without_secrets(ece, run_module, gather):
    ece.expect("GET", "/platform", json=platform(registry_password=SECRET))
    for part in sorted(set(gather)):
        path, reply = PARTS[part]
        ece.expect("GET", path, json=reply)
    result = run_module(ece_platform_info, gather=gather)
    assert SECRET not in result.printed
    assert set(PARTS) & set(result) == set(gather)


def test_everything_but_secrets_is_returned(ece, run_module):
    ece.expect("GET", "/platform", json=platform())
    for _, (path, reply) in sorted(PARTS.items()):
        ece.expect("GET", path, json=reply)
    result = run_module(ece_platform_info, gather=sorted(PARTS))
    assert result["proxies"] == {
        "proxies": [{"proxy_id": "10.0.0.9", "healthy": True}],
        "settings": {
            "expected_proxies_count": 1,
            "http_settings": {"user_cookie_key": "FoundUser", "sso_settings": {"cookie_name": "sso"}},
        },
    }
    (container,) = result["roles"][0]["role"]["value"]["containers"]
    assert container == {
        "name": "route-server",
        "options": {"enabled": True, "overrides": {"container_config": {"env": ["HEAP=1G"]}}},
    }
    assert result["license"] == {"type": "enterprise", "cluster_licenses": [{"license": {"type": "platinum"}}]}


def test_a_platform_without_a_license_is_not_an_error(ece, run_module):
    ece.expect("GET", "/platform", json=platform())
    ece.expect("GET", "/platform/license", status=404, json=failed("license.license_not_found"))
    result = run_module(ece_platform_info, gather=["license"])
    assert "failed" not in result and result["license"] is None


def test_a_part_that_the_user_may_not_read_is_an_error(ece, run_module):
    ece.expect("GET", "/platform", json=platform())
    ece.expect("GET", "/platform/infrastructure/proxies", status=403, json=failed("root.unauthorized.rbac"))
    result = run_module(ece_platform_info, gather=["proxies"])
    assert result["failed"]
    assert result["failure"]["status"] == 403


def test_an_unknown_part_is_named(ece, run_module):
    result = run_module(ece_platform_info, gather=["everything"])
    assert result["failed"] and "everything" in result["msg"]
    assert ece.requests == []
