# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in as a whole, above all layers: it builds them, serves them, and makes hosts that can join."""

from __future__ import annotations

import contextlib
import shutil
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.standin.api.application import application
from tests.standin.api.messages import Context
from tests.standin.asgi import RequestEntry
from tests.standin.certificates import Certificates
from tests.standin.contract import Contract, ReplyCheck
from tests.standin.control import control_application
from tests.standin.faults import Fault, FaultLayer, Faults
from tests.standin.hosts import INSTALLER, LocalHost, installer_text, require_traversable
from tests.standin.join_server import JoinServer
from tests.standin.model import Join, Secret
from tests.standin.options import Options
from tests.standin.request_log import RequestLog, RequestLogLayer
from tests.standin.server import ServerThread, Service, listen
from tests.standin.state import Platform


class StandIn:
    """A platform that listens from start(), or `with`, until close().

    It takes the options of `options.Options` as keyword arguments. The attributes `directory`, `url`, `ca_path`,
    `control_url` and the ports exist from start() on.
    """

    username = "admin"
    readonly_username = "readonly"

    def __init__(self, **options: Any) -> None:
        self._options = Options(**options)
        self.advertise = self._options.name
        self.install_seconds = self._options.install_seconds
        # The version of the installer, which a test may make older or newer than the platform.
        self.installer_version = self._options.version
        self.platform = Platform(self._options)
        self.platform.populate(self._options.allocators)
        self.api = Context(
            platform=self.platform,
            coordinator=self.advertise,
            installer=lambda: installer_text(self.installer_version),
            sparse=self._options.sparse,
            max_page=self._options.max_page,
        )
        self.faults = Faults()
        self.contract = Contract(self._options.spec)
        self.log = RequestLog()
        self.hosts: dict[str, LocalHost] = {}
        self._cleanup = contextlib.ExitStack()

    # -- start and end -------------------------------------------------------------------------------------------------

    def start(self) -> StandIn:
        """Create the directory, open all sockets and return this object. Raises OSError or RuntimeError."""
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Close all sockets, kill installers that still run, and remove the directory if it is a temporary one."""
        self._cleanup.close()

    def __enter__(self) -> StandIn:
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _start(self) -> None:
        options = self._options
        self.directory = self._make_directory(options.directory)
        _make_open(self.directory / "installer")
        self.write_installer()
        self.ca_path = str(self.directory / "ca.pem")
        self._certificates = Certificates(Path(self.ca_path), options.certified_names, options.certificate)
        self._cleanup.callback(self._kill_installers)
        join_server = JoinServer(self.platform, options.host, options.join_port)
        self._cleanup.callback(join_server.close)
        api_sockets = [
            self._cleanup.enter_context(listen(options.host, 0 if number else options.port))
            for number in range(options.coordinators)
        ]
        control_socket = self._cleanup.enter_context(listen("127.0.0.1", options.control_port))
        self.join_port = join_server.port
        self.ports = [one.getsockname()[1] for one in api_sockets]
        self.port, self.control_port = self.ports[0], control_socket.getsockname()[1]
        name = f"[{self.advertise}]" if ":" in self.advertise else self.advertise
        self.urls = [f"https://{name}:{port}" for port in self.ports]
        self.url, self.control_url = self.urls[0], f"http://127.0.0.1:{self.control_port}"
        thread = ServerThread([*self._api_services(api_sockets), self._control_service(control_socket)])
        self._cleanup.callback(thread.stop)
        thread.start()

    def _make_directory(self, wanted: str | Path | None) -> Path:
        if wanted is None:
            directory = Path(tempfile.mkdtemp(prefix="ece-standin-"))
            self._cleanup.callback(shutil.rmtree, directory, ignore_errors=True)
            directory.chmod(0o755)
            return directory
        directory = Path(wanted).resolve()
        directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        return directory

    def _api_services(self, listening: list[socket.socket]) -> list[Service]:
        api = application(self.api, self.contract.note)
        checked = ReplyCheck(api, self.contract, lambda: self.api.sparse)
        faulty = FaultLayer(checked, self.faults)
        logged = RequestLogLayer(faulty, self.log, self.contract)
        return [Service(app=logged, socket=one, context=self._certificates.context) for one in listening]

    def _control_service(self, listening: socket.socket) -> Service:
        return Service(app=control_application(self.platform, self.log, self.faults, self.contract), socket=listening)

    def _kill_installers(self) -> None:
        for host in self.hosts.values():
            host.kill_installer()

    def present_certificate(self, kind: str) -> None:
        """Present a `good`, `expired` or `wrong-name` certificate on all connections from now on."""
        self._certificates.present(kind)

    # -- credentials ---------------------------------------------------------------------------------------------------

    @property
    def password(self) -> str:
        """The password of the built-in user `admin`."""
        return self.platform.accounts.admin.password

    @property
    def api_key(self) -> str:
        """An API key that may write."""
        return self.platform.accounts.api_key

    @property
    def readonly_password(self) -> str:
        """The password of the built-in user `readonly`."""
        return self.platform.accounts.readonly.password

    @property
    def readonly_api_key(self) -> str:
        """An API key that may only read."""
        return self.platform.accounts.readonly_api_key

    @property
    def secrets(self) -> list[Secret]:
        """Every secret there ever was: passwords, API keys, session and enrollment tokens. Kept in memory only."""
        return self.platform.secrets

    # -- what happened -------------------------------------------------------------------------------------------------

    @property
    def requests(self) -> list[RequestEntry]:
        """All requests to the API."""
        return self.log.entries

    @property
    def mutations(self) -> list[RequestEntry]:
        """The requests to the API that were meant to change something."""
        return self.log.mutations

    def reset_requests(self) -> None:
        """Clear the request log."""
        self.log.clear()

    @property
    def minted(self) -> int:
        """How many enrollment tokens were minted."""
        return self.platform.tokens.minted

    @property
    def tokens(self) -> list[str]:
        """The ids of the persistent tokens that are not revoked."""
        return self.platform.live_tokens

    @property
    def joins(self) -> list[Join]:
        """The records of all attempts to join."""
        return self.platform.joins

    @property
    def joined(self) -> list[str]:
        """The runner ids of the successful attempts to join, sorted."""
        return sorted(join["runner_id"] for join in self.joins if join["ok"])

    @property
    def violations(self) -> list[str]:
        """Where a request or a reply does not conform to the OpenAPI file, and the stand-in's own failures."""
        return self.contract.violations

    def fault(self, **fields: Any) -> Fault:
        """Arm a fault with the fields of `faults.Fault` and return it."""
        return self.faults.arm(Fault(**fields))

    # -- hosts ---------------------------------------------------------------------------------------------------------

    @property
    def installer_path(self) -> Path:
        """The installer, for hosts to copy."""
        return self.directory / "installer" / INSTALLER

    def write_installer(self, version: str | None = None) -> Path:
        """Write the installer and return its path. version: of the script; by default unchanged."""
        self.installer_version = version or self.installer_version
        self.installer_path.write_text(installer_text(self.installer_version), encoding="utf-8")
        self.installer_path.chmod(0o755)
        return self.installer_path

    def add_host(self, name: str, ip: str, zone: str | None = None, **settings: Any) -> dict[str, Any]:
        """Make a local host and return its inventory variables. Raises ValueError.

        zone: by default the platform's zones in turn. settings: those of `hosts.SETTINGS`, which define how the
        host behaves. `self.hosts[name]` is the host itself.
        """
        require_traversable(self.directory)
        zones = self.platform.zones
        zone = zone or zones[len(self.hosts) % len(zones)]
        defaults = {
            "join_port": self.join_port,
            "join_host": self.advertise,
            "install_seconds": self.install_seconds,
        }
        folder = self.directory / "hosts" / name
        _make_open(folder.parent)
        self.hosts[name] = LocalHost(folder, ip, zone, {**defaults, **settings})
        return self.hosts[name].variables(self.installer_path)

    def existing_hosts(self) -> dict[str, dict[str, Any]]:
        """Return the hosts that have joined as an inventory has them. Ansible cannot log in to them."""
        return {
            f"existing-{number}": {"ansible_host": runner.host_ip}
            for number, runner in enumerate(self.platform.current_runners(), 1)
        }

    def inventory(self, hosts: Mapping[str, Mapping[str, Any]], group: str = "allocators") -> dict[str, Any]:
        """Return an Ansible inventory of these hosts, to be dumped as YAML or JSON. It holds no secret."""
        members = {name: dict(variables) for name, variables in hosts.items()}
        variables = {"ece_url": self.url, "ece_ca_path": self.ca_path}
        return {"all": {"vars": variables, "children": {group: {"hosts": members}}}}


def _make_open(folder: Path) -> None:
    """Make a folder that the install user can reach, whatever the umask."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
