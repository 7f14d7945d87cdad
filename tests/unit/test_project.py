# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Guards for the files around the collection: READMEs, license, changelog, hooks and workflows."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
MAKEFILE = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z][a-z-]*):(?!=)", MAKEFILE, re.MULTILINE))
ROLES = sorted(path.name for path in (CHECKOUT / "roles").iterdir() if path.is_dir())
WORKFLOWS = sorted((CHECKOUT / ".github" / "workflows").glob("*.yml"))
every_role = pytest.mark.parametrize("role", ROLES)
every_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def load(*path):
    return yaml.safe_load((CHECKOUT.joinpath(*path)).read_text(encoding="utf-8"))


# -- READMEs ---------------------------------------------------------------------------------------------------------


def variables_of(role):
    specs = load("roles", role, "meta", "argument_specs.yml")["argument_specs"]
    return {option for entry in specs.values() for option in entry.get("options") or {}}


@every_role
def test_a_role_has_a_readme_with_an_example_that_uses_it(role):
    readme = (CHECKOUT / "roles" / role / "README.md").read_text(encoding="utf-8")
    assert readme.startswith(f"# ece.platform.{role}\n")
    examples = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    assert any(f"ece.platform.{role}" in yaml.safe_dump(yaml.safe_load(example)) for example in examples)


@every_role
def test_the_readme_of_a_role_names_variables_that_it_has(role):
    readme = (CHECKOUT / "roles" / role / "README.md").read_text(encoding="utf-8")
    others = {*ROLES, "ece_host"}  # ece_host is also the key of statistics.
    named = set(re.findall(r"\bece_[a-z_]+\b", readme)) - others
    assert named, "no variable is named"
    assert named <= variables_of(role)


@pytest.mark.parametrize("path", [Path("README.md"), *(Path("roles", role, "README.md") for role in ROLES)], ids=str)
def test_a_readme_that_galaxy_shows_has_absolute_links(path):
    readme = (CHECKOUT / path).read_text(encoding="utf-8")
    assert re.findall(r"\]\((?!https://|#)([^)]*)\)", readme) == []


# -- license and changelog -------------------------------------------------------------------------------------------


def test_the_license_is_the_same_for_github_and_for_reuse():
    assert (CHECKOUT / "LICENSES" / "GPL-3.0-or-later.txt").read_bytes() == (CHECKOUT / "LICENSE").read_bytes()


# These compare with an earlier release.
COMPARING = {
    "breaking_changes",
    "bugfixes",
    "deprecated_features",
    "minor_changes",
    "removed_features",
    "security_fixes",
}


def test_the_notes_of_the_first_release_compare_it_with_nothing():
    """Until there is a release, fragments describe what is in it (docs/releasing.md)."""
    if load("changelogs", "changelog.yaml")["releases"]:
        return
    for path in (CHECKOUT / "changelogs" / "fragments").glob("*.yml"):
        assert not COMPARING & set(yaml.safe_load(path.read_text(encoding="utf-8"))), path.name


def test_the_changelog_has_the_releases_of_its_data():
    changelog = (CHECKOUT / "CHANGELOG.rst").read_text(encoding="utf-8")
    releases = load("changelogs", "changelog.yaml")["releases"]
    assert set(re.findall(r"^v(\S+)\n=+$", changelog, re.MULTILINE)) == set(releases)


# -- hooks -----------------------------------------------------------------------------------------------------------


def test_hooks_need_no_network_and_are_commands_of_make_lint_or_docs():
    (repository,) = load(".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    recipes = MAKEFILE.replace("$(BIN)", ".venv/bin")
    for hook in repository["hooks"]:
        assert hook["language"] == "system"
        command = hook["entry"].removesuffix(" --force-exclude")
        if command.startswith("make "):
            assert command.split()[-1] in TARGETS
        else:
            assert command in recipes, command


# -- workflows -------------------------------------------------------------------------------------------------------


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def targets_of(workflow):
    """Return the targets of make that a workflow runs, with the values of each job's matrix."""
    found = set()
    for job in workflow["jobs"].values():
        matrix = {
            name: values
            for name, values in job.get("strategy", {}).get("matrix", {}).items()
            if name not in ("include", "exclude")
        }
        for values in itertools.product(*matrix.values()):
            for step in job["steps"]:
                command = step.get("run", "")
                for name, value in zip(matrix, values, strict=True):
                    command = command.replace(f"${{{{ matrix.{name} }}}}", str(value))
                found |= set(re.findall(r"\bmake (\S+)", command))
    return found


@every_workflow
def test_a_workflow_runs_targets_that_the_makefile_has(path):
    found = targets_of(yaml.safe_load(path.read_text(encoding="utf-8")))
    assert found and found <= TARGETS


def test_the_search_for_targets_finds_those_of_a_matrix_and_those_that_do_not_exist():
    job = {
        "strategy": {"matrix": {"target": ["unit", "fly"]}},
        "steps": [{"run": "make ${{ matrix.target }}"}, {"run": "sudo env make lint"}, {"uses": "actions/checkout@v5"}],
    }
    assert targets_of({"jobs": {"test": job}}) == {"unit", "fly", "lint"}
    assert "fly" not in TARGETS


def test_ci_runs_everything_that_make_test_runs():
    parts = " ".join(re.findall(r"^(?:CHECKS|RUNS) := (.*)", MAKEFILE, re.MULTILINE)).split()
    assert {"lint", "integration"} < set(parts) <= targets_of(load(".github", "workflows", "ci.yml"))


@every_workflow
def test_a_workflow_may_only_read_and_every_job_ends(path):
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    assert all(0 < job["timeout-minutes"] <= 120 for job in workflow["jobs"].values())


@every_workflow
def test_no_command_of_a_workflow_has_an_input_or_a_secret_in_it(path):
    """A value would be part of the script, and be executed."""
    for step in steps(yaml.safe_load(path.read_text(encoding="utf-8"))):
        assert set(re.findall(r"\$\{\{\s*(\w+)", step.get("run", ""))) <= {"matrix"}


def test_only_a_maintainer_starts_the_workflow_that_publishes():
    publishing = [path for path in WORKFLOWS if "collection publish" in path.read_text(encoding="utf-8")]
    assert [path.name for path in publishing] == ["release.yml"]
    # YAML reads `on` as a boolean.
    assert list(load(".github", "workflows", "release.yml")[True]) == ["workflow_dispatch"]
