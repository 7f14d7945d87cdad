# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mirror of packages on this machine: a proxy for apt that downloads each file once."""

from __future__ import annotations

import http.server
import threading
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

# What each host downloads in a second at most: more comes from a mirror in its network, and less from far away.
MB_A_SECOND = 5


class Mirror:
    """A context in which apt can use this proxy."""

    def __init__(self, folder: Path, address: str) -> None:
        lock = threading.Lock()
        folder.mkdir()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = folder / urllib.parse.quote(self.path, safe="")
                with lock:
                    if not path.exists():
                        try:
                            with urllib.request.urlopen(self.path, timeout=60) as answer:
                                path.write_bytes(answer.read())
                        except urllib.error.HTTPError as error:
                            # apt asks for files that a repository may have.
                            self.send_error(error.code)
                            return
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
