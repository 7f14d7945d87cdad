# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make release` in a repository of its own, with the files of the checkout."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile

import pytest
import yaml

from tests import release
from tests.galaxy.conftest import copy_checkout
from tests.machine import for_downloads

SUMMARY = "What this release is for."
CHANGE = "ece_runner - do something that is new."
TIMEOUT_SECONDS = 600


class Repository:
    """A repository, and what a maintainer does in it."""

    def __init__(self, folder):
        self.folder = folder

    def git(self, *arguments):
        return subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=for_downloads(),
            capture_output=True,
            text=True,
            check=True,
            timeout=TIMEOUT_SECONDS,
        ).stdout.strip()

    def commit(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"Change {name}")

    def read(self, name):
        return (self.folder / name).read_text(encoding="utf-8")

    def release(self, *variables):
        """Run `make release` with the environment of this test in place of the repository's own."""
        up_to_date = [argument for name in ("demo", "test") for argument in ("-o", f"{sys.prefix}/{name}.done")]
        return subprocess.run(
            ["make", "--no-print-directory", *up_to_date, "release", f"VENV={sys.prefix}", *variables],
            cwd=self.folder,
            env=for_downloads(),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )

    def state(self):
        tarballs = sorted(path.name for path in (self.folder / "build").rglob("*.tar.gz"))
        return self.git("rev-parse", "HEAD"), self.git("tag", "--list"), self.git("status", "--porcelain"), tarballs


def refusal(run):
    """Return the only sentence of a run that failed, without the line that make adds."""
    assert run.returncode != 0
    assert run.stdout == ""
    sentence, make = run.stderr.splitlines()
    assert make.startswith("make: *** ")
    return sentence


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    repository = Repository(copy_checkout(tmp_path_factory.mktemp("release")))
    repository.git("init", "--quiet", "--initial-branch=main")
    repository.git("config", "user.name", "A maintainer")
    repository.git("config", "user.email", "maintainer@example.com")
    # As before the first release, whatever the checkout has released.
    planned = re.search(r"^version_added: (\S+)$", repository.read("plugins/modules/ece_install.py"), re.MULTILINE)[1]
    for name, line in release.VERSION_LINES.items():
        text = line.sub(rf"\g<1>{planned}\g<3>", repository.read(name))
        (repository.folder / name).write_text(text, encoding="utf-8")
    nothing = "---\nancestor: null\nreleases: {}\n"
    (repository.folder / "changelogs" / "changelog.yaml").write_text(nothing, encoding="utf-8")
    fragment = {"release_summary": SUMMARY, "major_changes": [CHANGE]}
    for path in (repository.folder / "changelogs" / "fragments").glob("*"):
        path.unlink()
    repository.commit("changelogs/fragments/change.yml", yaml.safe_dump(fragment))
    return repository


@pytest.fixture(scope="module")
def released(repository):
    """The repository after the release of 9.9.9, with the run of make."""
    return repository, repository.release("VERSION=9.9.9")


# -- before the release: nothing changes ------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1.2", "v1.2.3", "1.2.3-rc1", "01.2.3", "1.2.3; true", "next"])
def test_a_version_that_is_none_is_refused(repository, version):
    before = repository.state()
    assert refusal(repository.release(f"VERSION={version}")) == (
        f"VERSION={version} is no version: it needs three numbers, like 1.2.0."
    )
    assert repository.state() == before


def test_a_missing_version_is_refused(repository):
    before = repository.state()
    assert refusal(repository.release()) == (
        "VERSION is not set: name the version to release, like `make release VERSION=1.2.0`."
    )
    assert repository.state() == before


def test_a_version_before_that_of_galaxy_yml_is_refused(repository):
    planned = yaml.safe_load(repository.read("galaxy.yml"))["version"]
    assert refusal(repository.release("VERSION=0.0.1")).startswith("VERSION=0.0.1 is older than ")
    assert planned in refusal(repository.release("VERSION=0.0.1"))


@pytest.mark.parametrize("name", ["README.md", "a-new-file"])
def test_changes_that_are_not_committed_are_refused(repository, name):
    path = repository.folder / name
    kept = path.read_text() if path.exists() else None
    path.write_text("changed")
    before = repository.state()
    try:
        assert refusal(repository.release("VERSION=9.9.9")) == (
            f"The working tree has changes ({name}): commit or remove them, then run the same again."
        )
        assert repository.state() == before
    finally:
        path.unlink() if kept is None else path.write_text(kept)


def test_a_release_that_fails_half_way_leaves_nothing(repository):
    before = repository.state()
    hook = repository.folder / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\necho 'ruff is not content' >&2\nexit 1\n")
    hook.chmod(0o755)
    try:
        sentence = refusal(repository.release("VERSION=9.9.9"))
    finally:
        hook.unlink()
    assert sentence.startswith("`git commit ") and sentence.endswith(
        " failed, so nothing is released: ruff is not content"
    )
    assert repository.state() == before


# -- the release ------------------------------------------------------------------------------------------------------


