# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""10,000 damaged replies of a platform, and everything that the collection does with them."""

from __future__ import annotations

import collections
import json

from hypothesis import strategies as st

from ansible_collections.ece.platform.plugins.module_utils import _client as api
from ansible_collections.ece.platform.plugins.module_utils._module import EXPECTED_ERRORS, failure
from tests.fuzz.consumers import CONSUMERS
from tests.fuzz.fuzzing import SECRETS, assert_no_secret, assert_sentence, fuzz
from tests.fuzz.replies import HEALTHY, HEALTHY_DOCUMENTS, servers, spelled
from tests.fuzz.transport import Platform, Reply, client_of

REPLIES = 10_000
# Some examples never ask for the damaged answer: after a mint that fails there is no token to revoke.
EXAMPLES = 10_500
LOGINS = 500
PAGES_MAX = 20


# The other answers: a platform that counts its allocators, or one that does not, so that only the list shows its end.
KNOWN = {"counted": HEALTHY_DOCUMENTS, "uncounted": {**HEALTHY_DOCUMENTS, "platform": {"version": "3.8.0"}}}
ASKED = st.sampled_from(
    [
        (name, kind, credentials, known)
        for name, consumer in CONSUMERS.items()
        for kind in consumer.kinds
        for credentials in ("key", "user")
        for known in KNOWN
    ]
)


@st.composite
def examples(draw):
    """A consumer, and one kind of its requests with strange answers. All other requests are answered well."""
    name, kind, credentials, known = draw(ASKED)
    return name, kind, credentials, known, draw(servers(kind))


def test_every_answer_of_the_platform_leads_to_a_result_or_a_message(monkeypatch):
    monkeypatch.setattr(api, "PAGES_MAX", PAGES_MAX)
    tally: collections.Counter = collections.Counter()
    asked: set = set()

    @fuzz(EXAMPLES, examples())
    def check(example):
        name, kind, credentials, known, server = example
        platform = Platform({"login": HEALTHY["login"], kind: server}, KNOWN[known])
        ending = consume(CONSUMERS[name].run, platform, credentials)
        tally.update(replies=platform.asked.get(kind, 0) > 0, **{ending: 1})
        asked.update((name, kind) for kind in platform.asked)

    check()
    # The sum alone does not show a kind of request that no example ever made.
    assert {(name, kind) for name, consumer in CONSUMERS.items() for kind in consumer.kinds} <= asked
    assert tally["replies"] >= REPLIES
    # Both outcomes must be frequent.
    assert min(tally["result"], tally["error"]) > REPLIES * 0.2, tally


def test_every_answer_of_the_login_leads_to_a_result_or_a_message():
    refused = Reply(401, spelled({"errors": [{"code": "root.unauthenticated", "message": "no basic here"}]}))

    @fuzz(LOGINS, servers("login"))
    def check(login):
        sent: list[str] = []

        def answer(number, request):
            if not number:
                return refused
            sent.append(request.headers["Authorization"])
            return Reply(500, spelled({"errors": [{"code": "c", "message": f"no: {sent[-1]}"}]}))

        platform = Platform({**HEALTHY, "platform": answer, "login": login})
        consume(lambda client: [client.platform()["version"]], platform, "user", sent)

    check()


def consume(run, platform, credentials, more_secrets=()) -> str:
    """Return how it ended: with a result, or with an error that modules and actions report as a message."""
    secrets = list(SECRETS[credentials])
    try:
        for text in run(client_of(platform, credentials)):
            assert_sentence(text, secrets)
    except EXPECTED_ERRORS as error:
        result = failure(error)
        secrets += more_secrets
        assert_sentence(result["msg"], secrets)
        assert_no_secret(json.dumps(result), secrets)
        return "error"
    return "result"
