# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What actions need of Ansible, as little as they use of it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest


@pytest.fixture
def bare():
    """An action without an executor around it: C(act) and what it calls."""

    def make(module, **task):
        action = module.ActionModule.__new__(module.ActionModule)
        play = SimpleNamespace(_uuid="this play")
        action._task = SimpleNamespace(action="test", check_mode=False, _parent=SimpleNamespace(_play=play), **task)
        return action

    return make


@pytest.fixture
def shown(monkeypatch):
    """Lines that an action shows to the operator. Call it with the action's module."""

    def collect(module):
        lines = []
        monkeypatch.setattr(module, "show", lambda line, error=False: lines.append(line))
        return lines

    return collect
