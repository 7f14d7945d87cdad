# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run ansible-test sanity on an installed collection, with access to a package index only.

    python -m tests.sanity.run INSTALLED_COLLECTION FOLDER_FOR_CACHES [OPTION ...]

ansible-test asks git for the files of the collection and does not see those in ignored folders, so it gets a copy
elsewhere. It downloads a script that installs pip into its virtual environments from its own server. Python has pip
(ensurepip), so this file puts a replacement for that script into a home folder for ansible-test.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import ansible_test._internal.python_requirements as requirements

from tests.interpreters import search_path
from tests.machine import for_downloads

BOOTSTRAP = """
import subprocess
import sys

subprocess.check_call([sys.executable, "-m", "ensurepip"], stdout=subprocess.DEVNULL)
arguments = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", *arguments]))
"""

# Lines that pip prints while it installs into the virtual environments.
NOISE = re.compile(
    r"^(Collecting|Requirement already|WARNING: Location|Using cached|Installing collected|Successfully installed"
    r"|Looking in|Processing|\s|$)"
)


def pip_settings() -> str:
    """Return pip's settings as a file, because ansible-test passes on neither the environment nor the home folder."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    found = dict(re.findall(r"^(?:global|:env:)\.([a-z-]+)='(.*)'$", listed, re.MULTILINE))
    found.pop("config-file", None)
    lines = [f"{name} = " + value.replace("\\n", "\n    ") for name, value in found.items()]
    return "\n".join(["[global]", *lines, ""])


def prepare_home(home: Path) -> None:
    """Write the replacements of pip's script and pip's settings into a home folder for ansible-test."""
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in set(re.findall(r"pip='([0-9.]+)'", Path(requirements.__file__).read_text(encoding="utf-8"))):
        (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(BOOTSTRAP, encoding="utf-8")
    (home / ".config" / "pip").mkdir(parents=True, exist_ok=True)
    (home / ".config" / "pip" / "pip.conf").write_text(pip_settings(), encoding="utf-8")


def run_tests(collection: Path, home: Path, options: list[str]) -> tuple[int, int]:
    """Run the tests and print their output. Return the exit code and the number of tests."""
    environment = {**for_downloads(), "HOME": str(home), "LC_ALL": "C.UTF-8", "PATH": search_path()}
    command = ["ansible-test", "sanity", "--color", "no", "--requirements", *options]
    tested = 0
    with subprocess.Popen(
        command, cwd=collection, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as run:
        assert run.stdout
        for line in run.stdout:
            tested += line.startswith("Running sanity test")
            if not NOISE.match(line):
                print(line, end="", flush=True)
    return run.returncode, tested


def main() -> int:
    """Run ansible-test on a copy of the collection; return the exit code."""
    installed, home = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    prepare_home(home)
    with tempfile.TemporaryDirectory(prefix="ece-sanity-") as folder:
        collection = Path(folder) / "ansible_collections" / "ece" / "platform"
        shutil.copytree(installed, collection)
        rc, tested = run_tests(collection, home, sys.argv[3:])
    print(f"{tested} sanity tests ran")
    # ansible-test succeeds, too, if it finds nothing to test.
    return rc or (0 if tested > 20 else 1)


if __name__ == "__main__":
    sys.exit(main())
