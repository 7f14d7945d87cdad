# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A demo of the playbook against the stand-in: 4 new hosts join a platform with 120 allocators.

It shows check mode, the join, and a second run with nothing to do, and fails unless each does what it should. It needs
neither root nor containers.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from tests.machine import without_settings
from tests.standin import StandIn

NEW_HOSTS = {f"new-{number}": f"192.0.2.{number}" for number in range(1, 5)}
EXISTING = 120


def play(title: str, inventory: Path, environment: dict[str, str], *options: str) -> str:
    """Run the playbook as an operator does, print its output, and return it. Exits if the playbook fails."""
    command = ["ansible-playbook", "ece.platform.add_allocators", "-i", str(inventory), *options]
    print(f"\n### {title}\n$ {shlex.join(command[:3] + ['inventory.yml'] + list(options))}", flush=True)
    run = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert run.stdout
    lines = []
    for line in run.stdout:
        print(line, end="", flush=True)
        lines.append(line)
    if run.wait() != 0:
        sys.exit(f"{title}: ansible-playbook ended with {run.returncode}")
    return "".join(lines)


def expect(what: str, found: object, expected: object) -> None:
    """Print a line of the summary. Exits if it is not as expected."""
    print(f"  {what}: {found}")
    if found != expected:
        sys.exit(f"expected {expected}")


def main() -> None:
    """Run check mode, the join and a second run, and print a summary."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ece-demo-") as folder, StandIn(allocators=EXISTING) as ece:
        hosts = {name: ece.add_host(name, address, zone="ece-zone-1") for name, address in NEW_HOSTS.items()}
        inventory = Path(folder) / "inventory.yml"
        inventory.write_text(yaml.safe_dump(ece.inventory({**ece.existing_hosts(), **hosts})), encoding="utf-8")
        configuration = Path(folder) / "ansible.cfg"
        configuration.touch()
        environment = {
            **without_settings(),
            **{name: os.environ[name] for name in ("ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_HOME") if name in os.environ},
            "ANSIBLE_CONFIG": str(configuration),
            # Without it Python keeps the lines for a pipe until there are many.
            "PYTHONUNBUFFERED": "1",
            "ECE_USERNAME": ece.username,
            "ECE_PASSWORD": ece.password,
            "ANSIBLE_LOCALHOST_WARNING": "false",
        }
        play("What would happen (nothing is written)", inventory, environment, "--check", "--diff")
        written = len(ece.mutations)
        play("Join the new hosts", inventory, environment)
        minted, joined = ece.minted, sum(1 for join in ece.joins if join["ok"])
        again = play("Run again: nothing to do", inventory, environment)
        print("\n### What the platform received")
        expect("requests that write, in check mode", written, 0)
        expect("enrollment tokens minted", minted, 1)
        expect("hosts joined", joined, len(NEW_HOSTS))
        expect("tokens minted after the second run", ece.minted, 1)
        expect("joins after the second run", sum(1 for join in ece.joins if join["ok"]), len(NEW_HOSTS))
        expect("changes reported by the second run", sum(map(int, re.findall(r"changed=(\d+)", again))), 0)
    print(f"  seconds: {time.monotonic() - began:.0f}")


if __name__ == "__main__":
    main()
