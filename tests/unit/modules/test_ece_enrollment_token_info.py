# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.modules import ece_enrollment_token_info
from tests.unit.scripted import TOKENS, jwt


@pytest.mark.parametrize(
    ("listed", "returned"),
    [
        ([], []),
        (
            [{"token_id": "id-2", "roles": ["proxy", "allocator"]}, {"token_id": "id-1", "roles": []}],
            [{"token_id": "id-1", "roles": []}, {"token_id": "id-2", "roles": ["allocator", "proxy"]}],
        ),
        (
            [{"token_id": "id-1"}, {"token_id": "id-2", "roles": None}],
            [{"token_id": "id-1", "roles": []}, {"token_id": "id-2", "roles": []}],
        ),
        (
            [{"token_id": "id-1", "roles": ["a", ["b"], 1]}, {"token_id": "id-2", "roles": 5}],
            [{"token_id": "id-1", "roles": ["a"]}, {"token_id": "id-2", "roles": []}],
        ),
        ([{"roles": ["allocator"]}, None], []),
    ],
    ids=["none", "sorted by id, roles too", "without roles", "odd roles", "entries without an id are of no use"],
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_persistent_tokens_are_listed_by_id(ece, run_module, listed, returned, check_mode):
    ece.expect("GET", TOKENS, json={"tokens": listed})
    result = run_module(ece_enrollment_token_info, check_mode=check_mode)
    assert (result["changed"], result["enrollment_tokens"]) == (False, returned)


def test_a_token_itself_is_never_returned_even_if_the_platform_gives_it(ece, run_module):
    token = jwt(["allocator"])
    ece.expect("GET", TOKENS, json={"tokens": [{"token_id": "id-1", "roles": ["allocator"], "token": token}]})
    assert token not in run_module(ece_enrollment_token_info).printed


def test_a_reply_without_tokens_is_an_error_and_not_an_empty_list(ece, run_module):
    ece.expect("GET", TOKENS, json={"items": []})
    result = run_module(ece_enrollment_token_info)
    assert result["failed"] and "enrollment_tokens" not in result
    assert "without 'tokens'" in result["msg"]
