# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts to install on: folders on this machine for local connections, and the files that make a real machine such a host.

A local host is a folder with an engine, its state, a socket and a place for data. The installer runs there as an ordinary user, so
everything belongs to that user; where this process is root, that is `nobody`.
"""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FILES = Path(__file__).parent / "files"
INSTALLER = "elastic-cloud-enterprise.sh"
INSTALLER_CONTAINER = "elastic-cloud-enterprise-installer"
# What the support matrix of every release since 3.8 takes together with Docker 25.0.
OS_RELEASE = 'NAME="Ubuntu"\nID=ubuntu\nVERSION_ID="22.04"\n'
KNOBS = (
    "state",
    "engine",
    "engine_version",
    "join_host",
    "join_port",
    "socket",
    "install_seconds",
    "fail",
    "fail_message",
    "hang",
    "containers_extra",
    "os_release",
    "skip_matrix",
    "busy_ports",
    "join_zone",
    "broken",
    "leave_containers",
    "firewalld",
)
REAL_STATE = "/var/lib/ece-standin"
REAL_SOCKET = "/var/run/docker.sock"


def installer_text(version: str) -> str:
    """The stand-in's installer, as the script of this version."""
    return (FILES / INSTALLER).read_text(encoding="utf-8").replace("@VERSION@", version)


def engine_text() -> str:
    return (FILES / "docker").read_text(encoding="utf-8")


def install_user() -> pwd.struct_passwd:
    """Who the installer runs as on a local host."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def conf_text(knobs: Mapping[str, Any]) -> str:
    """standin.conf: shell assignments."""
    unknown = sorted(set(knobs) - set(KNOBS))
    if unknown:
        raise ValueError(f"no such knob: {', '.join(unknown)}; there are {', '.join(KNOBS)}")
    lines = []
    for name, value in knobs.items():
        if isinstance(value, bool):
            value = int(value)
        elif isinstance(value, (list, tuple)):
            value = " ".join(str(item) for item in value)
        lines.append(f"{name.upper()}={shlex.quote('' if value is None else str(value))}")
    return "\n".join(lines) + "\n"


def require_traversable(directory: Path) -> None:
    """Raises where the install user could not even reach the folder; pytest's tmp_path is such a place for root."""
    if os.geteuid() != 0:
        return
    for folder in (directory, *directory.parents):
        if not folder.stat().st_mode & 0o001:
            name = install_user().pw_name
            raise ValueError(
                f"{folder} is closed to other users, so {name} could not run the installer in {directory}; give another directory"
            )


