# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts of the stand-in: folders on this machine, and the files that make a real machine such a host.

A local host is a folder with a container engine, its state, a socket and a storage path; Ansible reaches it with the
connection `local`. The installer runs there as an unprivileged user, who owns all of it. This module stands beside the
other layers: a host talks to the platform only through the join server.
"""

from __future__ import annotations

import os
import pwd
import re
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
UNPRIVILEGED_USER = "nobody"
# The support matrix of each release since 3.8 accepts this together with Docker 25.0.
OS_RELEASE = 'PRETTY_NAME="Ubuntu 22.04.5 LTS"\nNAME="Ubuntu"\nVERSION_ID="22.04"\nID=ubuntu\n'
# The settings of standin.conf, which define how a host behaves. The scripts in files/ read them, in upper case.
SETTINGS = {
    "state": "the folder with the engine's state",
    "socket": "the engine's socket",
    "engine": "docker (default) or podman",
    "engine_version": "the engine's version",
    "broken": "1: the engine does not respond",
    "join_host": "the join server's host; by default the coordinator that the installer is given",
    "join_port": "the join server's port",
    "join_zone": "the zone in which the host joins, whatever the installer is given",
    "install_seconds": "how long the installer takes",
    "fail": "the exit code with which the installer fails",
    "fail_message": "the message with which it fails, or a file that has the message",
    "leave_containers": "1: an installer that fails leaves the runner's container",
    "hang": "1: the installer never ends",
    "hold": "a file: the installer does not go on while it exists",
    "fail_cause": "the cause that the log of its container names",
    "refuse_failed_prerequisites": "1: its container refuses the host where the script only warns, as for firewalld",
    "failed_checks": "checks that fail: nofile, ports, memory, max_map_count, ip_forward, cgroup_memory",
    "selinux": "1: the host has sudo and the commands that the script calls for --selinux",
    "sudo_password": "1: sudo asks for a password",
    "data_folder": "the folder that takes the place of /mnt/data, which the script labels for --selinux",
    "containers_extra": "names of further containers that the installer leaves",
    "busy_ports": "ports that are in use, so that the installer's container cannot start",
    "engine_fail": "125: no image can be pulled; 126 or 127: no container can be started",
    "engine_seconds": "how long each command of the engine takes",
    "rootless": "1: Podman without a given socket runs rootless containers",
    "os_release": "the file that takes the place of /etc/os-release",
    "skip_matrix": "1: the installer does not check operating system and engine",
    "firewalld": "active, inactive or auto (ask systemd)",
    "interface": "the interface of the host's addresses, by default eth0",
    "addresses": "ADDRESS/PREFIX of it, or DEVICE ADDRESS/PREFIX of another one; by default the host's address",
    "routes": "the default routes as `ip` shows them; by default one through a gateway",
    "missing_commands": "commands that the host lacks, whatever this machine has: ip, podman-remote, sudo ...",
    "kill_user_processes": "1: logind ends all processes of a session with it, says busctl",
}
# The commands that a local host has, but for the engine. A command that a host lacks is not hidden from other programs
# where this machine has it.
COMMANDS = ("ip", "busctl")
# One file has all commands that --selinux needs.
SELINUX_FILE = "selinux-commands"
SELINUX_COMMANDS = ("sudo", "semanage", "setsebool", "checkmodule", "semodule_package", "semodule", "restorecon")
# Settings whose values are lines. Those of others are separated by blanks.
LINES = ("addresses", "routes")
REAL_STATE = "/var/lib/ece-standin"
REAL_SOCKET = "/var/run/docker.sock"


def installer_text(version: str) -> str:
    """Return the stand-in's installer, as the script of this version."""
    lines = (FILES / INSTALLER).read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if _release(_since(line)) <= _release(version)]
    return "".join(kept).replace("@VERSION@", version)


def _since(line: str) -> str:
    found = re.search(r" # since ([\d.]+)$", line.rstrip("\n"))
    return found.group(1) if found else "0.0"


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("-")[0].split(".")[:2])


def engine_text() -> str:
    """Return the stand-in's container engine, a script for both Docker and Podman."""
    return (FILES / "docker").read_text(encoding="utf-8")


def podman_texts(socket_path: str) -> dict[str, str]:
    """Return the commands of a host with Podman: name -> text. Its command docker calls podman-remote."""
    wrapper = (FILES / "docker-wrapper").read_text(encoding="utf-8").replace("@SOCKET@", socket_path)
    return {"docker": wrapper, "podman": engine_text(), "podman-remote": engine_text()}


