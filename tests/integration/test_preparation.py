# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The preparation of hosts as far as nothing is changed: the hosts are this machine, so that all runs are check mode."""

from __future__ import annotations

import pytest

PREPARE = "ece.platform.prepare_hosts"


def test_try(operator):
    operator.new_host("host-1", "127.0.0.11")
    operator.new_host("host-2", "127.0.0.12")
    run = operator.play("--check", "--diff", playbook=PREPARE, warnings=True)
    print(run.output)
    run = operator.play("--check", "--diff", "-e", "ece_host_prepare=true", warnings=True)
    print(run.output)
    assert 0