class LocalHost:
    """One folder that Ansible talks to with connection local."""

    def __init__(self, folder: Path, name: str, ip: str, zone: str, knobs: Mapping[str, Any]) -> None:
        self.folder = folder
        self.name = name
        self.ip = ip
        self.zone = zone
        self._user = install_user()
        self.state = folder / "engine"
        self.socket = folder / "docker.sock"
        self.storage = folder / "data" / "elastic"
        self._knobs: dict[str, Any] = {
            "state": self.state,
            "socket": self.socket,
            "os_release": folder / "os-release",
            "firewalld": "inactive",
            **knobs,
        }
        for path in (folder, folder / "bin", self.state, self.state / "containers", folder / "data"):
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o755)
        (folder / "os-release").write_text(OS_RELEASE, encoding="utf-8")
        names = ("docker", "podman") if self._knobs.get("engine") == "podman" else ("docker",)
        for command in names:
            self._write(folder / "bin" / command, engine_text(), 0o755)
        self.configure()
        self.open_socket()
        self._hand_over(folder)

    def configure(self, **knobs: Any) -> None:
        """Turns knobs of standin.conf; None turns one back to its default."""
        self._knobs.update(knobs)
        self._knobs = {name: value for name, value in self._knobs.items() if value is not None}
        self._write(self.folder / "bin" / "standin.conf", conf_text(self._knobs), 0o644)

    def _write(self, path: Path, text: str, mode: int) -> None:
        """By a rename: a command that reads it right now sees the old or the new one."""
        new = path.with_name(f".{path.name}.new")
        new.write_text(text, encoding="utf-8")
        new.chmod(mode)
        new.replace(path)

    def open_socket(self) -> None:
        """A real socket file, with nobody behind it: the engine only looks at it."""
        self.close_socket()
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            # Through the descriptor, because the path of a socket must be short.
            with socket.socket(socket.AF_UNIX) as made:
                made.bind(f"/proc/self/fd/{folder}/{self.socket.name}")
        finally:
            os.close(folder)
        self.socket.chmod(0o660)
        if os.geteuid() == 0:
            os.chown(self.socket, self._user.pw_uid, self._user.pw_gid)

    def close_socket(self) -> None:
        self.socket.unlink(missing_ok=True)

    def _hand_over(self, folder: Path) -> None:
        if os.geteuid() != 0:
            return
        for top, folders, files in os.walk(folder):
            for name in [".", *folders, *files]:
                os.chown(os.path.join(top, name), self._user.pw_uid, self._user.pw_gid, follow_symlinks=False)

    def wipe(self) -> None:
        """As after a new image: no container, no data."""
        for path in (self.state / "containers").iterdir():
            path.unlink()
        (self.state / "membership").unlink(missing_ok=True)
        shutil.rmtree(self.storage, ignore_errors=True)

    @property
    def containers(self) -> list[str]:
        return sorted(path.name for path in (self.state / "containers").iterdir() if ".new." not in path.name)

    @property
    def last_arguments(self) -> list[str]:
        return (self.state / "last-arguments").read_text(encoding="utf-8").splitlines()

    @property
    def last_environment(self) -> dict[str, str]:
        lines = (self.state / "last-environment").read_text(encoding="utf-8").splitlines()
        return dict(line.partition("=")[::2] for line in lines if "=" in line)

    @property
    def log(self) -> str:
        path = self.storage / "logs" / "bootstrap-logs" / "bootstrap.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def kill_installer(self) -> bool:
        """Ends an installer's container that still runs; a host that hangs would outlive its test."""
        path = self.state / "containers" / INSTALLER_CONTAINER
        try:
            fields = dict(line.partition("=")[::2] for line in path.read_text(encoding="utf-8").splitlines())
            pid = int(fields["pid"])
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            if os.fsencode(self.folder) not in command:
                return False
            os.kill(pid, signal.SIGKILL)
        except (OSError, KeyError, ValueError):
            return False
        return True

    def variables(self, installer: Path) -> dict[str, Any]:
        """What an inventory says about this host."""
        shown: dict[str, Any] = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "ece_host_become": False,
            "ece_host_ip": self.ip,
            "ece_host_zone": self.zone,
            "ece_host_storage_path": str(self.storage),
            "ece_host_bin_paths": [str(self.folder / "bin")],
            "ece_host_docker_socket": str(self.socket),
            "ece_host_user": self._user.pw_name,
            "ece_host_installer_src": str(installer),
            "ece_host_installer_path": str(self.folder / INSTALLER),
            "ece_host_skip_checks": ["os", "memory", "disk", "ports"],
        }
        if self._knobs.get("engine") == "podman":
            shown["ece_host_container_engine"] = "podman"
        return shown


_SOCKET_UNIT = """[Unit]
Description=Socket of the stand-in's container engine

[Socket]
ExecStartPre=/usr/bin/install -d -m 2770 -g docker {state}
ListenStream={socket}
SocketMode=0660
SocketUser=root
SocketGroup=docker
RemoveOnStop=yes

[Install]
WantedBy=sockets.target
"""

# A socket unit needs a service to start; nobody ever connects, the engine only looks whether the socket is there.
_SERVICE_UNIT = """[Unit]
Description=The stand-in's container engine
Requires=docker.socket

[Service]
ExecStart=/usr/bin/sleep infinity
"""


def host_files(join_port: int, join_host: str = "", **knobs: Any) -> dict[str, tuple[str, int]]:
    """path -> (content, mode) that make a machine with systemd and a group `docker` a host of the stand-in.

    After copying: C(systemctl daemon-reload && systemctl enable --now docker.socket). The installer itself is the role's business.
    """
    header = "# Made by the stand-in ECE of ece.platform\n"
    settings = {
        "state": REAL_STATE,
        "socket": REAL_SOCKET,
        "join_port": join_port,
        **({"join_host": join_host} if join_host else {}),
        **knobs,
    }
    files = {
        "/usr/local/bin/docker": (engine_text(), 0o755),
        "/etc/ece-standin.conf": (header + conf_text(settings), 0o644),
        "/etc/systemd/system/docker.socket": (
            header + _SOCKET_UNIT.format(state=REAL_STATE, socket=REAL_SOCKET),
            0o644,
        ),
        "/etc/systemd/system/docker.service": (header + _SERVICE_UNIT, 0o644),
    }
    if settings.get("engine") == "podman":
        files["/usr/local/bin/podman"] = files["/usr/local/bin/docker"]
    return files
