# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that offers collections to ansible-galaxy, as Galaxy does with releases."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tarfile
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml


def build(source: Path, folder: Path) -> Path:
    """Build a collection and return its tarball."""
    before = set(folder.glob("*.tar.gz"))
    command = [str(Path(sys.executable).with_name("ansible-galaxy")), "collection", "build", "--output-path"]
    subprocess.run([*command, str(folder), str(source)], check=True, capture_output=True)
    (tarball,) = set(folder.glob("*.tar.gz")) - before
    return tarball


def build_dependencies(definition: Path, folder: Path) -> list[Path]:
    """Build collections without content under the names of those that a collection needs, and return the tarballs."""
    needed = yaml.safe_load(definition.read_text(encoding="utf-8"))["dependencies"]
    tarballs = []
    for name, versions in needed.items():
        source = folder / "sources" / name
        source.mkdir(parents=True)
        namespace, _dot, short = name.partition(".")
        values = {"namespace": namespace, "name": short, "version": versions.lstrip(">="), "readme": "README.md"}
        (source / "galaxy.yml").write_text(yaml.safe_dump({**values, "authors": ["docs"]}), encoding="utf-8")
        (source / "README.md").write_text("A collection of others\n", encoding="utf-8")
        tarballs.append(build(source, folder))
    return tarballs


def _answers(tarball: Path) -> dict[str, Any]:
    """Return what Galaxy answers about a release, by path."""
    with tarfile.open(tarball) as archive:
        manifest = archive.extractfile("MANIFEST.json")
        assert manifest
        info = json.load(manifest)["collection_info"]
    collection = f"/api/v3/collections/{info['namespace']}/{info['name']}/"
    release = f"{collection}versions/{info['version']}/"
    # By this time ansible-galaxy knows whether its cache is current.
    released = "2026-01-01T00:00:00Z"
    return {
        collection: {"created_at": released, "updated_at": released},
        f"{collection}versions/": {"data": [{"version": info["version"]}], "links": {}},
        release: {
            "namespace": {"name": info["namespace"]},
            "collection": {"name": info["name"]},
            "version": info["version"],
            "href": release,
            "download_url": f"/{tarball.name}",
            "artifact": {"sha256": hashlib.sha256(tarball.read_bytes()).hexdigest()},
            "metadata": {"dependencies": info["dependencies"]},
        },
    }


class Galaxy:
    """Answers the requests of `ansible-galaxy collection` in version 3 of Galaxy's API, for some tarballs."""

    def __init__(self, tarballs: Sequence[Path]) -> None:
        answers: dict[str, Any] = {"/api/": {"available_versions": {"v3": "v3/"}}}
        for tarball in tarballs:
            answers.update(_answers(tarball))
        offered = {path.rstrip("/"): json.dumps(answer).encode() for path, answer in answers.items()}
        offered.update({f"/{tarball.name}": tarball.read_bytes() for tarball in tarballs})

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
