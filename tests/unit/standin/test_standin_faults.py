# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of the stand-in: what the client sees, and whether the request takes effect. Also its control interface."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
import yaml

from tests.standin import StandIn
from tests.standin.__main__ import main
from tests.standin.faults import NOT_FOUND
from tests.unit.standin.standin_helpers import ROOT, TOKENS, Client

MINT = {"persistent": True, "roles": ["allocator"]}


def test_a_fault_replies_with_status_code_and_headers(ece: StandIn, api: Client) -> None:
    fault = ece.fault(
        method="GET",
        path="^/platform$",
        status=503,
        code="controller_route.controller_not_ready",
        headers={"Retry-After": "2"},
        times=2,
    )
    for _ in range(2):
        reply = api("GET", "/platform")
        assert reply.status_code == 503 and reply.headers["Retry-After"] == "2"
        assert reply.json()["errors"][0]["code"] == "controller_route.controller_not_ready"
    assert api("GET", "/platform").status_code == 200
    assert fault.struck == 2
    assert [item["status"] for item in ece.requests] == [503, 503, 200]


def test_an_error_takes_effect_only_on_demand(ece: StandIn, api: Client) -> None:
    ece.fault(method="POST", path="enrollment-tokens", status=502)
    assert api("POST", TOKENS, json=MINT).status_code == 502
    assert ece.minted == 0
    ece.fault(method="POST", path="enrollment-tokens", status=502, effect=True)
    assert api("POST", TOKENS, json=MINT).status_code == 502
    assert ece.minted == 1


def test_matching_requests_pass_before_a_fault_strikes(ece: StandIn, api: Client) -> None:
    ece.fault(path="^/platform$", after=2, status=500)
    assert [api("GET", "/platform").status_code for _ in range(4)] == [200, 200, 500, 200]


@pytest.mark.parametrize("when, minted", [("before", 0), ("after", 1)])
def test_a_reset_before_or_after_the_effect(ece: StandIn, api: Client, when: str, minted: int) -> None:
    ece.fault(method="POST", path="enrollment-tokens", reset=when)
    with pytest.raises(requests.ConnectionError):
        api("POST", TOKENS, json=MINT)
    assert ece.minted == minted
    assert ece.requests[-1]["status"] is None
    assert api("GET", "/platform").status_code == 200


def test_a_reset_is_a_tcp_reset(ece: StandIn) -> None:
    ece.fault(reset="before")
    plain = socket.create_connection(("127.0.0.1", ece.port))
    secure = ssl.create_default_context(cafile=ece.ca_path).wrap_socket(plain, server_hostname="127.0.0.1")
    secure.sendall(b"GET /api/v1/platform HTTP/1.1\r\nHost: x\r\n\r\n")
    # Read below TLS, because the TLS library reports a reset like a normal end.
    with socket.socket(fileno=os.dup(secure.fileno())) as raw, pytest.raises(ConnectionResetError):
        raw.settimeout(60)
        while raw.recv(4096):
            pass
    secure.close()


def test_a_delay_before_or_after_the_effect(ece: StandIn, api: Client) -> None:
    ece.fault(path="^/platform$", delay=0.4)
    with pytest.raises(requests.ReadTimeout):
        api("GET", "/platform", timeout=0.1)
    ece.fault(method="POST", path="enrollment-tokens", delay_after=0.4)
    with pytest.raises(requests.ReadTimeout):
        api("POST", TOKENS, json=MINT, timeout=0.2)
    assert ece.minted == 1


def test_a_body_can_be_replaced_truncated_changed_or_empty(ece: StandIn, api: Client) -> None:
    ece.fault(path="^/platform$", body=b"<html>no</html>", content_type="text/html", status=502)
    reply = api("GET", "/platform")
    assert (reply.status_code, reply.headers["content-type"], reply.text) == (502, "text/html", "<html>no</html>")
    ece.fault(path="^/platform$", truncate=True)
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        api("GET", "/platform")
    ece.fault(path="^/platform$", transform=lambda payload: {"error": payload["version"]})
    assert api.get("/platform") == {"error": "3.8.0"}
    ece.fault(path="^/platform$", body=b"")
    assert api("GET", "/platform").text == ""


def test_a_predicate_selects_requests_until_the_faults_are_cleared(ece: StandIn, api: Client) -> None:
    ece.fault(predicate=lambda entry: entry["query"].get("from") == "2", status=500, times=None)
    assert api("GET", "/platform/infrastructure/allocators", params={"from": 2}).status_code == 500
    assert api("GET", "/platform/infrastructure/allocators").status_code == 200
    ece.faults.clear()
    assert api("GET", "/platform/infrastructure/allocators", params={"from": 2}).status_code == 200