def install_user() -> pwd.struct_passwd:
    """Return the user as whom the installer runs on a local host."""
    return pwd.getpwnam(UNPRIVILEGED_USER) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def conf_text(settings: Mapping[str, Any]) -> str:
    """Return the text of standin.conf: one shell assignment per setting. Raises ValueError for an unknown setting."""
    unknown = sorted(set(settings) - set(SETTINGS))
    if unknown:
        raise ValueError(f"no such setting: {', '.join(unknown)}; there are {', '.join(SETTINGS)}")
    lines = []
    for name, value in settings.items():
        if isinstance(value, bool):
            value = int(value)
        elif isinstance(value, (list, tuple)):
            value = ("\n" if name in LINES else " ").join(str(item) for item in value)
        lines.append(f"{name.upper()}={shlex.quote('' if value is None else str(value))}")
    return "\n".join(lines) + "\n"


def require_traversable(directory: Path) -> None:
    """Check that the install user can reach a directory. Raises ValueError, as for root's tmp_path of pytest."""
    if os.geteuid() != 0:
        return
    for folder in (directory, *directory.parents):
        if not folder.stat().st_mode & 0o001:
            name = install_user().pw_name
            raise ValueError(
                f"{folder} is closed to other users, so {name} cannot run the installer in {directory}; "
                "give another directory"
            )


class LocalHost:
    """One folder that stands for a host.

    state: the engine's folder. socket: the engine's socket. storage: the storage path, which the installer creates.
    """

    def __init__(self, folder: Path, ip: str, zone: str, settings: Mapping[str, Any]) -> None:
        self.folder = folder
        self.ip = ip
        self.zone = zone
        self._user = install_user()
        self.state = folder / "engine"
        self.socket = folder / "docker.sock"
        self.storage = folder / "data" / "elastic"
        # Of root: the host's own folder is the install user's.
        self.install_state = folder.with_name(f"{folder.name}-install-state")
        self._settings: dict[str, Any] = {
            "state": self.state,
            "socket": self.socket,
            "os_release": folder / "os-release",
            "firewalld": "inactive",
            "data_folder": folder / "data",
            "addresses": [f"{ip}/24"],
            "routes": [f"default via {ip.rpartition('.')[0]}.254 dev eth0 proto static"],
            **settings,
        }
        for path in (folder, folder / "bin", self.state, self.state / "containers", folder / "data"):
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o755)
        (folder / "os-release").write_text(OS_RELEASE, encoding="utf-8")
        self.configure()
        self.open_socket()
        self._give_to_user(folder)

    def configure(self, **settings: Any) -> None:
        """Change how the host behaves; None sets a setting back to its default. Raises ValueError."""
        changed = {**self._settings, **settings}
        self._settings = {name: value for name, value in changed.items() if value is not None}
        _replace_file(self.folder / "bin" / "standin.conf", conf_text(self._settings), 0o644)
        self._write_commands()

    def _write_commands(self) -> None:
        texts = {name: (FILES / name).read_text(encoding="utf-8") for name in COMMANDS}
        texts["docker"] = engine_text()
        if self._podman:
            texts.update(podman_texts(str(self.socket)))
        if self._settings.get("selinux"):
            texts.update(dict.fromkeys(SELINUX_COMMANDS, (FILES / SELINUX_FILE).read_text(encoding="utf-8")))
            (self.folder / "data" / "docker").mkdir(exist_ok=True)
        missing = self._settings.get("missing_commands", "")
        for command in missing.split() if isinstance(missing, str) else missing:
            texts.pop(command, None)
            (self.folder / "bin" / command).unlink(missing_ok=True)
        for name, text in texts.items():
            path = self.folder / "bin" / name
            if not path.exists():
                _replace_file(path, text, 0o755)

    @property
    def _podman(self) -> bool:
        return self._settings.get("engine") == "podman"

    def open_socket(self) -> None:
        """Create the engine's socket. It does not accept connections: the engine only checks that it is there."""
        self.close_socket()
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            # The path of a socket must be short, so it leads through the descriptor.
            with socket.socket(socket.AF_UNIX) as made:
                made.bind(f"/proc/self/fd/{folder}/{self.socket.name}")
        finally:
            os.close(folder)
        self.socket.chmod(0o660)
        if os.geteuid() == 0:
            os.chown(self.socket, self._user.pw_uid, self._user.pw_gid)

    def forbid_socket(self) -> None:
        """Leave the engine's socket to root alone, as the package of Podman does. Only root can do that."""
        os.chown(self.socket, 0, 0)

    def close_socket(self) -> None:
        """Remove the engine's socket."""
        self.socket.unlink(missing_ok=True)

    def _give_to_user(self, folder: Path) -> None:
        if os.geteuid() != 0:
            return
        for parent, folders, files in os.walk(folder):
            for name in [".", *folders, *files]:
                os.chown(os.path.join(parent, name), self._user.pw_uid, self._user.pw_gid, follow_symlinks=False)

    def give_commands_to_root(self) -> str:
        """Move the commands to a folder of root's and return its path: root runs no commands of other users."""
        own, roots = self.folder / "bin", self.folder.with_name(f"{self.folder.name}-bin")
        own.rename(roots)
        own.symlink_to(roots)
        for path in (roots, *roots.iterdir()):
            os.chown(path, os.geteuid(), os.getegid())
        return str(roots)

    def wipe(self) -> None:
        """Remove all containers and data, like a new installation of the operating system."""
        for path in (self.state / "containers").iterdir():
            path.unlink()
        (self.state / "membership").unlink(missing_ok=True)
        shutil.rmtree(self.state / "rootless", ignore_errors=True)
        for folder in (self.storage, self.install_state):
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def containers(self) -> list[str]:
        """The names of all containers, sorted."""
        return sorted(path.name for path in (self.state / "containers").iterdir() if ".new." not in path.name)

    @property
    def last_arguments(self) -> list[str]:
        """The arguments of the last installer, with a checksum in place of the token."""
        return (self.state / "last-arguments").read_text(encoding="utf-8").splitlines()

    @property
    def last_environment(self) -> dict[str, str]:
        """The environment of the last installer, with a checksum in place of the token."""
        lines = (self.state / "last-environment").read_text(encoding="utf-8").splitlines()
        return dict(line.partition("=")[::2] for line in lines if "=" in line)

    @property
    def install_record(self) -> Path | None:
        """The record that the collection keeps of the last installer: root's, or that of the user without root."""
        for folder in (self.install_state, self.storage / "logs"):
            found = next(folder.rglob("record.json"), None)
            if found:
                return found
        return None

    @property
    def has_started(self) -> bool:
        """Whether an installer has started here: the collection keeps a record of it, and the script a log."""
        return self.install_record is not None or (self.storage / "logs").exists()

    @property
    def log(self) -> str:
        """The log of the installer's container, empty where there is none."""
        path = self.storage / "logs" / "bootstrap-logs" / "bootstrap.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def kill_installer(self) -> bool:
        """Kill the installer's container and return whether there was one. One that hangs would outlive its test."""
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
        """Return the host's inventory variables. installer: the script on the controller."""
        shown: dict[str, Any] = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "ece_host_become": False,
            "ece_host_ip": self.ip,
            "ece_host_zone": self.zone,
            "ece_host_storage_path": str(self.storage),
            "ece_host_state_path": str(self.install_state),
            "ece_host_bin_paths": [str(self.folder / "bin")],
            "ece_host_docker_socket": str(self.socket),
            "ece_host_user": self._user.pw_name,
            "ece_host_installer_src": str(installer),
            "ece_host_installer_path": str(self.folder / INSTALLER),
            # What is this machine's own, which differs from one to the next.
            "ece_host_skip_checks": ["disk", "host_ip", "kernel", "limits", "memory", "network", "os", "ports"],
        }
        if self._podman:
            shown["ece_host_container_engine"] = "podman"
        return shown