def test_a_release_is_a_commit_and_a_tag(released):
    repository, run = released
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[0] == (
        "Made the commit and the tag 9.9.9, and build/release/ece-platform-9.9.9.tar.gz. Nothing is published."
    )
    assert repository.git("tag", "--list").splitlines() == ["9.9.9"]
    assert repository.git("cat-file", "-t", "9.9.9") == "tag"
    assert repository.git("rev-parse", "9.9.9^{commit}") == repository.git("rev-parse", "HEAD")
    assert repository.git("log", "-1", "--format=%s") == "Release 9.9.9"
    assert repository.git("status", "--porcelain") == ""


def test_a_release_has_its_notes_and_uses_up_the_fragments(released):
    repository, _ = released
    notes = repository.read("CHANGELOG.rst")
    assert "\nv9.9.9\n======\n" in notes and SUMMARY in notes and CHANGE in notes
    assert "- ece.platform.ece_install - " in notes, "new modules are listed"
    assert "9.9.9" in yaml.safe_load(repository.read("changelogs/changelog.yaml"))["releases"]
    assert repository.git("ls-files", "changelogs/fragments") == ""


def test_a_release_sets_the_version_everywhere(released):
    repository, _ = released
    assert yaml.safe_load(repository.read("galaxy.yml"))["version"] == "9.9.9"
    assert '\nVERSION = "9.9.9"\n' in repository.read("plugins/module_utils/_module.py")
    assert "\nversion_added: 9.9.9\n" in repository.read("plugins/modules/ece_install.py")
    assert "    version_added: 9.9.9\n" in repository.read("roles/ece_host/meta/argument_specs.yml")


def test_the_tarball_of_a_release_has_its_version(released):
    repository, _ = released
    with tarfile.open(repository.folder / "build" / "release" / "ece-platform-9.9.9.tar.gz") as archive:
        manifest = json.load(archive.extractfile("MANIFEST.json"))
        notes = archive.extractfile("CHANGELOG.rst").read().decode()
    assert manifest["collection_info"]["version"] == "9.9.9"
    assert "v9.9.9" in notes


def test_the_same_release_is_refused_the_second_time(released):
    repository, _ = released
    before = repository.state()
    assert refusal(repository.release("VERSION=9.9.9")) == (
        "VERSION=9.9.9 has been released: the next version is 9.9.10 or later."
    )
    assert repository.state() == before


def test_a_release_without_fragments_is_refused(released):
    repository, _ = released
    assert refusal(repository.release("VERSION=9.9.10")) == (
        "There is nothing to release: changelogs/fragments has no fragment."
    )


def test_the_next_release_is_as_large_as_its_fragments_demand(released):
    repository, _ = released
    repository.commit("changelogs/fragments/repair.yml", yaml.safe_dump({"bugfixes": ["ece_runner - repair it."]}))
    repository.commit("changelogs/fragments/change.yml", yaml.safe_dump({"minor_changes": [CHANGE]}))
    assert refusal(repository.release("VERSION=9.9.10")) == (
        "VERSION=9.9.10 is too small a step from 9.9.9: changelogs/fragments/change.yml has minor_changes, so the "
        "version is 9.10.0 or later."
    )
    assert repository.release("VERSION=9.10.0").returncode == 0
    assert "\nversion_added: 9.9.9\n" in repository.read("plugins/modules/ece_install.py")
    notes = repository.read("CHANGELOG.rst")
    assert notes.index("v9.10.0") < notes.index("v9.9.9")


# -- which version may follow -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "sections"),
    [
        ("1.4.3", ["bugfixes"]),
        ("1.4.3", ["release_summary", "security_fixes", "known_issues", "trivial"]),
        ("1.5.0", ["minor_changes", "bugfixes"]),
        ("1.5.0", ["deprecated_features"]),
        ("1.5.0", ["add object.playbook"]),
        ("2.0.0", ["breaking_changes", "minor_changes"]),
        ("2.0.0", ["removed_features"]),
    ],
)
def test_sections_demand_the_least_version(version, sections):
    released = ["1.4.2", "1.4.1", "0.9.0", "not-a-version"]
    release.check_version(version, released, "1.4.2", {"a.yml": sections})
    number = release.demanded(sections)
    if number < release.PATCH:
        smaller = "1.4.3" if number == release.MINOR else "1.5.0"
        with pytest.raises(release.ReleaseError, match=f"a.yml has .*, so the version is {version} or later"):
            release.check_version(smaller, released, "1.4.2", {"a.yml": sections})


def test_the_first_release_may_have_any_version():
    release.check_version("1.0.0", [], "1.0.0", {"a.yml": ["major_changes"]})


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        ("1.4.2", "VERSION=1.4.2 has been released: the next version is 1.4.3 or later."),
        ("1.3.0", "VERSION=1.3.0 is older than 1.4.2, the latest release: the next version is 1.4.3 or later."),
        ("1.4.3", "VERSION=1.4.3 is older than 1.5.0, the version in galaxy.yml: release that one or a later one."),
    ],
)
def test_a_version_that_is_not_newer_is_refused(version, sentence):
    with pytest.raises(release.ReleaseError) as refused:
        release.check_version(version, ["1.4.2"], "1.5.0", {"a.yml": ["bugfixes"]})
    assert str(refused.value) == sentence
