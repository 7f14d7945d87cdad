# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that offers the collection of the checkout to ansible-galaxy, as Galaxy does with a release."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml


def build(source: Path, folder: Path) -> Path:
    """Build the collection of a clone and return its tarball."""
    command = [str(Path(sys.executable).with_name("ansible-galaxy")), "collection", "build", "--output-path"]
    subprocess.run([*command, str(folder), str(source)], check=True, capture_output=True)
    (tarball,) = folder.glob("ece-platform-*.tar.gz")
    return tarball


class Galaxy:
    """Answers the requests of `ansible-galaxy collection` in version 3 of Galaxy's API, for one tarball."""

    def __init__(self, tarball: Path, definition: Path) -> None:
        content = tarball.read_bytes()
        version = str(yaml.safe_load(definition.read_text(encoding="utf-8"))["version"])
        collection = "/api/v3/collections/ece/platform/"
        release = f"{collection}versions/{version}/"
        # By this time ansible-galaxy knows whether its cache is current.
        released = "2026-01-01T00:00:00Z"
        answers: dict[str, Any] = {
            "/api/": {"available_versions": {"v3": "v3/"}},
            collection: {"created_at": released, "updated_at": released},
            f"{collection}versions/": {"data": [{"version": version}], "links": {}},
            release: {
                "namespace": {"name": "ece"},
                "collection": {"name": "platform"},
                "version": version,
                "href": release,
                "download_url": f"/{tarball.name}",
                "artifact": {"sha256": hashlib.sha256(content).hexdigest()},
                "metadata": {"dependencies": {}},
            },
        }
        encoded = {path.rstrip("/"): json.dumps(answer).encode() for path, answer in answers.items()}
        offered = {**encoded, f"/{tarball.name}": content}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = offered.get(self.path.partition("?")[0].rstrip("/"))
                self.send_response(404 if answer is None else 200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(answer or b"{}")

            def log_message(self, format: str, *args: Any) -> None:
                """Print nothing: the output is that of the page's commands."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Galaxy:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
