# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts for joins over SSH: the containers of the Molecule scenarios, with the stand-in's container engine."""

from __future__ import annotations

import concurrent.futures
import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from tests.standin import StandIn
from tests.standin.hosts import host_files

SCRIPT = Path(__file__).resolve().parents[2] / "extensions" / "molecule" / "hosts" / "hosts.sh"
NETWORK = "10.213.9"
GATEWAY = NETWORK + ".1"
WIPE = """
rm -rf /mnt/data/elastic*
docker ps --all --format '{{.Names}}' | xargs --no-run-if-empty docker rm -f >/dev/null
"""
# What a session logs is in the journal of that session.
SESSIONS = """
journalctl --quiet --no-pager --output=cat --identifier=sshd --identifier=sshd-session |
  grep --count 'Starting session' || true
"""
PROCESSOR = "cat /sys/fs/cgroup/cpuacct/cpuacct.usage 2>/dev/null || sed -n 's/usage_usec //p' /sys/fs/cgroup/cpu.stat"


def available() -> bool:
    """Return whether this user and machine can run such hosts, which need root and Podman."""
    return os.geteuid() == 0 and shutil.which("podman") is not None


class Machines:
    """A context in which this many hosts run."""

    def __init__(self, folder: Path, count: int, *, network: str = NETWORK, kind: str = "") -> None:
        self.addresses = {f"bench-{number}": f"{network}.{10 + number}" for number in range(1, count + 1)}
        self.gateway = network + ".1"
        self._folder, self._kind = folder / "machines", kind and ":" + kind

    def __enter__(self) -> Machines:
        try:
            self._script("up")
        except subprocess.CalledProcessError:
            self._script("down")
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self._script("down")

    def _script(self, action: str) -> None:
        names = [f"{name}={address}{self._kind}" for name, address in self.addresses.items()]
        subprocess.run([str(SCRIPT), action, str(self._folder), *names], check=True, stdout=subprocess.DEVNULL)

    def _everywhere(self, *command: str, stdin: bytes = b"") -> dict[str, str]:
        """Run a command on all hosts; return host -> output."""

        def one(name: str) -> str:
            argv = ["podman", "exec", "--interactive", name, *command]
            return subprocess.run(argv, input=stdin, stdout=subprocess.PIPE, check=True).stdout.decode()

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            return dict(zip(self.addresses, pool.map(one, self.addresses)))

    def prepare(self, ece: StandIn) -> None:
        """Give each host the stand-in's container engine."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for path, (content, mode) in host_files(
                ece.join_port, join_host=GATEWAY, install_seconds=ece.install_seconds
            ).items():
                member = tarfile.TarInfo(path.lstrip("/"))
                member.size, member.mode = len(content.encode()), mode
                tar.addfile(member, io.BytesIO(content.encode()))
        self._everywhere("tar", "-x", "-C", "/", "--no-overwrite-dir", stdin=packed.getvalue())
        self._everywhere("bash", "-c", "systemctl daemon-reload && systemctl enable --quiet --now docker.socket")

    def reset(self, ece: StandIn) -> None:
        """Remove all hosts from the platform, and what an installation leaves from the hosts."""
        for address in self.addresses.values():
            ece.platform.remove(address)
        self._everywhere("bash", "-c", WIPE)

    def run(self, script: str) -> None:
        """Run a script on all hosts."""
        self._everywhere("bash", "-c", script)

    def slow_down(self, share: float) -> None:
        """Let each host use this part of a processor at most."""
        for name in self.addresses:
            subprocess.run(["podman", "update", f"--cpus={share}", name], check=True, stdout=subprocess.DEVNULL)

    def processor_seconds(self) -> float:
        """Return the seconds of a processor that all hosts have used."""
        used = [float(text) for text in self._everywhere("bash", "-c", PROCESSOR).values()]
        return sum(used) / (1e9 if Path("/sys/fs/cgroup/cpuacct").exists() else 1e6)

    def sessions(self) -> dict[str, int]:
        """Return host -> its round trips: the sessions of its sshd, including those over a reused connection."""
        return {name: int(text) for name, text in self._everywhere("bash", "-c", SESSIONS).items()}

    def inventory(self, ece: StandIn, count: int, **more: Any) -> dict[str, Any]:
        """Return an inventory of the first `count` hosts, with more variables."""
        zones = ece.platform.zones
        content = ece.inventory(
            {
                name: {"ansible_host": address, "ece_host_zone": zones[at % len(zones)]}
                for at, (name, address) in enumerate(list(self.addresses.items())[:count])
            }
        )
        content["all"]["vars"].update(
            ansible_user="ops",
            ansible_python_interpreter="/usr/bin/python3",
            ansible_ssh_private_key_file=str(self._folder / "id"),
            ansible_ssh_common_args=f"-o UserKnownHostsFile={self._folder / 'known_hosts'} -o IdentitiesOnly=yes",
            ece_host_installer_src=str(ece.installer_path),
            # The hosts have the kernel of this machine.
            ece_host_skip_checks=["kernel"],
            **more,
        )
        return content
