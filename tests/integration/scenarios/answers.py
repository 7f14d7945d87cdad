# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The platform answers a request of some step wrongly, late or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.integration.operator import Operator
from tests.integration.scenarios.scenario import (
    ADDRESSES,
    CONNECTED,
    RETRIES,
    TIMEOUT,
    Joined,
    Prepare,
    Reaches,
    Scenario,
    all_of,
    faulty,
    nothing,
)

PLATFORM, TOKENS, ROLES = "^/platform$", "enrollment-tokens$", "/roles$"
# Read by the plan once, and by each poll of the wait.
RUNNERS = "infrastructure/runners$"
# Seconds after which an answer comes too late.
TOO_LATE = TIMEOUT + 2


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A kind of answer. text: the predicate of the row's sentence. fault: arguments of the stand-in's fault."""

    text: str
    fault: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Step:
    """A kind of request, and what becomes of the run when it is answered wrongly.

    subject: of the row's sentence. requests: which ones the stand-in's fault strikes. times: how many of them; None is
    all of them. times_of: the same for single kinds of answers. messages: kind of answer -> text that the run prints
    before it fails; with any other kind it succeeds. failure: the scenario's fields when the run fails. before: a step
    that comes before the fault. is_repeated: whether a run that waits makes these requests until hosts have joined.
    """

    name: str
    subject: str
    requests: Mapping[str, Any]
    times: int | None
    times_of: Mapping[str, int] = field(default_factory=dict)
    messages: Mapping[str, str] = field(default_factory=dict)
    failure: Mapping[str, Any] = field(default_factory=dict)
    before: Prepare = nothing
    is_repeated: bool = False

    def series_of(self, kind: str) -> str:
        """Return the series of the scenario with this kind of answer.

        It has one if the run waits meanwhile, or ends before it starts anything, because then nothing is left of it.
        """
        starts_nothing = kind in self.messages and self.failure.get("reaches", Reaches.START) is not Reaches.START
        return self.name if self.is_repeated or starts_nothing else ""


def http(status: int, text: str = "", **fault: Any) -> Answer:
    """Return an answer with an HTTP error status."""
    return Answer(text=f"are answered with HTTP {status}{text}", fault={"status": status, **fault})


ANSWERS = {
    "500": http(500),
    "502": http(502),
    "503": http(503),
    "429-retry-after": http(429, " and Retry-After", headers={"Retry-After": "1"}),
    "429": http(429),
    "401": http(401, " once, because the session has expired", code="root.unauthorized", times=1),
    "403": http(403, code="root.unauthorized.rbac"),
    "449": http(449, code="root.unauthorized.rbac.elevated_permissions_required"),
    "404": http(404, code="root.resource_not_found"),
    "slow": Answer(text="are answered later than the timeout", fault={"delay": TOO_LATE}),
    "reset-before": Answer(text="are cut off before they take effect", fault={"reset": "before"}),
    "reset-after": Answer(text="are cut off after they took effect", fault={"reset": "after"}),
    "truncated": Answer(text="are answered with half an answer", fault={"truncate": True}),
    "html": Answer(
        text="are answered with a web page",
        fault={"body": b"<html><title>Welcome to nginx</title></html>", "content_type": "text/html"},
    ),
    "empty": Answer(text="are answered with an empty body", fault={"body": b""}),
    "content-type": Answer(text="are answered as text/plain", fault={"content_type": "text/plain"}),
    "error-object": Answer(text='are answered with {"error": "..."}', fault={"body": b'{"error": "upstream is gone"}'}),
    "missing-fields": Answer(text="are answered without the required fields", fault={"transform": lambda _payload: {}}),
}

# -- texts that the run prints, by kind of answer --------------------------------------------------------------------

OF_STANDIN = {
    status: f"answered HTTP {status}: A fault of the stand-in." for status in ("500", "502", "503", "429", "404")
}
NOT_PERMITTED = {
    "403": "answered HTTP 403: this user may not do that",
    "449": "answered HTTP 449: this ECE wants elevated permissions, which platforms before 3.7 ask for; "
    "use the admin user's name and password",
}
NO_ANSWER = "no coordinator gave a complete answer (https://127.0.0.1:"
NO_JSON = "answered HTTP 200 with something that is not JSON"
WEB_PAGE = f"{NO_JSON}: <html><title>Welcome to nginx</title></html>"
WHICH_URL = "is ece_url a coordinator of ECE?"
NO_NEW_TOKEN = "No persistent token is new since"
TOKEN_REVOKED = "The token that it made, token_id "
NOT_REVOKED = "could not be revoked: process"
STILL_LISTED = "is revoked, but lists it still"


def missing_field(name: str) -> str:
    """Return the text of an answer that lacks a required field."""
    return f"answered without '{name}', which the API promises; {WHICH_URL}"


PLAN_MESSAGES = {
    **OF_STANDIN,
    **NOT_PERMITTED,
    "slow": "no complete answer within ece_timeout",
    "reset-before": NO_ANSWER,
    "reset-after": NO_ANSWER,
    "truncated": "the answer was cut off",
    "html": WEB_PAGE,
    "empty": f"{NO_JSON}: an empty body",
    "error-object": f"answered without 'version', which the API promises: upstream is gone; {WHICH_URL}",
    "missing-fields": missing_field("version"),
}
MINT_MESSAGES = {
    **{status: f"{OF_STANDIN[status]} (root.internal). {NO_NEW_TOKEN}" for status in ("500", "502", "503")},
    "429": "there is no token to join with: POST",
    "429-retry-after": "there is no token to join with: POST",
    "404": OF_STANDIN["404"],
    **NOT_PERMITTED,
    "slow": TOKEN_REVOKED,
    "reset-before": f"whether the request took effect is not known. {NO_NEW_TOKEN}",
    "reset-after": TOKEN_REVOKED,
    "truncated": TOKEN_REVOKED,
    "html": NO_NEW_TOKEN,
    "empty": NO_NEW_TOKEN,
    "error-object": f"answered without 'token', which the API promises: upstream is gone; {WHICH_URL}. {NO_NEW_TOKEN}",
    "missing-fields": TOKEN_REVOKED,
}
REVOKE_MESSAGES = {
    **dict.fromkeys(("500", "403", "404", "449", "html"), NOT_REVOKED),
    "empty": STILL_LISTED,
    "error-object": STILL_LISTED,
}
ROLE_MESSAGES = {"500": OF_STANDIN["500"], "404": OF_STANDIN["404"], **NOT_PERMITTED, "html": WEB_PAGE}

# -- steps -----------------------------------------------------------------------------------------------------------


def a_lacks_the_role(operator: Operator) -> None:
    """Let host "a" belong to the platform already, without the role."""
    operator.ece.platform.add_runner(ADDRESSES["a"], zone="ece-zone-1", roles=("proxy",))


PLAN = Step(
    name="plan",
    subject="The plan's requests",
    requests={"method": "GET", "path": PLATFORM},
    times=None,
    times_of={"429-retry-after": RETRIES},
    messages=PLAN_MESSAGES,
    failure={"reaches": Reaches.PLAN},
)
MINT = Step(
    name="mint",
    subject="Requests that mint the token",
    requests={"method": "POST", "path": TOKENS},
    times=1,
    messages=MINT_MESSAGES,
    failure={"reaches": Reaches.MINT},
)
# So many that two polls in a row fail.
WATCH = Step(
    name="watch",
    subject="Requests to the platform while hosts join",
    requests={"method": "GET", "path": RUNNERS, "after": 1},
    times=RETRIES + 2,
    is_repeated=True,
)
REVOKE = Step(
    name="revoke",
    subject="Requests that revoke the token",
    requests={"method": "DELETE", "path": "enrollment-tokens/"},
    times=1,
    messages=REVOKE_MESSAGES,
    failure={
        "joined": Joined.BOTH,
        "afterwards": "the token watchdog revokes the token after the run",
        "watchdog_revokes": True,
    },
)
ASSIGN = Step(
    name="roles",
    subject="Requests that assign a role to a host of the platform",
    requests={"method": "PUT", "path": ROLES},
    times=None,
    times_of=dict.fromkeys(("slow", "reset-before", "reset-after", "429-retry-after"), 1),
    messages=ROLE_MESSAGES,
    failure={"joined": Joined.B, "afterwards": "the host keeps the roles that it has"},
    before=a_lacks_the_role,
)


def logged_in_once(operator: Operator) -> None:
    """Assert that the client logged in once."""
    assert sum(entry["path"].endswith("/users/auth/_login") for entry in operator.ece.requests) == 1


def success(kind: str) -> dict[str, Any]:
    """Return the fields of a scenario in which the run gets over this kind of answer."""
    reasons = {"401": "the client logs in again, once", "content-type": "the answer is read all the same"}
    return {
        "succeeds": True,
        "message": CONNECTED,
        "joined": Joined.BOTH,
        "afterwards": reasons.get(kind, "the request is repeated"),
        "check": logged_in_once if kind == "401" else nothing,
    }


def answered(step: Step, kind: str) -> Scenario:
    """Return the scenario in which requests of this step get this kind of answer."""
    answer, message = ANSWERS[kind], step.messages.get(kind)
    fault = {"times": step.times_of.get(kind, step.times), **step.requests, **answer.fault}
    return Scenario(
        name=f"{step.name}-{kind}",
        what=f"{step.subject} {answer.text}",
        prepare=all_of(step.before, faulty(**fault)),
        series=step.series_of(kind),
        **(success(kind) if message is None else {"message": message, **step.failure}),
    )


def answered_in_each_way(step: Step, kinds: Iterable[str]) -> Iterator[Scenario]:
    """Yield a scenario for each kind of answer."""
    return (answered(step, kind) for kind in kinds)


def scenarios() -> Iterator[Scenario]:
    """Yield the scenarios of this file."""
    for step in (PLAN, MINT, WATCH):
        yield from answered_in_each_way(step, ANSWERS)
    # An empty object is the right answer to a revocation.
    yield from answered_in_each_way(REVOKE, [kind for kind in ANSWERS if kind != "missing-fields"])
    yield from answered_in_each_way(ASSIGN, [*ROLE_MESSAGES, *ASSIGN.times_of])
