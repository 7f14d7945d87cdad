# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds the image of an execution environment: the definition that users build, on a base of Debian's packages.

No image registry is needed, and no access to Galaxy. The base comes from the mirror that apt uses, and has the
collections that this one needs; Python's packages come from where pip of this machine finds them. Its settings are
there while the image is built, and no layer holds them. An image whose label has the checksum of what it is built from
is used again.
"""

from __future__ import annotations

import ast
import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
DEFINITION = ROOT / "extensions" / "execution-environment" / "execution-environment.yml"
# The name of the tarball beside the definition.
TARBALL = "ece-platform.tar.gz"
BASE_FOLDER = Path(__file__).parent / "base"
OTHERS = ROOT / "build" / "others" / "ansible_collections"
HOST_IMAGE = "localhost/ece-test-host:latest"
BASE = "localhost/ece-ee-base:latest"
IMAGE = "localhost/ece-test-ee:latest"
LABEL = "ece.platform.recipe"
LOCK = Path("/run/lock/ece-ee.lock")
BUILD_TIMEOUT_SECONDS = 900
# The settings of pip that say where packages come from. Others, such as constraints, are this machine's own.
PIP_SETTINGS = {"cert", "extra-index-url", "index-url", "proxy", "timeout", "default-timeout", "trusted-host"}


def program(name: str) -> str:
    """Return the path of a program in this environment of Python."""
    return os.fspath(Path(sys.executable).with_name(name))


def call(*command: str | Path) -> str:
    """Run a command and return its output. Raises AssertionError with all of it if the command fails."""
    # Not every PATH has the programs for root, and the folder of a session may be too small for images.
    environment = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin", "TMPDIR": "/var/tmp"}
    done = subprocess.run(
        [os.fspath(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BUILD_TIMEOUT_SECONDS,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}"
    return done.stdout


def podman(*arguments: str | Path) -> str:
    """Run podman and return its output."""
    return call("podman", "--log-level", "error", *arguments)


def pip_settings(listed: str) -> dict[str, str]:
    """Return the settings that an image's build needs from the output of `pip config list`.

    Folders of this machine are not in the image, so their addresses are left out.
    """
    found = {}
    for name, value in re.findall(r"^\S+\.([a-z-]+)=(.*)$", listed, re.MULTILINE):
        kept = [part for part in str(ast.literal_eval(value)).split() if not part.startswith("file:")]
        if name in PIP_SETTINGS and kept:
            found[name] = " ".join(kept)
    return found


def collection_tarball(folder: Path) -> Path:
    """Build the collection from the checkout and return the tarball, under the name that the definition has."""
    call(program("ansible-galaxy"), "collection", "build", "--force", "--output-path", folder, ROOT)
    (built,) = folder.glob("ece-platform-*.tar.gz")
    return built.rename(folder / TARBALL)


def prepare(folder: Path) -> Path:
    """Lay out a folder as the README says and return the definition in it."""
    folder.mkdir(parents=True)
    collection_tarball(folder)
    return Path(shutil.copy(DEFINITION, folder))


@contextlib.contextmanager
def built(folder: Path) -> Iterator[str]:
    """Build the image if there is none of the same recipe, and yield its name. Others wait as long as it is used."""
    with LOCK.open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        base = _build_base(folder / "base")
        definition = prepare(folder / "definition")
        recipe = _checksum(
            base.encode(), call(program("ansible-builder"), "--version").encode(), *_contents(definition.parent)
        )
        if _recipe_of(IMAGE) != recipe:
            _build(definition, folder, recipe)
            # Podman leaves the images of the stages before the last one, with the same label and without a name.
            podman("image", "prune", "--force", "--filter", f"label={LABEL}={recipe}")
        yield IMAGE


def needed_collections() -> list[str]:
    """Return the names of the collections that this one needs."""
    text = (ROOT / "galaxy.yml").read_text(encoding="utf-8")
    return sorted(yaml.safe_load(text)["dependencies"])


def _build_base(context: Path) -> str:
    call(ROOT / "extensions" / "molecule" / "hosts" / "build_image.sh")
    host = podman("image", "inspect", "--format", "{{.Id}}", HOST_IMAGE)
    folders = {name: OTHERS / name.replace(".", "/") for name in needed_collections()}
    manifests = [folder / "MANIFEST.json" for folder in folders.values()]
    recipe = _checksum(host.encode(), *(path.read_bytes() for path in [*sorted(BASE_FOLDER.iterdir()), *manifests]))
    if _recipe_of(BASE) != recipe:
        shutil.copytree(BASE_FOLDER, context)
        for name, folder in folders.items():
            shutil.copytree(folder, context / "collections" / name.replace(".", "/"))
        with _replaced(BASE):
            podman(*("build", "--squash", "--network", "host", "--label", f"{LABEL}={recipe}", "--tag", BASE), context)
    return recipe


def _build(definition: Path, folder: Path, recipe: str) -> None:
    settings = pip_settings(call(sys.executable, "-m", "pip", "config", "list"))
    configuration = folder / "pip.conf"
    lines = [f"{name} = {value}\n" for name, value in settings.items()]
    configuration.write_text("".join(["[global]\n", *lines]), encoding="utf-8")
    volumes = {configuration: "/etc/pip.conf"}
    if "cert" in settings:
        volumes[Path(settings["cert"])] = settings["cert"]
    extra = ["--network host", f"--label {LABEL}={recipe}", *(f"--volume {a}:{b}:ro" for a, b in volumes.items())]
    with _replaced(IMAGE):
        call(
            *(program("ansible-builder"), "build", "--file", definition, "--context", folder / "context"),
            *("--tag", IMAGE, "--container-runtime", "podman", "--verbosity", "3"),
            *("--build-arg", f"EE_BASE_IMAGE={BASE}"),
            *("--build-arg", "PKGMGR=/usr/local/bin/package-manager"),
            *("--extra-build-cli-args", " ".join(extra)),
        )


def _contents(folder: Path) -> Iterator[bytes]:
    """Yield what an image is built from. The tarball itself differs with the time at which it was built."""
    yield (folder / DEFINITION.name).read_bytes()
    with tarfile.open(folder / TARBALL) as tarball:
        for name in ("MANIFEST.json", "FILES.json"):
            member = tarball.extractfile(name)
            assert member
            yield member.read()


def _checksum(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _recipe_of(image: str) -> str:
    """Return the label of an image, which is empty if there is no such image."""
    if not podman("images", "--quiet", image).strip():
        return ""
    return podman("image", "inspect", "--format", f'{{{{index .Labels "{LABEL}"}}}}', image).strip()


@contextlib.contextmanager
def _replaced(image: str) -> Iterator[None]:
    """Remove the image that has this name now, once there is another one."""
    old = podman("images", "--quiet", "--no-trunc", image).strip()
    yield
    if old and old != podman("images", "--quiet", "--no-trunc", image).strip():
        with contextlib.suppress(AssertionError):
            podman("rmi", old)
