# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SSH servers on the loopback interface. They run commands on this machine, as the user of the test."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import asyncssh

PART_BYTES = 2**16


@dataclass
class SshServer:
    """A server that accepts its key or its password, and notes what it is offered."""

    key: str | None = None
    password: str | None = None
    # A server that has turned: it cuts the connection at a command with this text. From then on it refuses keys and
    # takes any password.
    turns_at: str | None = None
    turned: bool = False
    port: int = 0
    # Passwords that clients sent, and the number of keys that it refused.
    passwords: list[str] = field(default_factory=list)
    refused_keys: int = 0
    # The number of commands that it ran.
    commands: int = 0
    connections: list[Any] = field(default_factory=list)

    async def _run(self, process: Any) -> None:
        if self.turns_at and self.turns_at in (process.command or ""):
            self.turned = True
            process.channel.get_connection().abort()
            return
        self.commands += 1
        child = await asyncio.create_subprocess_shell(
            process.command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        feeding = asyncio.create_task(_feed(process.stdin, child.stdin))
        await asyncio.gather(_pass_on(child.stdout, process.stdout), _pass_on(child.stderr, process.stderr))
        # The status goes to the client before the end of the output. A client whose sessions share a connection closes
        # a session at that end, and a status would come too late.
        process.exit(await child.wait())
        feeding.cancel()

    async def listen(self, host_key: Any) -> Any:
        """Start to listen at a free port."""
        listener = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=lambda: _Session(self),
            server_host_keys=[host_key],
            process_factory=self._run,
            encoding=None,
            sftp_factory=True,
        )
        self.port = listener.get_port()
        return listener


class _Session(asyncssh.SSHServer):
    """One connection to a server."""

    def __init__(self, server: SshServer) -> None:
        self._server = server

    def connection_made(self, conn: Any) -> None:
        self._server.connections.append(conn)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        server = self._server
        accepted = bool(server.key) and not server.turned and key == asyncssh.import_public_key(server.key or "")
        server.refused_keys += not accepted
        return accepted

    def password_auth_supported(self) -> bool:
        return self._server.turned or self._server.password is not None

    def validate_password(self, username: str, password: str) -> bool:
        self._server.passwords.append(password)
        return self._server.turned or password == self._server.password


async def _pass_on(source: Any, sink: Any) -> None:
    """Pass on all that a stream gets. It goes on where the other side has gone, so that a command can always end."""
    while part := await source.read(PART_BYTES):
        with contextlib.suppress(OSError, asyncssh.Error):
            sink.write(part)
            await sink.drain()


async def _feed(source: Any, sink: Any) -> None:
    """Pass on what a client sends, until its end or that of the connection, and close the stream."""
    try:
        with contextlib.suppress(asyncssh.Error):
            await _pass_on(source, sink)
    finally:
        sink.close()


async def _close(listeners: list[Any], servers: tuple[SshServer, ...]) -> None:
    """Close servers with their connections, which clients whose sessions share one keep for a while."""
    for listener in listeners:
        listener.close()
    for connection in [connection for server in servers for connection in server.connections]:
        connection.abort()
        await connection.wait_closed()


@contextlib.contextmanager
def listening(*servers: SshServer) -> Iterator[None]:
    """Run servers in a thread of their own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def call(coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(30)

    host_key = asyncssh.generate_private_key("ssh-ed25519")
    listeners = [call(server.listen(host_key)) for server in servers]
    try:
        yield
    finally:
        call(_close(listeners, servers))
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
