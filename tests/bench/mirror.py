# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mirror of packages on this machine: a proxy for apt that downloads each package once."""

from __future__ import annotations

import http.server
import threading
import urllib.request
from pathlib import Path

# What each host downloads in a second at most: more comes from a mirror in its network, and less from far away.
MB_A_SECOND = 5


class Mirror:
    """A context in which apt can use this proxy. Lists of packages that a host has are up to date."""

    def __init__(self, folder: Path, address: str) -> None:
        lock = threading.Lock()
        folder.mkdir()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if "/dists/" in self.path:
                    self.send_response(304 if "If-Modified-Since" in self.headers else 404)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                path = folder / self.path.rpartition("/")[2]
                with lock:
                    if not path.exists():
                        with urllib.request.urlopen(self.path, timeout=60) as answer:
                            path.write_bytes(answer.read())
                content = path.read_bytes()
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer((address, 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://{address}:{self._server.server_port}"

    def __enter__(self) -> Mirror:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
