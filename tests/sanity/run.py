# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs ansible-test sanity on an installed collection, with nothing but a package index within reach.

    run.py INSTALLED_COLLECTION FOLDER_FOR_CACHES [OPTION ...]

ansible-test asks git which files there are, and what lies in an ignored folder does not count: so it gets a copy elsewhere.

ansible-test fetches a script that puts pip into its virtual environments from a server of its own. Python brings pip along
(ensurepip), so that script is replaced here by a few lines, in a home folder made for the purpose.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import ansible_test._internal.python_requirements as requirements

BOOTSTRAP = """
import subprocess
import sys

subprocess.check_call([sys.executable, "-m", "ensurepip"], stdout=subprocess.DEVNULL)
words = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", *words]))
"""


# What pip has to say while it fills the virtual environments.
NOISE = re.compile(
    r"^(Collecting|Requirement already|WARNING: Location|Using cached|Installing collected|Successfully installed|Looking in|Processing|\s|$)"
)


def pip_settings() -> str:
    """pip's settings from wherever they come; ansible-test hands on neither environment nor home folder."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    found = dict(re.findall(r"^(?:global|:env:)\.([a-z-]+)='(.*)'$", listed, re.MULTILINE))
    return (
        "\n".join(
            [
                "[global]",
                *(
                    f"{name} = " + value.replace("\\n", "\n    ")
                    for name, value in found.items()
                    if name != "config-file"
                ),
            ]
        )
        + "\n"
    )


def search_path() -> str:
    """PATH with pyenv's interpreters themselves: its shims answer for versions, too, that are not switched on."""
    folders = os.environ["PATH"].split(os.pathsep)
    shims = [Path(folder) for folder in folders if folder.endswith("/shims")]
    versions = [str(folder) for shim in shims for folder in sorted(shim.parent.glob("versions/3*/bin"))]
    return os.pathsep.join([folder for folder in folders if not folder.endswith("/shims")] + versions)


def main() -> int:
    installed, home = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in set(re.findall(r"pip='([0-9.]+)'", Path(requirements.__file__).read_text(encoding="utf-8"))):
        (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(BOOTSTRAP, encoding="utf-8")
    (home / ".config" / "pip").mkdir(parents=True, exist_ok=True)
    (home / ".config" / "pip" / "pip.conf").write_text(pip_settings(), encoding="utf-8")
    environment = {**os.environ, "HOME": str(home), "LC_ALL": "C.UTF-8", "PATH": search_path()}
    environment.pop("ANSIBLE_HOME", None)
    with tempfile.TemporaryDirectory(prefix="ece-sanity-") as folder:
        collection = Path(folder) / "ansible_collections" / "ece" / "platform"
        shutil.copytree(installed, collection)
        command = ["ansible-test", "sanity", "--color", "no", "--requirements", *sys.argv[3:]]
        tested = 0
        with subprocess.Popen(
            command, cwd=collection, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as run:
            for line in run.stdout:
                if line.startswith("Running sanity test"):
                    tested += 1
                if not NOISE.match(line):
                    print(line, end="", flush=True)
    print(f"{tested} sanity tests ran")
    # Without anything to test ansible-test is content too.
    return run.returncode or (0 if tested > 20 else 1)


if __name__ == "__main__":
    sys.exit(main())
