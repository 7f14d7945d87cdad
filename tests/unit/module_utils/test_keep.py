# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a joined host differs in from its declaration (with _allocator), and who must keep a role."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _keep as keep
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError, PlatformError
from ansible_collections.ece.platform.plugins.module_utils._plan import known_hosts
from tests.unit.scripted import ODD_VALUES


def known(*roles, connected=True, tags=None, capacity=10000, used=2000, maintenance=False, allocator=True):
    """A host as the plan keeps it of the lists."""
    runner = {"runner_id": "r", "connected": connected, "roles": [{"role_name": role} for role in roles]}
    listed = {
        "allocator_id": "r",
        "status": {"connected": connected, "maintenance_mode": maintenance},
        "capacity": {"memory": {"total": capacity, "used": used}},
        "metadata": [{"key": key, "value": value} for key, value in (tags or {}).items()],
        "settings": {},
    }
    return known_hosts([runner], [listed] if allocator else [])["r"]


def declared(*roles, exact=False, **allocator):
    return {"roles": list(roles or ["allocator"]), "roles_exact": exact, "allocator": allocator}


HOST = ("allocator", "beats-runner")


@pytest.mark.parametrize(
    ("host", "wanted", "texts"),
    [
        pytest.param(known(*HOST), declared(), [], id="nothing is declared"),
        pytest.param(known(*HOST), declared(tags={"ssd": "true"}), ["tag ssd=true"], id="a tag is missing"),
        pytest.param(
            known(*HOST, tags={"ssd": "false", "gpu": "yes"}),
            declared(tags={"ssd": "true"}),
            ["tag ssd=true instead of false"],
            id="a tag has another value, and others stay",
        ),
        pytest.param(
            known(*HOST, tags={"ssd": "true", "gpu": "yes"}),
            declared(tags={"ssd": "true"}, tags_exact=True),
            ["without the tag gpu"],
            id="the declared tags are all",
        ),
        pytest.param(known(*HOST, tags={"ssd": "true"}), declared(tags={"ssd": True}), [], id="the same tags"),
        pytest.param(
            known(*HOST), declared(capacity=9000), ["capacity 9000 MB instead of 10000 MB"], id="another capacity"
        ),
        pytest.param(known(*HOST), declared(capacity=10000), [], id="the capacity of the installation"),
        pytest.param(known(*HOST), declared(maintenance=True), ["maintenance mode on"], id="maintenance mode on"),
        pytest.param(
            known(*HOST, maintenance=True), declared(maintenance=False), ["maintenance mode off"], id="and off"
        ),
        pytest.param(known(*HOST, maintenance=True), declared(), [], id="maintenance mode is not declared"),
        pytest.param(known(*HOST, "proxy"), declared(), [], id="more roles stay"),
        pytest.param(
            known(*HOST, "proxy", "director"),
            declared(exact=True),
            ["without the role director, proxy"],
            id="the declared roles are all, beside the platform's own",
        ),
        pytest.param(known("proxy"), declared("proxy", tags={"a": "b"}), [], id="a proxy has no tags"),
        pytest.param(known(*HOST, allocator=False), declared(tags={"a": "b"}), [], id="its allocator is not there yet"),
        pytest.param(known(*HOST, connected=False), declared(exact=True, maintenance=True), [], id="disconnected"),
    ],
)
def test_what_differs(host, wanted, texts):
    assert keep.change_texts(keep.difference_of(host, wanted)) == texts


@pytest.mark.parametrize(
    ("options", "sentence"),
    [({"capacity": 8000}, "^ece_host_capacity 8000"), ({"capacity": 9000}, "^ece_host_capacity 9000 .*9500")],
)
def test_a_value_that_cannot_work_is_refused_by_the_name_of_its_variable(options, sentence):
    with pytest.raises(OptionError, match=sentence):
        keep.difference_of(known(*HOST, used=9500), declared(**options))


def test_roles_and_tags_beyond_the_declaration_are_named_unless_they_are_taken_away():
    host = known(*HOST, "proxy", tags={"ssd": "true", "gpu": "yes"})
    assert keep.more_roles(host, declared()) == ["proxy"] and keep.more_roles(host, declared(exact=True)) == []
    assert keep.more_tags(host, declared(tags={"ssd": "x"})) == ["gpu"]
    assert keep.more_tags(host, declared(tags={"ssd": "x"}, tags_exact=True)) == keep.more_tags(host, declared()) == []


@pytest.mark.parametrize("odd", ODD_VALUES)
def test_a_damaged_record_is_no_traceback(odd):
    runner = {"runner_id": "r", "connected": True, "roles": odd}
    listed = {"allocator_id": "r", "status": {"connected": True}, "metadata": odd, "settings": odd, "capacity": odd}
    host = known_hosts([runner], [listed])["r"]
    wanted = declared(exact=True, tags={"a": "b"}, tags_exact=True, capacity=9000, maintenance=False)
    assert "tag a=b" in keep.change_texts(keep.difference_of(host, wanted))
    assert keep.more_roles(host, declared()) == keep.more_tags(host, declared(tags={"a": "b"})) == []


# -- the last one ----------------------------------------------------------------------------------------------------


class Client:
    """A platform that answers for single runners; a runner that is missing is gone."""

    def __init__(self, **runners):
        self.runners, self.asked = runners, []

    def runner(self, runner_id):
        self.asked.append(runner_id)
        return self.runners.get(runner_id)


def directors(*names, connected=True):
    return {
        name: {"runner_id": name, "connected": connected, "roles": [{"role_name": "director"}, {"role_name": "proxy"}]}
        for name in names
    }


def listed(*names, connected=True):
    return known_hosts(directors(*names, connected=connected).values(), [])


def test_a_role_that_the_platform_needs_stays_with_one_host_of_all_that_are_to_lose_it():
    client = Client(**directors("a", "b", "c"))
    keep.require_others(client, listed("a", "b", "c"), {"a": {"director"}, "b": {"director"}})
    assert client.asked == ["c"]
    with pytest.raises(PlatformError, match="^ece_host_roles_exact would take the role director from a, b, c, and no"):
        keep.require_others(client, listed("a", "b", "c"), dict.fromkeys("abc", {"director"}))


def test_a_host_that_a_list_still_shows_does_not_count_as_the_other_one():
    with pytest.raises(PlatformError, match="would take the role director from a, and no other connected host has it"):
        keep.require_others(Client(**directors("a")), listed("a", "gone"), {"a": {"director"}})
    with pytest.raises(PlatformError):
        keep.require_others(Client(**directors("b", connected=False)), listed("a", "b"), {"a": {"director"}})
    with pytest.raises(PlatformError):
        keep.require_others(Client(), listed("b", connected=False), {"a": {"director"}})


def test_other_roles_are_taken_without_a_question():
    client = Client()
    keep.require_others(client, listed("a"), {"a": {"proxy"}, "b": set()})
    assert client.asked == []
