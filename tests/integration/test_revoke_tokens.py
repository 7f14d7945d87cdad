# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbook revoke_tokens, with the login as a job of AWX has it."""

from __future__ import annotations

import json
import re

import pytest

from tests.awx.files import load
from tests.awx.rules import inject

PLAYBOOK = "ece.platform.revoke_tokens"


@pytest.fixture
def tokens(ece):
    """Return the ids of two persistent tokens, sorted."""
    mint = ece.platform.tokens.mint
    return sorted(mint({"persistent": True, "roles": [role]})["token_id"] for role in ("allocator", "proxy"))


@pytest.fixture
def job(any_operator, ece, tmp_path):
    """Return an operator with an empty inventory and with what the credential type injects."""
    with open(ece.ca_path, encoding="utf-8") as file:
        ca = file.read()
    inputs = {"url": ece.url, "username": ece.username, "password": ece.password, "ca": ca}
    any_operator.environment = inject(load("credential_type.yml"), inputs, tmp_path).env
    any_operator.group_vars = {"ece_url": None, "ece_ca_path": None}
    any_operator.environment |= {"ANSIBLE_SHOW_CUSTOM_STATS": "true", "ANSIBLE_LOCALHOST_WARNING": "false"}
    return any_operator


def left(run):
    """Return the statistic of a run."""
    (statistic,) = re.findall(r'"ece_persistent_tokens": (\[.*?\])', run.text)
    return json.loads(statistic)


def test_check_mode_lists_the_tokens_and_revokes_none(job, ece, tokens):
    run = job.play("--check", playbook=PLAYBOOK)
    assert run.rc == 0, run.output
    assert f"{tokens[0]}: " in run.text and "proxy" in run.text
    assert f"persistent tokens: 2: {', '.join(tokens)}" in run.text
    assert left(run) == tokens
    assert sorted(ece.tokens) == tokens
    assert run.total("changed") == 0


def test_the_named_tokens_are_revoked_and_the_others_are_named(job, ece, tokens):
    wanted = json.dumps({"ece_token_ids": f" {tokens[0]}\n"})
    checked = job.play("--check", "-e", wanted, playbook=PLAYBOOK)
    assert checked.rc == 0 and checked.total("changed") == 1, checked.output
    assert sorted(ece.tokens) == tokens

    run = job.play("-e", wanted, playbook=PLAYBOOK)
    assert run.rc == 0 and run.total("changed") == 1, run.output
    assert ece.tokens == [tokens[1]]
    assert left(run) == [tokens[1]]
    assert f"persistent tokens: 1: {tokens[1]}" in run.text

    again = job.play("-e", wanted, playbook=PLAYBOOK)
    assert again.rc == 0 and again.total("changed") == 0, again.output


@pytest.mark.parametrize("separator", [",", ", ", "\n"])
def test_several_ids_may_be_text(operator, ece, tokens, separator):
    operator.play("-e", json.dumps({"ece_token_ids": separator.join(tokens)}), playbook=PLAYBOOK, warnings=True)
    assert ece.tokens == []


def test_without_an_id_nothing_is_revoked(job, ece, tokens):
    for options in ((), ("-e", "ece_token_ids=")):
        run = job.play(*options, playbook=PLAYBOOK)
        assert run.rc == 2, run.output
        assert "ece_token_ids is empty: give the ids of the tokens to revoke, as they are listed above" in run.text
    assert sorted(ece.tokens) == tokens


def test_a_token_in_place_of_an_id_is_neither_shown_nor_sent_and_nothing_is_revoked(job, ece, tokens):
    token = ece.platform.tokens.mint({"persistent": True, "roles": ["allocator"]})["token"]
    before = sorted(ece.tokens)
    job.use_vars_file(ece_username=ece.username, ece_password=ece.password, ece_token_ids=f"{tokens[0]},{token}")
    run = job.play(playbook=PLAYBOOK)
    assert run.rc == 2 and "ece_token_ids holds a token: give its id" in run.text, run.output
    assert sorted(ece.tokens) == before


def test_a_credential_without_an_address_or_with_both_kinds_of_login_is_one_sentence(job):
    for change, sentence in (
        ({"ECE_URL": ""}, "url is not set: give the coordinator's address"),
        ({"ECE_API_KEY": "k3y-that-is-not-one"}, "are both set: set one kind of credentials"),
    ):
        before = job.environment
        job.environment = {**before, **change}
        run = job.play(playbook=PLAYBOOK)
        job.environment = before
        assert run.rc == 2 and sentence in run.text, run.output
