# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-rulebook with a rulebook of the collection, to which tests post events, and an AWX that takes launches."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests
import trustme
import yaml

from tests.awx.files import load
from tests.integration.operator import COLLECTIONS, ROOT, Operator

# The Python environment of tests/requirements-eda.txt.
BIN = Path(os.environ.get("ECE_EDA", ROOT / ".venv" / "eda" / "bin"))
RULEBOOKS = COLLECTIONS / "ansible_collections" / "ece" / "platform" / "extensions" / "eda" / "rulebooks"
TOKEN = "token-of-the-autoscaler"
# As the rulebooks have it, and as tests have the time to wait for it.
WINDOW, SHORT_WINDOW = "once_after: 30 seconds", "once_after: 10 seconds"
# The JVM takes seconds to start, and much longer on a busy machine.
PATIENCE_SECONDS = 120


def template_of_events() -> dict[str, Any]:
    """Return what of the template that playbook awx_setup creates for events ansible-rulebook looks at."""
    meant = load("job_templates", "add_announced_allocators.yml")
    return {key: meant[key] for key in ("name", "ask_limit_on_launch")}


def short(rulebook: str, folder: Path) -> str:
    """Write a copy of a rulebook that waits less long, and return its path."""
    text = (RULEBOOKS / f"{rulebook}.yml").read_text(encoding="utf-8")
    assert text.count(WINDOW) == 1
    copy = folder / f"{rulebook}.yml"
    copy.write_text(text.replace(WINDOW, SHORT_WINDOW), encoding="utf-8")
    return str(copy)


class Rulebook:
    """A running ansible-rulebook.

    rulebook: a file, or the name of a rulebook of the collection. leave_out: a variable that the user forgets.
    """

    def __init__(
        self,
        operator: Operator,
        rulebook: str,
        *options: str,
        token: str | None = TOKEN,
        leave_out: str | None = None,
        **environment: str,
    ) -> None:
        self._folder = operator.folder
        self.port = free_port()
        self._ca = trustme.CA()
        self.lines: list[str] = []
        self.command = ["ansible-rulebook", "-r", rulebook, *options, "--vars", "events.yml"]
        self._write_variables(token, leave_out)
        self.process = subprocess.Popen(
            self.command,
            env={**operator.play_environment(), **environment},
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _write_variables(self, token: str | None, leave_out: str | None) -> None:
        certificate = self._ca.issue_cert("127.0.0.1")
        self._ca.cert_pem.write_to_path(str(self._folder / "events-ca.pem"))
        certificate.cert_chain_pems[0].write_to_path(str(self._folder / "events.pem"))
        certificate.private_key_pem.write_to_path(str(self._folder / "events.key"))
        variables = {
            "ece_event_token": token,
            "ece_event_host": "127.0.0.1",
            "ece_event_port": self.port,
            "ece_event_certfile": str(self._folder / "events.pem"),
            "ece_event_keyfile": str(self._folder / "events.key"),
        }
        given = {name: value for name, value in variables.items() if name != leave_out}
        (self._folder / "events.yml").write_text(yaml.safe_dump(given), encoding="utf-8")

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line)

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return "".join(self.lines)

    @property
    def text(self) -> str:
        """The same with a single blank for every run of white space."""
        return " ".join(self.output.split())

    def wait_until(self, what: str, condition: Any) -> None:
        """Wait until a condition holds. Raises AssertionError when ansible-rulebook ends or takes too long."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert self.process.poll() is None, f"ansible-rulebook ended before: {what}\n{self.output}"
            assert time.monotonic() < deadline, f"never: {what}\n{self.output}"
            time.sleep(0.1)

    def wait_for(self, text: str) -> None:
        """Wait until it has printed a text."""
        self.wait_until(text, lambda: text in self.text)

    def wait_until_it_listens(self) -> None:
        """Wait until it takes events."""
        self.wait_until("it listens", self._listens)

    def _listens(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def post(self, body: Any, token: str | None = TOKEN, **headers: str) -> requests.Response:
        """Post an event, as JSON unless it is bytes."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        with requests.Session() as session:
            session.trust_env = False
            return session.post(
                f"https://127.0.0.1:{self.port}/allocators",
                data=data,
                headers={"Content-Type": "application/json", **headers},
                verify=str(self._folder / "events-ca.pem"),
                timeout=60,
            )

    def stop(self) -> str:
        """End it and return its output."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join(60)
        return self.output


@contextlib.contextmanager
def running(
    operator: Operator, rulebook: str, *options: str, token: str | None = TOKEN, **more: str
) -> Iterator[Rulebook]:
    """Yield an ansible-rulebook that takes events. At its end neither it nor what it left shows a secret."""
    with operator.processes.watching():
        started = Rulebook(operator, rulebook, *options, token=token, **more)
        try:
            started.wait_until_it_listens()
            yield started
        finally:
            started.stop()
    assert "Traceback" not in started.output
    left = [path for path in operator.temporary.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
    assert TOKEN not in started.output and not left
    operator.scan(started.output)


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


class Controller:
    """The part of AWX's API that launches a job template. launches: what was sent."""

    def __init__(self) -> None:
        self.launches: list[dict[str, Any]] = []
        controller = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(200, controller.answer(self.path.partition("?")[0]))

            def do_POST(self) -> None:
                controller.launches.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self._answer(201, {"id": 1, "url": "/api/v2/jobs/1/"})

            def _answer(self, status: int, body: dict[str, Any]) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def environment(self) -> dict[str, str]:
        """How ansible-rulebook finds it. It asks every second how a job is."""
        return {
            "EDA_CONTROLLER_URL": self.url,
            "EDA_CONTROLLER_TOKEN": "token-of-awx",
            "EDA_JOB_TEMPLATE_REFRESH_DELAY": "1",
        }

    def answer(self, path: str) -> dict[str, Any]:
        """Return the answer to a request that reads."""
        if path == "/api/v2/config/":
            return {"version": "24.6.1"}
        if path == "/api/v2/unified_job_templates/":
            template = {
                "id": 7,
                "type": "job_template",
                **template_of_events(),
                "summary_fields": {"organization": {"name": "Default"}},
                "related": {"launch": "/api/v2/job_templates/7/launch/"},
                **dict.fromkeys(("ask_labels_on_launch", "ask_inventory_on_launch", "ask_variables_on_launch"), False),
            }
            return {"count": 1, "next": None, "results": [template]}
        job = {"id": 1, "status": "successful", "created": "2026-01-01T00:00:00Z", "url": "/api/v2/jobs/1/"}
        return {"count": 1, "next": None, "results": [job]}

    def __enter__(self) -> Controller:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
