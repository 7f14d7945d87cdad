# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The platform as a whole: its coordinators, certificate, credentials and clock."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from typing import Any

from tests.integration.operator import Operator
from tests.integration.scenarios.answers import RUNNERS
from tests.integration.scenarios.relay import Relay
from tests.integration.scenarios.scenario import CONNECTED, Joined, Prepare, Reaches, Scenario, Undo, faulty, until

SUCCESS: dict[str, Any] = {"succeeds": True, "message": CONNECTED, "joined": Joined.BOTH}
EPHEMERAL = {"ece_host_token_persistent": False}
HOUR_SECONDS = 3600


def first_coordinator_down(operator: Operator) -> None:
    """Put a coordinator that refuses connections first in the list of URLs."""
    operator.group_vars["ece_url"] = ["https://127.0.0.1:1", operator.ece.url]


class Unavailable(http.server.BaseHTTPRequestHandler):
    """What a load balancer answers for a coordinator that does not."""

    def do_GET(self) -> None:
        self.send_error(503)

    do_POST = do_GET

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


def first_coordinator_unavailable(operator: Operator) -> Undo:
    """Put a load balancer without its coordinator first in the list of URLs."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Unavailable)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    operator.group_vars["ece_url"] = [f"http://127.0.0.1:{server.server_port}", operator.ece.url]
    return server.shutdown


def coordinator_goes_down(operator: Operator) -> None:
    """Let the coordinator that answered plan and mint go down as soon as host "a" installs."""
    relay = Relay(operator.ece.port)
    operator.group_vars["ece_url"] = [relay.url, operator.ece.url]

    def close() -> None:
        until(lambda: operator.ece.hosts["a"].containers)
        relay.close()

    threading.Thread(target=close, daemon=True).start()


def certificate(kind: str) -> Prepare:
    """Return a step after which the coordinator presents this kind of certificate."""

    def prepare(operator: Operator) -> Undo:
        operator.ece.present_certificate(kind)
        return lambda: operator.ece.present_certificate("good")

    return prepare


def clock(seconds: float) -> Prepare:
    """Return a step that sets the platform's clock ahead of the controller's."""
    return lambda operator: operator.ece.platform.advance(seconds)


def availability() -> Iterator[Scenario]:
    """Yield the scenarios in which a coordinator does not answer, or refuses."""
    yield Scenario(
        name="watch-platform-gone-for-good",
        what="The platform answers every request with HTTP 503 while hosts join",
        message="(ece_host_connect_timeout): the platform cannot be asked: GET",
        joined=Joined.BOTH,
        afterwards="the run cannot see that, the second run finds it",
        prepare=faulty(method="GET", path=RUNNERS, after=1, times=None, status=503),
        variables={"ece_host_connect_timeout": 6},
    )
    yield Scenario(
        name="plan-401-for-good",
        what="The platform refuses the password",
        message="the credentials were refused; check ece_api_key, or ece_username and ece_password",
        reaches=Reaches.PLAN,
        prepare=faulty(times=None, status=401, code="root.unauthenticated"),
    )
    yield Scenario(
        name="first-coordinator-down",
        what="The first coordinator of several is down",
        afterwards="the client uses the next one",
        prepare=first_coordinator_down,
        **SUCCESS,
    )
    yield Scenario(
        name="first-coordinator-unavailable",
        what="A load balancer answers with HTTP 503 for the first coordinator of several",
        afterwards="the client uses the next one, for the token, too",
        prepare=first_coordinator_unavailable,
        variables={"ece_allow_http": True, **EPHEMERAL},
        **SUCCESS,
    )
    yield Scenario(
        name="coordinator-fails-over",
        what="The coordinator goes down while hosts join, and there is another one",
        afterwards="the client uses the next one",
        prepare=coordinator_goes_down,
        **SUCCESS,
    )


def certificates() -> Iterator[Scenario]:
    """Yield the scenarios in which the coordinator's certificate is not good."""
    yield Scenario(
        name="certificate-expired",
        what="The coordinator's certificate has expired",
        message="the coordinator's certificate has expired; renew it on the platform",
        reaches=Reaches.PLAN,
        afterwards="no request is sent",
        prepare=certificate("expired"),
    )
    yield Scenario(
        name="certificate-wrong-name",
        what="The coordinator's certificate is for another name",
        message="the coordinator's certificate is for another host name; use the name in it as ece_url",
        reaches=Reaches.PLAN,
        afterwards="no request is sent",
        prepare=certificate("wrong-name"),
    )


def clocks() -> Iterator[Scenario]:
    """Yield the scenarios in which the clocks of platform and controller differ."""
    ahead = "The platform's clock is an hour ahead of the controller's"
    behind = "The platform's clock is an hour behind the controller's"
    yield Scenario(name="clock-ahead", what=ahead, prepare=clock(HOUR_SECONDS), **SUCCESS)
    yield Scenario(name="clock-behind", what=behind, prepare=clock(-HOUR_SECONDS), **SUCCESS)
    yield Scenario(
        name="clock-ahead-ephemeral",
        what=f"{ahead}, and the token is ephemeral",
        prepare=clock(HOUR_SECONDS),
        variables=EPHEMERAL,
        **SUCCESS,
    )
    yield Scenario(
        name="clock-behind-ephemeral",
        what=f"{behind}, and the token is ephemeral",
        prepare=clock(-HOUR_SECONDS),
        variables=EPHEMERAL,
        **SUCCESS,
    )


def scenarios() -> Iterator[Scenario]:
    """Yield the scenarios of this file."""
    yield from availability()
    yield from certificates()
    yield from clocks()