@pytest.mark.parametrize("kind", NOT_FOUND)
def test_a_404_that_is_not_the_apis_hides_an_object_that_is_there(ece: StandIn, api: Client, kind: str) -> None:
    path = "/platform/infrastructure/runners/10.1.0.1"
    ece.fault(not_found=kind, path="runners/", times=2)
    reply = api("GET", path)
    assert (reply.status_code, reply.content) == (404, NOT_FOUND[kind][0])
    assert reply.headers["content-type"] == NOT_FOUND[kind][1] and "errors" not in reply.text
    ece.platform.disconnect("10.1.0.1")
    assert api("DELETE", path).status_code == 404
    assert api("GET", path).status_code == 200


def test_lists_may_be_short_or_empty_while_each_object_is_shown(ece: StandIn, api: Client) -> None:
    base = "/platform/infrastructure"

    def listed() -> tuple[list[str], list[str]]:
        zones = api.get(f"{base}/allocators")["zones"]
        found = api("POST", f"{base}/runners/_search", json={"size": 100}).json()["runners"]
        runners = [one["runner_id"] for one in api.get(f"{base}/runners")["runners"]]
        assert [one["runner_id"] for one in found] == runners
        return runners, sorted(one["allocator_id"] for zone in zones for one in zone["allocators"])

    everyone = ["10.1.0.1", "10.1.0.2", "10.1.0.3"]
    assert listed() == (everyone, everyone)
    ece.platform.unlist("runners", "10.1.0.1")
    ece.platform.unlist("runners", "10.1.0.3")
    assert listed() == (["10.1.0.2"], everyone)
    ece.platform.unlist("allocators")
    ece.platform.add_runner("10.1.0.4")
    assert listed() == (["10.1.0.2", "10.1.0.4"], [])
    for kind in ("runners", "allocators"):
        assert api("GET", f"{base}/{kind}/10.1.0.1").status_code == 200
    ece.platform.list_again()
    assert listed() == ([*everyone, "10.1.0.4"], [*everyone, "10.1.0.4"])


@pytest.mark.parametrize("keep", [True, False])
def test_the_record_of_an_allocator_stays_or_goes_with_its_runner(make: Callable[..., StandIn], keep: bool) -> None:
    ece = make(allocators=1, keep_allocators=keep)
    api = Client(ece)
    ece.platform.disconnect("10.1.0.1")
    assert api("DELETE", "/platform/infrastructure/runners/10.1.0.1").status_code == 200
    assert api("GET", "/platform/infrastructure/allocators/10.1.0.1").status_code == (200 if keep else 404)


def test_one_coordinator_of_several_may_not_be_ready(make: Callable[..., StandIn]) -> None:
    ece = make(coordinators=2)
    api = Client(ece)
    ece.fault(port=ece.ports[0], status=503, code="controller_route.controller_not_ready", times=None)
    assert api("GET", "/platform").status_code == 503
    api.base = f"{ece.urls[1]}/api/v1"
    assert api("GET", "/platform").status_code == 200
    assert [entry["port"] for entry in ece.requests] == ece.ports and ece.url == ece.urls[0]


def test_an_invalid_fault_is_refused(ece: StandIn) -> None:
    with pytest.raises(ValueError):
        ece.fault(reset="sometimes")
    with pytest.raises(ValueError):
        ece.fault(not_found="sometimes")
    with pytest.raises(TypeError):
        ece.fault(nonsense=1)


@pytest.mark.parametrize("certificate, message", [("expired", "expired"), ("wrong-name", "127.0.0.1")])
def test_a_client_rejects_an_expired_or_wrong_certificate(
    make: Callable[..., StandIn], certificate: str, message: str
) -> None:
    with pytest.raises(requests.exceptions.SSLError, match=message):
        Client(make(certificate=certificate))("GET", "/platform")


def test_many_requests_at_once(ece: StandIn) -> None:
    client = Client(ece)
    auth = client.session.auth

    def one(number: int) -> int:
        session = requests.Session()
        session.trust_env, session.verify, session.auth = False, ece.ca_path, auth
        if number % 4:
            return session.get(client.base + "/platform", timeout=60).status_code
        return session.post(client.base + TOKENS, json=MINT, timeout=60).status_code

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(one, range(80))) == {200}
    assert ece.minted == 20 == len(ece.tokens) and len(ece.requests) == 80


def test_closing_does_not_wait_for_a_late_reply(make: Callable[..., StandIn]) -> None:
    ece = make()
    api = Client(ece)
    ece.fault(delay=600)
    failures: list[Exception] = []

    def ask() -> None:
        try:
            api("GET", "/platform")
        except requests.RequestException as error:
            failures.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    while not ece.requests:
        time.sleep(0.01)
    closing = threading.Thread(target=ece.close)
    closing.start()
    closing.join(30)  # the late reply takes longer
    assert not closing.is_alive()
    asking.join(60)
    assert len(failures) == 1


