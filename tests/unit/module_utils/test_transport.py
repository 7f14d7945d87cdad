# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of a proxy and of a failed request. test_http.py has time limit and proxies with real servers."""

from __future__ import annotations

import threading

import pytest
import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProxyError

from ansible_collections.ece.platform.plugins.module_utils import _transport as transport
from tests.unit.scripted import URL, connect_timeout, read_timeout, refused, reset


def of_proxy(cause):
    return requests.exceptions.ProxyError(MaxRetryError(None, "/", ProxyError("Cannot connect to proxy.", cause)))


REFUSED = of_proxy(NewConnectionError(None, "[Errno 111] Connection refused"))
TUNNEL = of_proxy(OSError("Tunnel connection failed: 407 Proxy Authentication Required"))
BROKEN = of_proxy(OSError("something else"))


@pytest.mark.parametrize(
    ("proxy", "name"),
    [
        ("http://proxy.example.com:3128", "http://proxy.example.com:3128"),
        ("http://me:geheim@proxy.example.com:3128/", "http://proxy.example.com:3128"),
        ("http://me:ge@he/im@proxy.example.com", "http://proxy.example.com"),
        ("me:geheim@proxy.example.com:3128", "proxy.example.com:3128"),
        ("socks5h://me:geheim@[2001:db8::1]:1080", "socks5h://[2001:db8::1]:1080"),
    ],
)
def test_a_proxy_is_named_without_its_credentials(environment, proxy, name):
    environment.setenv("https_proxy", proxy)
    assert transport.proxy_of(requests.Session(), URL) == f"the proxy {name} (https_proxy)"


@pytest.mark.parametrize("variables", [{}, {"http_proxy": "http://p"}, {"https_proxy": "http://p", "no_proxy": "*"}])
def test_an_address_without_a_proxy_has_none(environment, variables):
    for name, value in variables.items():
        environment.setenv(name, value)
    assert transport.proxy_of(requests.Session(), URL) is None


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (REFUSED, "cannot be reached (connection refused)"),
        (TUNNEL, "answered 407 Proxy Authentication Required"),
        (BROKEN, "failed (something else)"),
        (refused(), None),
        (reset(), None),
        (read_timeout(), None),
    ],
)
def test_what_a_proxy_did_is_distinguished_from_what_the_coordinator_did(error, problem):
    assert transport.proxy_problem(error, transport.limits(30, "timeout")) == problem


@pytest.mark.parametrize(
    ("error", "never"),
    [
        (refused(), True),
        (connect_timeout(), True),
        (REFUSED, True),
        (TUNNEL, True),
        (BROKEN, False),
        (reset(), False),
        (read_timeout(), False),
    ],
)
def test_only_a_request_that_certainly_did_not_arrive_was_never_connected(error, never):
    assert transport.never_connected(error) is never


@pytest.mark.parametrize(
    ("error", "seconds", "sentence"),
    [
        (
            read_timeout(),
            30,
            "no complete answer within ece_timeout, which is 30 seconds: give it more if the",
        ),
        (read_timeout(), 1, "no complete answer within ece_timeout, which is 1 second: give it more if the"),
        (connect_timeout(), 5, "no connection within ece_timeout, which is 5 seconds: give it more"),
        (connect_timeout(), 30, "no connection within 10 seconds: is the address right, and does a firewall let it"),
    ],
)
def test_a_time_that_is_over_is_said_with_its_option_and_with_what_would_be_right(error, seconds, sentence):
    assert transport.reason(error, transport.limits(seconds, "ece_timeout")).startswith(sentence)


def test_a_proxy_that_takes_too_long_is_said_with_the_limit():
    error, limits = of_proxy(connect_timeout().args[0].reason), transport.limits(3, "ece_timeout")
    sentence = "cannot be reached (no connection within ece_timeout, which is 3 seconds: give it more)"
    assert transport.proxy_problem(error, limits) == sentence


def test_without_a_thread_to_spare_a_request_is_made_all_the_same(environment, ece, monkeypatch):
    def refuse(_thread):
        raise RuntimeError("can't start new thread")

    ece.expect("DELETE", "/x", json={})
    monkeypatch.setattr(threading.Thread, "start", refuse)
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    session = transport.LimitedSession(1)
    assert session.delete(f"{URL}/api/v1/x", headers=headers, timeout=(1, 1)).status_code == 200
