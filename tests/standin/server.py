# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ASGI applications served by uvicorn in one thread. Below the ASGI layers; it knows nothing of ECE."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from tests.standin.asgi import TRANSPORT

START_SECONDS = 15.0
STOP_SECONDS = 5.0

Transports = weakref.WeakSet[asyncio.Transport]


@dataclass(frozen=True, kw_only=True)
class Service:
    """An application and the socket on which it is served, over TLS where there is a context."""

    app: ASGIApp
    socket: socket.socket
    context: ssl.SSLContext | None = None


class ServerThread:
    """A thread that serves several applications. A fault finds the transport of a connection in the ASGI scope."""

    def __init__(self, services: Sequence[Service]) -> None:
        self._transports: Transports = weakref.WeakSet()
        self._servers = [_server(service, self._transports) for service in services]
        self._sockets = [service.socket for service in services]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="standin", daemon=True)

    def start(self) -> None:
        """Start the thread and wait until all applications are served. Raises RuntimeError."""
        self._thread.start()
        end = time.monotonic() + START_SECONDS
        while not all(server.started for server in self._servers):
            if time.monotonic() > end or not self._thread.is_alive():
                raise RuntimeError("the stand-in does not start")
            time.sleep(0.01)

    def stop(self) -> None:
        """End all connections and the thread."""
        for server in self._servers:
            server.should_exit = True
        self._end_connections()
        self._thread.join(STOP_SECONDS)
        if self._thread.is_alive():
            for server in self._servers:
                server.force_exit = True
            self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            await asyncio.gather(*(server.serve([one]) for server, one in zip(self._servers, self._sockets)))

        asyncio.run(serve())

    def _end_connections(self) -> None:
        # A client that keeps its connection open, or waits for a late reply, must not delay the end.
        def abort() -> None:
            for transport in list(self._transports):
                transport.abort()

        try:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(abort)
        except RuntimeError:
            pass  # The loop has ended already.


def listen(host: str, port: int) -> socket.socket:
    """Return a listening TCP socket; port 0 stands for a free port. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is given because asyncio sets TCP_NODELAY only on sockets that have it.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    made.listen(512)
    return made


class _Protocol(H11Protocol):
    """HTTP over a connection whose transport is in the ASGI scope, so that a fault can reset it below HTTP."""

    transports: Transports

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.transports.add(transport)
        inner: ASGIApp = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope[TRANSPORT] = transport
            await inner(scope, receive, send)

        self.app = with_transport


def _server(service: Service, transports: Transports) -> uvicorn.Server:
    context = service.context
    config = uvicorn.Config(
        service.app,
        http=type("Protocol", (_Protocol,), {"transports": transports}),
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
