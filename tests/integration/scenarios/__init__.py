# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong with platform, hosts and operator. Each scenario is a test and a row of the page on faults."""

from __future__ import annotations

from tests.integration.scenarios import answers, hosts, lists, operator, platform

SCENARIOS = [scenario for subject in (answers, lists, platform, hosts, operator) for scenario in subject.scenarios()]
