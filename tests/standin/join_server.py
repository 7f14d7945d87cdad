# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The join server, through which the runner of a host talks to the platform. Plain TCP: one line in, one line out.

It stands for the encrypted channel between a runner and the coordinators of the real product. The engine on a host,
which is a bash script, presents the enrollment token here and reports when the runner's container starts or stops.
"""

from __future__ import annotations

import socketserver
import threading

from tests.standin.model import ApiError, Refused
from tests.standin.state import Platform

LINE_MAX = 65536
TIMEOUT_SECONDS = 10.0


def reply_to(platform: Platform, line: str) -> str:
    """Return `ok` or `refused <reason>` for one line of key=value pairs separated by tabs.

    action=join has the pairs of `join_request.py`; action=leave and action=ping have runner_id and host_ip.
    """
    message = dict(part.partition("=")[::2] for part in line.rstrip("\r\n").split("\t") if "=" in part)
    runner_id, host_ip = message.get("runner_id", ""), message.get("host_ip", "")
    try:
        action = message.get("action")
        if action == "join":
            platform.join(message)
        elif action == "leave":
            platform.leave(runner_id, host_ip)
        elif action == "ping":
            platform.ping(runner_id, host_ip)
        else:
            return "refused unknown action"
    except (Refused, ApiError) as error:
        return f"refused {error}"
    return "ok"


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


class JoinServer:
    """A join server that listens until close()."""

    def __init__(self, platform: Platform, host: str, port: int = 0) -> None:
        class Handler(socketserver.StreamRequestHandler):
            timeout = TIMEOUT_SECONDS

            def handle(self) -> None:
                try:
                    line = self.rfile.readline(LINE_MAX)
                    if line:
                        self.wfile.write(reply_to(platform, line.decode("utf-8", "replace")).encode() + b"\n")
                except OSError:
                    pass  # The host closed the connection or sent nothing in time.

        self._server = _Server((host, port), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="standin-join", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """The port on which it listens."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
