# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A second coordinator: another address of the platform, which can go down."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading


class Relay:
    """A TCP server that passes everything on to a port of this machine until it is closed."""

    def __init__(self, port: int) -> None:
        self._open: list[socket.socket] = []
        connections = self._open

        class Handler(socketserver.BaseRequestHandler):
            """Passes one connection on, in both directions."""

            def handle(self) -> None:
                with socket.create_connection(("127.0.0.1", port)) as platform:
                    connections.extend((self.request, platform))
                    back = threading.Thread(target=_pump, args=(platform, self.request), daemon=True)
                    back.start()
                    _pump(self.request, platform)
                    back.join()

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        """Accept no further connection and end the open ones."""
        self._server.shutdown()
        self._server.server_close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Copy bytes until one side ends."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
