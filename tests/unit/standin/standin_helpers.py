# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients of the stand-in's API, installer and engine, for its own tests."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import requests

from tests.standin import StandIn
from tests.standin.hosts import install_user

ROOT = Path(__file__).parents[3]

SPEC = Path(os.environ.get("ECE_API_SPEC") or ROOT.parent / "shared" / "ece" / "api.json")
TOKENS = "/platform/configuration/security/enrollment-tokens"


class Client:
    """A client of the API, by default as the administrator. It does not read proxies and CAs from the environment."""

    def __init__(self, ece: StandIn, prefix: str = "/api/v1", **headers: str) -> None:
        self.base = ece.url + prefix
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = ece.ca_path
        if headers:
            self.session.headers.update(headers)
        else:
            self.session.auth = (ece.username, ece.password)

    def __call__(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request and return the reply, whatever its status."""
        options.setdefault("timeout", 60)
        options.setdefault("allow_redirects", False)
        return self.session.request(method, self.base + path, **options)

    def get(self, path: str, **options: Any) -> Any:
        """Return the content of a GET request, which must succeed."""
        reply = self("GET", path, **options)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def token(self, *roles: str, persistent: bool = False, **more: Any) -> str:
        """Mint an enrollment token and return it."""
        reply = self("POST", TOKENS, json={"persistent": persistent, "roles": list(roles), **more})
        assert reply.status_code == 200, reply.text
        return str(reply.json()["token"])


class Installer:
    """Commands on local hosts, run by the unprivileged install user."""

    def __init__(self, ece: StandIn) -> None:
        self.ece = ece

    def argv(self, name: str, *arguments: str) -> list[str]:
        """Return the command that installs on a host."""
        host = self.ece.hosts[name]
        paths = [
            "--host-storage-path",
            str(host.storage),
            "--host-docker-host",
            str(host.socket),
            "--host-ip",
            host.ip,
        ]
        return ["bash", str(self.ece.installer_path), "install", *paths, *arguments]

    def popen(
        self, name: str, argv: list[str], as_root: bool = False, environment: dict[str, str] | None = None, **more: Any
    ) -> subprocess.Popen[str]:
        """Start a command on a host, by default as the install user."""
        host = self.ece.hosts[name]
        path = f"{host.folder}/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        user = install_user()
        identity: dict[str, Any] = (
            {} if os.geteuid() != 0 or as_root else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        )
        return subprocess.Popen(
            argv,
            env={"PATH": path, "LANG": "C", **(environment or {})},
            cwd="/",
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **identity,
            **more,
        )

    def run(self, name: str, argv: list[str], **more: Any) -> subprocess.CompletedProcess[str]:
        """Run a command on a host to its end."""
        process = self.popen(name, argv, **more)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(argv, process.returncode, out, err)

    def install(self, name: str, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run the installer."""
        return self.run(name, self.argv(name, *arguments), **more)

    def join(
        self, name: str, token: str, roles: str = "allocator", *arguments: str, **more: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run the installer so that the host joins."""
        return self.install(
            name, "--coordinator-host", "127.0.0.1", "--roles-token", token, "--roles", roles, *arguments, **more
        )

    def engine(self, name: str, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run a command of the container engine."""
        return self.run(name, [str(self.ece.hosts[name].folder / "bin" / "docker"), *arguments], **more)
