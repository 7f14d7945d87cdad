# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inner door: where the runner of a new host knocks. Plain TCP, one line in, one line out.

It stands for the channel of the real product between a runner and the coordinators. A host can speak it with bash alone.
"""

from __future__ import annotations

import socketserver
import threading

from tests.standin.model import ApiError, Refused
from tests.standin.state import Platform

LINE_MAX = 65536
PATIENCE_SECONDS = 10.0


def answer(platform: Platform, line: str) -> str:
    """C(ok) or C(refused <reason>) for one line of key=value pairs separated by tabs."""
    pairs = dict(part.partition("=")[::2] for part in line.rstrip("\r\n").split("\t") if "=" in part)
    runner_id, host_ip = pairs.get("runner_id", ""), pairs.get("host_ip", "")
    try:
        action = pairs.get("action")
        if action == "join":
            platform.join(pairs)
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


class Door:
    """Listens from the start on until close()."""

    def __init__(self, platform: Platform, host: str, port: int = 0) -> None:
        class Knock(socketserver.StreamRequestHandler):
            timeout = PATIENCE_SECONDS

            def handle(self) -> None:
                try:
                    line = self.rfile.readline(LINE_MAX)
                    if line:
                        self.wfile.write(answer(platform, line.decode("utf-8", "replace")).encode() + b"\n")
                except OSError:
                    pass

        self._server = _Server((host, port), Knock)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="standin-door", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
