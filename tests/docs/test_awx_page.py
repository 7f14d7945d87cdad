# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the page on AWX says of its objects is what their files have."""

from __future__ import annotations

import re

import yaml

from tests.awx.files import FILES, load
from tests.docs.blocks import CHECKOUT, RST_PAGES

STATISTICS = ["ece_host", "ece_host_preparation", "ece_fleet_report", "ece_host_removal"]
PAGE = (RST_PAGES / "awx.rst").read_text(encoding="utf-8")


def first_column(title: str) -> list[str]:
    """Return the literals in the first column of the table below a title, but for its header."""
    (part,) = re.findall(rf"^{re.escape(title)}\n-+\n(.*?)(?=^-+$|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    _header, *cells = re.findall(r"^   \* - (.*)$", part, re.MULTILINE)
    return [literal for cell in cells for literal in re.findall(r"``([^`]+)``", cell)]


def test_the_variables_of_a_job_are_those_that_the_credential_type_injects() -> None:
    assert first_column("The credential") == list(load("credential_type.yml")["injectors"]["env"])


def test_the_table_of_answers_has_every_question_of_the_survey() -> None:
    questions = [question["variable"] for question in load("surveys", "add_allocators.yml")["spec"]]
    assert first_column("The survey and the limit") == questions


def test_the_artifacts_are_statistics_of_the_playbooks() -> None:
    *others, tokens = first_column("Artifacts")
    assert others == [name for statistic in STATISTICS for name in (statistic, f"{statistic}_<job id>")]
    plays = yaml.safe_load((CHECKOUT / "playbooks" / "revoke_tokens.yml").read_text(encoding="utf-8"))
    (data,) = [
        task["ansible.builtin.set_stats"]["data"] for task in plays[0]["tasks"] if "ansible.builtin.set_stats" in task
    ]
    assert list(data) == [tokens]


def test_each_template_and_workflow_that_the_page_names_exists() -> None:
    named = set(re.findall(r"(?<!\*)\*(ECE [^*]+)\*(?!\*)", " ".join(PAGE.split())))
    templates = {load("job_templates", path.name)["name"] for path in (FILES / "job_templates").glob("*.yml")}
    assert named and named <= {*templates, load("workflow.yml")["name"]}
