# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make a release in this repository: `make release VERSION=1.2.0`. It publishes nothing (docs/releasing.md)."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parents[1]
TARBALLS = CHECKOUT / "build" / "release"

Version = tuple[int, int, int]
FORM = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")

# The lines that have the version.
VERSION_LINES = {
    "galaxy.yml": re.compile(r"^(version: )(.+)()$", re.MULTILINE),
    "plugins/module_utils/_module.py": re.compile(r'^(VERSION = ")(.+)(")$', re.MULTILINE),
}
# What the sections of fragments demand of a version: that this number of it rises.
MAJOR, MINOR, PATCH = range(3)
SECTIONS = {
    "breaking_changes": MAJOR,
    "removed_features": MAJOR,
    "major_changes": MINOR,
    "minor_changes": MINOR,
    "deprecated_features": MINOR,
}


class ReleaseError(Exception):
    """Why there is no release, in a sentence."""


# -- what may be released --------------------------------------------------------------------------------------------


def parse(version: str) -> Version | None:
    """Return the numbers of a version, or None if it is none."""
    found = FORM.fullmatch(version)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def join(version: Version) -> str:
    """Return a version as text."""
    return ".".join(map(str, version))


def step(latest: Version, number: int) -> Version:
    """Return the next version whose major, minor or patch number rises."""
    return (*latest[:number], latest[number] + 1, *(0,) * (PATCH - number))  # type: ignore[return-value]


def demanded(sections: Iterable[str]) -> int:
    """Return which number of the version has to rise for a fragment with these sections."""
    return min((MINOR if name.startswith("add ") else SECTIONS.get(name, PATCH) for name in sections), default=PATCH)


def check_version(text: str, released: Iterable[str], planned: str, fragments: Mapping[str, Iterable[str]]) -> None:
    """Raise ReleaseError unless this version can be the next one.

    `released` are all versions and tags, `planned` is the version in galaxy.yml, `fragments` are sections by file name.
    """
    if not text:
        raise ReleaseError("VERSION is not set: name the version to release, like `make release VERSION=1.2.0`.")
    version = parse(text)
    if version is None:
        raise ReleaseError(f"VERSION={text} is no version: it needs three numbers, like 1.2.0.")
    latest = max(filter(None, map(parse, released)), default=None)
    if latest and version <= latest:
        what = "has been released" if text in released else f"is older than {join(latest)}, the latest release"
        raise ReleaseError(f"VERSION={text} {what}: the next version is {join(step(latest, PATCH))} or later.")
    if version < (parse(planned) or version):
        raise ReleaseError(
            f"VERSION={text} is older than {planned}, the version in galaxy.yml: release that one or a later one."
        )
    if not fragments:
        raise ReleaseError("There is nothing to release: changelogs/fragments has no fragment.")
    if latest is None:
        return
    for name, sections in sorted(fragments.items()):
        number = demanded(sections)
        least = step(latest, number)
        if version < least:
            reason = next(section for section in sections if demanded([section]) == number)
            raise ReleaseError(
                f"VERSION={text} is too small a step from {join(latest)}: changelogs/fragments/{name} has {reason}, "
                f"so the version is {join(least)} or later."
            )


def check_clean(status: str) -> None:
    """Raise ReleaseError if `git status --porcelain` names changes."""
    changed = [line[3:] for line in status.splitlines()]
    if changed:
        others = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise ReleaseError(
            f"The working tree has changes ({changed[0]}{others}): commit or remove them, then run the same again."
        )


# -- the repository --------------------------------------------------------------------------------------------------


def run(*command: str) -> str:
    """Run a command in the repository and return its output. Raises ReleaseError with its last line if it fails."""
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True)
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").splitlines()
        raise ReleaseError(f"`{' '.join(command)}` failed, so nothing is released: {lines[-1]}")
    return done.stdout


def load(path: Path) -> dict[str, object]:
    """Return the mapping in a YAML file."""
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded if isinstance(loaded, dict) else {}


def check_repository(version: str) -> str | None:
    """Raise ReleaseError unless this repository can release this version now.

    Return the version in galaxy.yml that new plugins and options name, or None if that has been released.
    """
    releases = load(CHECKOUT / "changelogs" / "changelog.yaml").get("releases")
    released = [*(releases if isinstance(releases, dict) else ()), *run("git", "tag", "--list").split()]
    fragments = sorted((CHECKOUT / "changelogs" / "fragments").glob("*.y*ml"))
    planned = str(load(CHECKOUT / "galaxy.yml")["version"])
    check_version(version, released, planned, {path.name: list(load(path)) for path in fragments})
    check_clean(run("git", "status", "--porcelain"))
    return None if planned in released else planned


def set_version(planned: str | None, version: str) -> None:
    """Write the version wherever it is, also where new plugins and options name the planned one."""
    for name, line in VERSION_LINES.items():
        path = CHECKOUT / name
        text, found = line.subn(rf"\g<1>{version}\g<3>", path.read_text(encoding="utf-8"))
        if found != 1:
            raise ReleaseError(f"{name} has {found} lines with the version instead of one, so nothing is released.")
        path.write_text(text, encoding="utf-8")
    if planned is None:
        return
    added = re.compile(rf"^( *version_added: )([\"']?){re.escape(planned)}\2$", re.MULTILINE)
    for folder, pattern in (("plugins", "*.py"), ("roles", "argument_specs.yml")):
        for path in (CHECKOUT / folder).rglob(pattern):
            text = path.read_text(encoding="utf-8")
            path.write_text(added.sub(rf"\g<1>{version}", text), encoding="utf-8")


def release(version: str) -> Path:
    """Write notes and version, build the tarball, commit and tag. Return the tarball. Undoes all of it on failure."""
    planned = check_repository(version)
    before = run("git", "rev-parse", "HEAD").strip()
    tarball = TARBALLS / f"ece-platform-{version}.tar.gz"
    try:
        set_version(planned, version)
        run("antsibull-changelog", "release", "--reload-plugins")
        run("ansible-galaxy", "collection", "build", "--force", "--output-path", str(TARBALLS), str(CHECKOUT))
        run("git", "add", "--all")
        run("git", "commit", "--quiet", "--message", f"Release {version}")
        run("git", "tag", "--annotate", version, "--message", f"ece.platform {version}")
    except BaseException:
        tarball.unlink(missing_ok=True)
        # There was nothing to lose: the working tree had no changes.
        subprocess.run(["git", "reset", "--quiet", "--hard", before], cwd=CHECKOUT, check=True)
        raise
    return tarball


def main() -> None:
    """Release the version that is the only argument, and print what was made."""
    (version,) = sys.argv[1:]
    try:
        tarball = release(version.strip())
    except ReleaseError as error:
        sys.exit(str(error))
    print(f"Made the commit and the tag {version}, and {tarball.relative_to(CHECKOUT)}. Nothing is published.")
    print("What is left to do is in docs/releasing.md.")


if __name__ == "__main__":
    main()