def test_the_control_interface(ece: StandIn, api: Client) -> None:
    def call(method: str, path: str, body: object = None) -> requests.Response:
        session = requests.Session()
        session.trust_env = False
        return session.request(method, ece.control_url + path, json=body, timeout=60)

    assert (
        call("POST", "/faults", {"method": "GET", "path": "^/platform$", "status": 500, "body": "x"}).status_code == 200
    )
    assert api("GET", "/platform").status_code == 500
    assert call("POST", "/faults", {"nonsense": 1}).status_code == 400
    assert [item["status"] for item in call("GET", "/requests").json()] == [500]
    assert call("POST", "/reset-requests").status_code == 200 and ece.requests == []
    assert call("POST", "/disconnect/10.1.0.1").status_code == 200
    assert call("GET", "/state").json()["runners"]["10.1.0.1"]["connected"] is False
    assert call("POST", "/connect/10.1.0.1").status_code == 200
    assert call("POST", "/load/10.1.0.1").status_code == 200
    assert call("GET", "/state").json()["allocators"]["10.1.0.1"]["instances"] == 1
    assert call("POST", "/remove/10.1.0.1").status_code == 200
    assert call("POST", "/connect/10.1.0.1").status_code == 404
    assert call("POST", "/unlist/runners?id=10.1.0.2").status_code == 200
    runners = api.get("/platform/infrastructure/runners")["runners"]
    assert [one["runner_id"] for one in runners] == ["10.1.0.3"]
    assert call("POST", "/unlist/nonsense").status_code == 404
    assert call("DELETE", "/unlist").status_code == 200
    assert len(api.get("/platform/infrastructure/runners")["runners"]) == 2
    assert call("POST", "/faults", {"not_found": "ok-false"}).status_code == 200
    assert api("GET", "/platform").json()["ok"] is False
    assert call("GET", "/joins").json() == []


def test_the_installer_is_handed_out(ece: StandIn) -> None:
    session = requests.Session()
    session.trust_env = False
    text = session.get(ece.url + "/installer/elastic-cloud-enterprise.sh", verify=ece.ca_path, timeout=60).text
    assert text == ece.installer_path.read_text(encoding="utf-8") and "\nCLOUD_ENTERPRISE_VERSION=3.8.0\n" in text


def test_the_command_line_starts_a_stand_in_and_cleans_up(tmp_path_factory: pytest.TempPathFactory) -> None:
    ready = tmp_path_factory.mktemp("ready") / "ready.json"
    command = [
        sys.executable,
        "-m",
        "tests.standin",
        "--allocators",
        "2",
        "--new-hosts",
        "1",
        "--ready-file",
        str(ready),
    ]
    environment = {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), "PATH": "/usr/bin:/bin"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + 60
        while not ready.exists() and time.monotonic() < end:
            time.sleep(0.05)
        info = json.loads(ready.read_text(encoding="utf-8"))
        directory = Path(info["directory"])
        assert (
            (directory / "inventory.yml").stat().st_mode & 0o777
            == 0o600
            == (directory / "credentials").stat().st_mode & 0o777
        )
        inventory = yaml.safe_load((directory / "inventory.yml").read_text(encoding="utf-8"))["all"]
        assert sorted(inventory["children"]["allocators"]["hosts"]) == ["existing-1", "existing-2", "new-1"]
        assert inventory["vars"] == {"ece_url": info["url"], "ece_ca_path": info["ca_path"]}
        shell = '. "$1" && printf "%s\\n%s" "$ECE_USERNAME" "$ECE_PASSWORD"'
        name, password = subprocess.run(
            ["sh", "-c", shell, "sh", str(directory / "credentials")], capture_output=True, text=True, check=True
        ).stdout.split("\n")
        session = requests.Session()
        session.trust_env = False
        assert (
            session.get(
                info["url"] + "/api/v1/platform", auth=(name, password), verify=info["ca_path"], timeout=60
            ).status_code
            == 200
        )
    finally:
        process.terminate()
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and not directory.exists()
    assert "add_allocators" in out and password not in out


def test_the_command_line_refuses_the_folder_of_an_earlier_stand_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Ctrl-C is for pytest here.
    monkeypatch.setattr("signal.signal", lambda *_arguments: None)
    (tmp_path / "hosts" / "new-1").mkdir(parents=True)
    assert main(["--directory", str(tmp_path)]) == 1
    assert f"--directory {tmp_path} has the hosts of an earlier stand-in: remove it" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["hosts"]


def test_the_ca_is_enough_for_a_strict_tls_context(ece: StandIn) -> None:
    assert ssl.create_default_context(cafile=ece.ca_path).verify_mode == ssl.CERT_REQUIRED
