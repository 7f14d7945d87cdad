# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in as a whole: HTTPS in a thread, the inner door, the control surface, and the hosts that belong to it."""

from __future__ import annotations

import asyncio
import copy
import shutil
import socket
import ssl
import tempfile
import threading
import time
import weakref
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import trustme
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from tests.standin.api import Api, Options
from tests.standin.contract import Contract, ReplyChecker
from tests.standin.control import control_application
from tests.standin.faults import TRANSPORT, Fault, Faults, FaultyApp
from tests.standin.hosts import INSTALLER, LocalHost, installer_text, require_traversable
from tests.standin.join import Door
from tests.standin.model import Secret
from tests.standin.record import Log, Recorder, is_mutation
from tests.standin.state import Platform

START_SECONDS = 15.0


class _Protocol(H11Protocol):
    """Hands the connection's transport to the app, so that a fault can tear it down below HTTP; close() ends those that are left."""

    transports: weakref.WeakSet[asyncio.Transport]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.transports.add(transport)
        inner: ASGIApp = self.app  # type: ignore[has-type]

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope[TRANSPORT] = transport
            await inner(scope, receive, send)

        self.app = with_transport


class StandIn:
    """A platform that listens from start() (or C(with)) on until close().

    advertise: the name or address under which hosts reach it; extra_names: further names in its certificate.
    certificate: C(good), C(expired) or C(wrong-name). spec: an OpenAPI file by which requests and replies are judged.
    """

    username = "admin"

    def __init__(
        self,
        directory: str | Path | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        advertise: str | None = None,
        version: str = "3.8.0",
        allocators: int = 0,
        zones: Iterable[str] = ("ece-zone-1", "ece-zone-2", "ece-zone-3"),
        roles_of_existing: Iterable[str] = ("allocator",),
        connect_seconds: float = 1.0,
        index_lag: float = 0.0,
        spec: str | Path | None = None,
        extra_names: Iterable[str] = (),
        seed: int = 0,
        *,
        sparse: bool = False,
        max_page: int | None = None,
        max_runners: int | None = None,
        session_seconds: float = 3600.0,
        move_seconds: float = 0.5,
        certificate: str = "good",
        control_port: int = 0,
        join_port: int = 0,
        install_seconds: float = 2.0,
    ) -> None:
        if certificate not in ("good", "expired", "wrong-name"):
            raise ValueError("certificate is good, expired or wrong-name")
        self.host = host
        self.advertise = advertise or ("127.0.0.1" if host in ("0.0.0.0", "::") else host)
        self.install_seconds = install_seconds
        self._wanted = {"api": port, "control": control_port, "join": join_port}
        self._given_directory = Path(directory) if directory is not None else None
        self._names = list(
            dict.fromkeys(
                ["127.0.0.1", "localhost", self.advertise, *([] if host in ("0.0.0.0", "::") else [host]), *extra_names]
            )
        )
        self._certificate = certificate
        self.platform = Platform(version, zones, connect_seconds, index_lag, session_seconds, move_seconds, seed)
        self.platform.populate(allocators, roles_of_existing)
        self.options = Options(
            self.advertise, sparse, max_page, max_runners, lambda: installer_text(self.installer_version)
        )
        # The script that is handed out; older or newer than the platform on demand.
        self.installer_version = version
        self.hosts: dict[str, LocalHost] = {}
        self._contract = Contract(spec)
        self.options.crashed = self._contract.note
        self._log = Log()
        self.faults = Faults()
        self._stack: list[Any] = []
        self._servers: list[uvicorn.Server] = []
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._transports: weakref.WeakSet[asyncio.Transport] = weakref.WeakSet()

    # -- beginning and end ---------------------------------------------------------------------------------------------

    def start(self) -> StandIn:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def _start(self) -> None:
        if self._given_directory is None:
            self.directory = Path(tempfile.mkdtemp(prefix="ece-standin-"))
            self.directory.chmod(0o755)
        else:
            self.directory = self._given_directory.resolve()
            self.directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        (self.directory / "installer").mkdir(exist_ok=True)
        self.write_installer()
        context = self._tls()
        self._door = Door(self.platform, self.host, self._wanted["join"])
        self.join_port = self._door.port
        api_socket = _listen(self.host, self._wanted["api"])
        self._stack.append(api_socket)
        control_socket = _listen("127.0.0.1", self._wanted["control"])
        self._stack.append(control_socket)
        self.port, self.control_port = api_socket.getsockname()[1], control_socket.getsockname()[1]
        name = f"[{self.advertise}]" if ":" in self.advertise else self.advertise
        self.url, self.control_url = f"https://{name}:{self.port}", f"http://127.0.0.1:{self.control_port}"
        api = Api(self.platform, self.options).application()
        app = Recorder(
            FaultyApp(ReplyChecker(api, self._contract, lambda: self.options.sparse), self.faults),
            self._log,
            self._contract,
        )
        self._servers = [
            _server(app, context, self._transports),
            _server(control_application(self), None, self._transports),
        ]
        self._thread = threading.Thread(
            target=self._run, args=([api_socket, control_socket],), name="standin", daemon=True
        )
        self._thread.start()
        end = time.monotonic() + START_SECONDS
        while not all(server.started for server in self._servers):
            if time.monotonic() > end or not self._thread.is_alive():
                raise RuntimeError("the stand-in does not start")
            time.sleep(0.01)

    def _run(self, sockets: list[socket.socket]) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            await asyncio.gather(*(server.serve([one]) for server, one in zip(self._servers, sockets)))

        asyncio.run(serve())

    def close(self) -> None:
        for server in self._servers:
            server.should_exit = True
        if self._thread is not None:
            self._end_connections()
            self._thread.join(5)
            if self._thread.is_alive():
                for server in self._servers:
                    server.force_exit = True
                self._thread.join(5)
        if hasattr(self, "_door"):
            self._door.close()
        for item in self._stack:
            item.close()
        for host in self.hosts.values():
            host.kill_installer()
        if self._given_directory is None and hasattr(self, "directory"):
            shutil.rmtree(self.directory, ignore_errors=True)

    def _end_connections(self) -> None:
        """Clients that keep their connections open, or wait for a late answer, shall not hold up the end."""

        def end() -> None:
            for transport in list(self._transports):
                transport.abort()

        try:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(end)
        except RuntimeError:
            pass  # The loop has ended already.

    def __enter__(self) -> StandIn:
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _tls(self) -> ssl.SSLContext:
        self._authority = trustme.CA(organization_name="ece.platform stand-in")
        self.ca_path = str(self.directory / "ca.pem")
        self._authority.cert_pem.write_to_path(self.ca_path)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.present_certificate(self._certificate)
        return self._context

    def present_certificate(self, kind: str) -> None:
        """Good, expired or wrong-name, for all connections from now on."""
        names = ["somewhere-else.invalid"] if kind == "wrong-name" else self._names
        now = datetime.now(timezone.utc)
        until = now - timedelta(days=1) if kind == "expired" else now + timedelta(days=30)
        self._authority.issue_cert(*names, not_before=now - timedelta(days=2), not_after=until).configure_cert(
            self._context
        )

    # -- who may call --------------------------------------------------------------------------------------------------

    @property
    def password(self) -> str:
        return self.platform.accounts.admin.password

    @property
    def api_key(self) -> str:
        return self.platform.accounts.api_key

    readonly_username = "readonly"

    @property
    def readonly_password(self) -> str:
        return self.platform.accounts.readonly.password

    @property
    def readonly_api_key(self) -> str:
        return self.platform.accounts.readonly_api_key

    # -- what happened -------------------------------------------------------------------------------------------------

    @property
    def requests(self) -> list[dict[str, Any]]:
        return self._log.entries

    @property
    def mutations(self) -> list[dict[str, Any]]:
        return [entry for entry in self.requests if is_mutation(entry)]

    def reset_requests(self) -> None:
        self._log.clear()

    @property
    def minted(self) -> int:
        return self.platform.tokens.minted

    @property
    def tokens(self) -> list[str]:
        """Ids of the persistent tokens that live."""
        with self.platform.lock:
            return list(self.platform.tokens.live)

    @property
    def secrets(self) -> list[Secret]:
        """All that this platform knows or ever gave to anybody: passwords, API keys, session tokens, enrollment tokens. Nowhere but in memory."""
        with self.platform.lock:
            return [*self.platform.accounts.secrets, *self.platform.tokens.secrets]

    @property
    def joined(self) -> list[str]:
        """Runner ids of the hosts that got in, each as often as it did."""
        return sorted(join["runner_id"] for join in self.joins if join["ok"])

    @property
    def joins(self) -> list[dict[str, Any]]:
        with self.platform.lock:
            return copy.deepcopy(self.platform.joins)

    @property
    def violations(self) -> list[str]:
        return list(self._contract.violations)

    def fault(self, **what: Any) -> Fault:
        """Arms a fault; see faults.Fault for what it can do."""
        return self.faults.arm(Fault(**what))

    # -- hosts ---------------------------------------------------------------------------------------------------------

    @property
    def installer_path(self) -> Path:
        return self.directory / "installer" / INSTALLER

    def write_installer(self, version: str | None = None) -> Path:
        """Puts the installer for hosts to copy; version: of the script, when it is not to be the platform's."""
        self.installer_version = version or self.installer_version
        self.installer_path.write_text(installer_text(self.installer_version), encoding="utf-8")
        self.installer_path.chmod(0o755)
        return self.installer_path

    def add_host(self, name: str, ip: str, zone: str | None = None, **knobs: Any) -> dict[str, Any]:
        """Makes a local host; returns its inventory variables. knobs: those of standin.conf in lower case, see hosts.KNOBS.

        The object behind it, with configure(), containers, last_arguments and more, is self.hosts[name].
        """
        require_traversable(self.directory)
        zones = self.platform.zones
        settings: Mapping[str, Any] = {
            "join_port": self.join_port,
            "join_host": self.advertise,
            "install_seconds": self.install_seconds,
            **knobs,
        }
        (self.directory / "hosts").mkdir(exist_ok=True)
        host = LocalHost(
            self.directory / "hosts" / name, name, ip, zone or zones[len(self.hosts) % len(zones)], settings
        )
        self.hosts[name] = host
        return host.variables(self.installer_path)

    def existing_hosts(self) -> dict[str, dict[str, Any]]:
        """The hosts that are in the platform already, as an inventory has them: nobody can log in there."""
        return {
            f"existing-{number}": {"ansible_host": runner.host_ip}
            for number, runner in enumerate(self.platform.current_runners(), 1)
        }

    def inventory(self, hosts: Mapping[str, Mapping[str, Any]], group: str = "allocators") -> dict[str, Any]:
        """An Ansible inventory, ready to be dumped as YAML or JSON. It holds no secret."""
        members = {name: dict(variables) for name, variables in hosts.items()}
        variables = {"ece_url": self.url, "ece_ca_path": self.ca_path}
        return {"all": {"vars": variables, "children": {group: {"hosts": members}}}}


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol by its name, because asyncio sends without delay (TCP_NODELAY) on such sockets alone.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    made.listen(512)
    return made


def _server(
    app: ASGIApp, context: ssl.SSLContext | None, transports: weakref.WeakSet[asyncio.Transport]
) -> uvicorn.Server:
    protocol = type("Protocol", (_Protocol,), {"transports": transports})
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=1,
        ssl_context_factory=(lambda _config, _default: context) if context is not None else None,
    )
    return uvicorn.Server(config)
