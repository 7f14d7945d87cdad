# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An image registry with one image, ECE's installer, for hosts whose container engine is a real one.

    python -m tests.standin.registry BASE_LAYER --host ADDRESS --port PORT --version VERSION --join-port PORT
        [--nofile-min NUMBER]

BASE_LAYER is a tar file with bash, coreutils and curl. The registry adds a layer with the stand-in's installer. It
speaks as much of the protocol as `docker pull` needs, and plain HTTP.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import tarfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.standin.hosts import FILES, REAL_STATE, conf_text, engine_text

REPOSITORY = "cloud-enterprise/elastic-cloud-enterprise"
MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
COMMAND = "elastic-cloud-enterprise-installer"
# The paths of the installer in its image.
ENGINE_PATH = "usr/local/lib/standin-engine"
CONF_PATH = "etc/ece-standin.conf"


def installer_layer(join_host: str, join_port: int, nofile_min: int) -> bytes:
    """Return the layer with the installer, as a tar file. nofile_min: the limit of open files that it asks for."""
    conf = conf_text({"state": REAL_STATE, "join_host": join_host, "join_port": join_port, "install_seconds": 1})
    files = {
        f"usr/local/bin/{COMMAND}": ((FILES / "installer-container").read_text(encoding="utf-8"), 0o755),
        ENGINE_PATH: (engine_text(), 0o644),
        CONF_PATH: (f"{conf}NOFILE_MIN={nofile_min}\n", 0o644),
    }
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, (text, mode) in files.items():
            member = tarfile.TarInfo(name)
            content = text.encode()
            member.size, member.mode = len(content), mode
            archive.addfile(member, io.BytesIO(content))
    return made.getvalue()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Image:
    """One image of layers that are not compressed."""

    def __init__(self, layers: list[bytes]) -> None:
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], "Cmd": [COMMAND]},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer) for layer in layers]},
        }
        text = json.dumps(config).encode()
        self.blobs = {_digest(content): content for content in (text, *layers)}

        def described(content: bytes, kind: str) -> dict[str, object]:
            return {
                "mediaType": f"application/vnd.docker.{kind}",
                "size": len(content),
                "digest": _digest(content),
            }

        self.manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST_TYPE,
                "config": described(text, "container.image.v1+json"),
                "layers": [described(layer, "image.rootfs.diff.tar") for layer in layers],
            }
        ).encode()
        self.digest = _digest(self.manifest)


def registry(address: tuple[str, int], image: Image, version: str) -> ThreadingHTTPServer:
    """Return a server that has the image by this version. The caller runs it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            manifests = {f"/v2/{REPOSITORY}/manifests/{name}" for name in (version, image.digest)}
            blob = image.blobs.get(self.path.removeprefix(f"/v2/{REPOSITORY}/blobs/"))
            if self.path == "/v2/":
                self._reply(200, "application/json", b"{}")
            elif self.path in manifests:
                self._reply(200, MANIFEST_TYPE, image.manifest, image.digest)
            elif blob is not None:
                self._reply(200, "application/octet-stream", blob, _digest(blob))
            else:
                self._reply(404, "application/json", b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}')

        do_HEAD = do_GET

        def _reply(self, status: int, kind: str, content: bytes, digest: str = "") -> None:
            self.send_response(status)
            self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            if digest:
                self.send_header("Docker-Content-Digest", digest)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

    return ThreadingHTTPServer(address, Handler)


def main(argv: list[str] | None = None) -> None:
    """Serve the image until a signal."""
    parser = argparse.ArgumentParser(prog="python -m tests.standin.registry", description=__doc__)
    parser.add_argument("base_layer", type=Path)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--join-port", type=int, required=True)
    parser.add_argument("--nofile-min", type=int, default=65536)
    options = parser.parse_args(argv)
    layers = [options.base_layer.read_bytes(), installer_layer(options.host, options.join_port, options.nofile_min)]
    registry((options.host, options.port), Image(layers), options.version).serve_forever()


if __name__ == "__main__":
    main()
