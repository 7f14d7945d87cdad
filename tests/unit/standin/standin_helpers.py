# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Callers of the stand-in: of its API, of its installer and of its engine."""

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
    """Plain requests as the administrator, without the environment's say in which CA is trusted."""

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
        options.setdefault("timeout", 10)
        options.setdefault("allow_redirects", False)
        return self.session.request(method, self.base + path, **options)

    def get(self, path: str, **options: Any) -> Any:
        reply = self("GET", path, **options)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def token(self, *roles: str, persistent: bool = False, **more: Any) -> str:
        reply = self("POST", TOKENS, json={"persistent": persistent, "roles": list(roles), **more})
        assert reply.status_code == 200, reply.text
        return str(reply.json()["token"])


class Installer:
    """Runs the installer on a local host as the user that it is meant to run as."""

    def __init__(self, ece: StandIn) -> None:
        self.ece = ece

    def argv(self, name: str, *words: str) -> list[str]:
        host = self.ece.hosts[name]
        places = [
            "--host-storage-path",
            str(host.storage),
            "--host-docker-host",
            str(host.socket),
            "--host-ip",
            host.ip,
        ]
        return ["bash", str(self.ece.installer_path), "install", *places, *words]

    def popen(
        self, name: str, argv: list[str], as_root: bool = False, environment: dict[str, str] | None = None, **more: Any
    ) -> subprocess.Popen[str]:
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
        process = self.popen(name, argv, **more)
        out, err = process.communicate(timeout=30)
        return subprocess.CompletedProcess(argv, process.returncode, out, err)

    def install(self, name: str, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        return self.run(name, self.argv(name, *words), **more)

    def join(
        self, name: str, token: str, roles: str = "allocator", *words: str, **more: Any
    ) -> subprocess.CompletedProcess[str]:
        return self.install(
            name, "--coordinator-host", "127.0.0.1", "--roles-token", token, "--roles", roles, *words, **more
        )

    def engine(self, name: str, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        return self.run(name, [str(self.ece.hosts[name].folder / "bin" / "docker"), *words], **more)