def _replace_file(path: Path, text: str, mode: int) -> None:
    # A rename, so that a command that reads the file at the same time gets either the old text or the new one.
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.chmod(mode)
    new.replace(path)


# -- real machines ---------------------------------------------------------------------------------------------------

_HEADER = "# Made by the stand-in ECE of ece.platform\n"
_SOCKET_UNIT = f"""[Unit]
Description=Socket of the stand-in's container engine

[Socket]
ExecStartPre=/usr/bin/install -d -m 2770 -g docker {REAL_STATE}
ListenStream={REAL_SOCKET}
SocketMode=0660
SocketUser=root
SocketGroup=docker
RemoveOnStop=yes

[Install]
WantedBy=sockets.target
"""

# A socket unit needs a service. It is never started, because nothing connects to the socket.
_SERVICE_UNIT = """[Unit]
Description=The stand-in's container engine
Requires=docker.socket

[Service]
ExecStart=/usr/bin/sleep infinity
"""


def host_files(join_port: int, join_host: str = "", **settings: Any) -> dict[str, tuple[str, int]]:
    """Return path -> (content, mode) of files that make a machine with systemd and a group `docker` a host.

    After they are copied, run `systemctl daemon-reload && systemctl enable --now docker.socket`. The installer is not
    among them, because the role copies it. settings: those of SETTINGS.
    """
    conf = {
        "state": REAL_STATE,
        "socket": REAL_SOCKET,
        "join_port": join_port,
        **({"join_host": join_host} if join_host else {}),
        **settings,
    }
    files = {
        "/usr/local/bin/docker": (engine_text(), 0o755),
        "/etc/ece-standin.conf": (_HEADER + conf_text(conf), 0o644),
        "/etc/systemd/system/docker.socket": (_HEADER + _SOCKET_UNIT, 0o644),
        "/etc/systemd/system/docker.service": (_HEADER + _SERVICE_UNIT, 0o644),
    }
    if conf.get("engine") == "podman":
        files.update({f"/usr/local/bin/{name}": (text, 0o755) for name, text in podman_texts(REAL_SOCKET).items()})
    return files
