# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP to the coordinators, by a script; TLS and broken connections with real servers on loopback."""

from __future__ import annotations

import base64
import contextlib
import datetime
import json
import socket
import ssl
import threading
import time
from email.utils import format_datetime

import pytest
import requests
import trustme

from ansible_collections.ece.platform.plugins.module_utils._api_errors import (
    EceApiError,
    EceAuthError,
    EceConnectionError,
    EceError,
    EceNotFound,
    EceProtocolError,
)
from ansible_collections.ece.platform.plugins.module_utils._text import plain
from tests.unit.scripted import (
    API_KEY,
    LOGIN,
    NOT_READY,
    OTHER_URL,
    PASSWORD,
    RUNNERS,
    TOKENS,
    URL,
    USERNAME,
    connect_timeout,
    failed,
    read_timeout,
    refused,
    reset,
)

PLATFORM = {"version": "3.8.0"}
BASIC = "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
LOGIN_BODY = {"username": USERNAME, "password": PASSWORD}
DENIED = failed("root.unauthenticated", "The supplied authentication is invalid")


@pytest.fixture
def user(make_client):
    """A client with user name and password."""
    return make_client(username=USERNAME, password=PASSWORD)


# -- authentication --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("credentials", "header"),
    [
        ({"api_key": API_KEY}, "ApiKey " + API_KEY),
        ({"username": USERNAME, "password": PASSWORD}, BASIC),
        ({"username": "ü", "password": "€"}, "Basic w7w64oKs"),
    ],
    ids=["api key", "basic", "basic beyond ASCII"],
)
def test_credentials_go_with_the_first_request(ece, make_client, credentials, header):
    ece.expect("GET", "/platform", json=PLATFORM, authorization=header)
    assert make_client(**credentials).platform() == PLATFORM


def test_refused_basic_logs_in_once_and_goes_on_with_the_bearer_token(ece, user):
    ece.expect("GET", "/platform", status=401, json=DENIED, authorization=BASIC)
    ece.expect("POST", LOGIN, json={"token": "first"}, sends=LOGIN_BODY)
    ece.expect("GET", "/platform", json=PLATFORM, authorization="Bearer first")
    ece.expect("GET", RUNNERS, json={"runners": []}, authorization="Bearer first")
    assert user.platform() == PLATFORM
    assert user.runners() == []
    assert "Authorization" not in ece.requests[1].headers


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_a_login_that_expires_during_a_run_is_repeated_once(ece, user, method):
    ece.expect("GET", "/platform", status=401, json=DENIED)
    ece.expect("POST", LOGIN, json={"token": "first"}, sends=LOGIN_BODY)
    ece.expect("GET", "/platform", json=PLATFORM)
    user.platform()
    ece.expect(method, "/x", status=401, json=DENIED, authorization="Bearer first")
    ece.expect("POST", LOGIN, json={"token": "second"}, sends=LOGIN_BODY)
    ece.expect(method, "/x", json={"done": True}, authorization="Bearer second")
    assert user.request(method, "/x") == {"done": True}


@pytest.mark.parametrize("echo", [PASSWORD, BASIC, json.dumps(LOGIN_BODY)], ids=["password", "header", "request"])
def test_a_wrong_password_is_one_clear_error_without_it(ece, user, echo):
    ece.expect("GET", "/platform", status=401, json=failed("root.unauthenticated", f"refused: {echo}"))
    ece.expect("POST", LOGIN, status=401, json=failed("root.unauthenticated", f"refused: {echo}"), sends=LOGIN_BODY)
    with pytest.raises(EceAuthError) as caught:
        user.platform()
    assert "the credentials were refused; check api_key, or username and password" in str(caught.value)
    assert str(caught.value).count("HTTP 401") == 1
    shown = str(caught.value) + repr(caught.value.errors)
    assert BASIC.split()[1] not in shown
    if echo is not LOGIN_BODY:
        assert PASSWORD not in shown
    assert caught.value.status == 401


def test_a_refused_api_key_never_leads_to_a_login(ece, make_client):
    ece.expect("GET", "/platform", status=401, json=DENIED)
    with pytest.raises(EceAuthError, match="credentials were refused"):
        make_client().platform()


@pytest.mark.parametrize("status", [403, 449])
def test_a_user_who_may_not_do_something_is_not_logged_in_for_it(ece, user, status):
    ece.expect("GET", "/platform", status=status, json=failed("root.unauthorized"))
    with pytest.raises(EceAuthError):
        user.platform()


def test_a_fresh_token_that_is_refused_ends_it(ece, user):
    ece.expect("GET", "/platform", status=401, json=DENIED)
    ece.expect("POST", LOGIN, json={"token": "fresh"}, sends=LOGIN_BODY)
    ece.expect(
        "GET",
        "/platform",
        status=401,
        json=failed("root.unauthenticated", "fresh is not valid"),
        authorization="Bearer fresh",
    )
    with pytest.raises(EceAuthError) as caught:
        user.platform()
    assert "fresh" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, "root.resource_not_found"),
        (501, "authc.no_authentication_cluster"),
        (502, "authc.authentication_cluster_error"),
    ],
)
def test_without_a_login_service_the_first_refusal_is_reported(ece, user, status, code):
    ece.expect("GET", "/platform", status=401, json=DENIED)
    ece.expect("POST", LOGIN, status=status, json=failed(code), sends=LOGIN_BODY)
    with pytest.raises(EceAuthError, match="The supplied authentication is invalid"):
        user.platform()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"status": 403, "json": failed("root.unauthorized")}, EceAuthError),
        ({"json": {"tokens": 1}}, EceProtocolError),
        ({"json": {"token": 1}}, EceProtocolError),
        ({"json": []}, EceProtocolError),
        ({"status": 302, "headers": {"Location": "https://sso.example.com"}}, EceProtocolError),
        ({"body": reset()}, EceConnectionError),
    ],
    ids=["403", "no token", "no text as token", "no object", "redirect", "lost"],
)
def test_a_login_that_fails_is_reported_and_leaves_the_next_request_its_credentials(ece, user, answer, error):
    ece.expect("GET", "/platform", status=401, json=DENIED)
    ece.expect("POST", LOGIN, sends=LOGIN_BODY, **answer)
    with pytest.raises(error) as caught:
        user.platform()
    assert "_login" in str(caught.value)
    ece.expect("GET", "/platform", json=PLATFORM, authorization=BASIC)
    assert user.platform() == PLATFORM


@pytest.mark.parametrize(
    "credentials", [{"api_key": API_KEY}, {"username": USERNAME, "password": PASSWORD}], ids=["api key", "user"]
)
def test_netrc_cannot_replace_the_credentials(ece, make_client, credentials, tmp_path):
    (tmp_path / ".netrc").write_text("machine ece.example.com login someone password else\n")
    client = make_client(**credentials)
    assert requests.utils.get_netrc_auth(URL) == ("someone", "else"), "without this the test proves nothing"
    if "api_key" in credentials:
        ece.expect("GET", "/platform", json=PLATFORM, authorization="ApiKey " + API_KEY)
    else:
        ece.expect("GET", "/platform", status=401, json=DENIED, authorization=BASIC)
        ece.expect("POST", LOGIN, json={"token": "t"}, sends=LOGIN_BODY)
        ece.expect("GET", "/platform", json=PLATFORM, authorization="Bearer t")
    client.platform()
    assert all("c29tZW9uZTplbHNl" not in str(request.headers) for request in ece.requests)


# -- TLS, against real servers ---------------------------------------------------------------------------------------


@pytest.fixture
def serve():
    """Return a function that starts a server on loopback and returns its port. `treat` gets every connection."""
    listeners = []

    def start(treat):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def work():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(60)
                    treat(connection)

        threading.Thread(target=work, daemon=True).start()
        return listener.getsockname()[1]

    yield start
    for listener in listeners:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def answer(body):
    """Return a function that reads a request from a connection and sends this body."""

    def treat(connection):
        read_request(connection)
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
            % (len(body), body)
        )

    return treat


def read_request(connection):
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = connection.recv(65536)
        if not chunk:
            return
        received += chunk


class Trust:
    """Two CAs as files, and servers with certificates of the first."""

    def __init__(self, folder, serve):
        self._serve = serve
        self._ours = trustme.CA()
        self.ours, self.other = folder / "ours.pem", folder / "other.pem"
        self._ours.cert_pem.write_to_path(str(self.ours))
        trustme.CA().cert_pem.write_to_path(str(self.other))

    def server(self, *names, treat=None, **certificate):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ours.issue_cert(*names or ["127.0.0.1"], **certificate).configure_cert(context)
        self.asked = []

        def secure(connection):
            with context.wrap_socket(connection, server_side=True) as inner:
                self.asked.append(True)
                (treat or answer(json.dumps(PLATFORM).encode()))(inner)

        return f"https://127.0.0.1:{self._serve(secure)}"


@pytest.fixture
def trust(serve, tmp_path):
    return Trust(tmp_path, serve)


@pytest.mark.parametrize(
    ("environment_ca", "options", "works"),
    [
        (None, {"ca_path": "ours"}, True),
        (None, {"ca_path": "other"}, False),
        (None, {}, False),
        (None, {"validate_certs": False}, True),
        ("other", {"ca_path": "ours"}, True),
        ("ours", {"ca_path": "other"}, False),
        ("other", {"validate_certs": False}, True),
        ("other", {"validate_certs": False, "ca_path": "other"}, True),
        ("ours", {}, True),
        ("other", {}, False),
    ],
)
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_options_win_over_the_environment_for_tls(
    trust, make_client, environment, variable, environment_ca, options, works
):
    url = trust.server()
    options = {key: str(getattr(trust, value)) if key == "ca_path" else value for key, value in options.items()}
    client = make_client(url, **options)
    if environment_ca:
        environment.setenv(variable, str(getattr(trust, environment_ca)))
    if works:
        assert client.platform() == PLATFORM
    else:
        with pytest.raises(EceError, match="not signed by a known CA; set ca_path"):
            client.platform()
        assert trust.asked == [], "credentials were sent to a server that is not trusted"


@pytest.mark.parametrize(
    ("certificate", "message"),
    [
        ({"names": ["other.example.com"]}, "is for another host name"),
        ({"names": ["10.0.0.1"]}, "is for another host name"),
        ({"not_after": datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)}, "has expired"),
    ],
    ids=["name", "address", "expired"],
)
def test_a_certificate_that_does_not_fit_is_explained_and_not_tried_again(
    trust, make_client, sleeps, certificate, message
):
    url = trust.server(*certificate.pop("names", []), **certificate)
    with pytest.raises(EceError, match=message) as caught:
        make_client(url, ca_path=str(trust.ours)).platform()
    assert url in str(caught.value)
    assert sleeps == []


@pytest.mark.parametrize(
    "content",
    [None, "", "no certificate", "-----BEGIN CERTIFICATE-----\nabcd\n-----END CERTIFICATE-----\n"],
    ids=["gone since it was checked", "empty", "other text", "broken"],
)
def test_an_unusable_ca_path_is_named(trust, make_client, tmp_path, content):
    path = tmp_path / "given.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(EceError, match=f"ca_path {path}"):
        make_client(trust.server(), ca_path=str(path)).platform()


# -- connections, against real sockets -------------------------------------------------------------------------------


@pytest.fixture
def closed_port():
    """A port that is in use and refuses connections."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def close(connection):
    """A connection that ends at once."""


def cut(connection):
    read_request(connection)
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"version": "3.')


def babble(connection):
    read_request(connection)
    connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")


@pytest.mark.parametrize(
    ("scheme", "treat", "message"),
    [
        ("http", None, "connection refused"),
        ("https", None, "connection refused"),
        ("http", read_request, "remote end closed connection"),
        ("https", close, "connection closed during TLS|connection reset by peer"),
        ("http", cut, "the answer was cut off"),
        ("http", babble, "SSH-2.0"),
    ],
    ids=["refused", "refused TLS", "closed after the request", "closed in the handshake", "cut off", "no HTTP"],
)
@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
def test_a_post_is_tried_again_only_if_it_was_never_sent_and_all_else_in_any_case(
    serve, make_client, sleeps, closed_port, scheme, treat, message, method
):
    connections = []

    def count(connection):
        connections.append(connection)
        treat(connection)

    url = f"{scheme}://127.0.0.1:{serve(count) if treat else closed_port}"
    with pytest.raises(EceConnectionError, match=message) as caught:
        make_client(url, retries=2, timeout=5).request(method, "/platform")
    repeats = method != "POST" or treat is None
    assert url in str(caught.value)
    assert len(sleeps) == (2 if repeats else 0)
    assert len(connections) == (0 if treat is None else 3 if repeats else 1)
    assert caught.value.sent == (treat is not None)
    assert ("whether the request took effect is not known" in str(caught.value)) == (not repeats)


def test_a_server_that_never_answers_is_left_after_the_timeout(serve, make_client):
    over = threading.Event()
    url = f"http://127.0.0.1:{serve(lambda connection: over.wait(10))}"
    try:
        with pytest.raises(EceConnectionError, match="no complete answer within timeout, which is 0.1 seconds"):
            make_client(url, retries=0, timeout=0.1).platform()
    finally:
        over.set()


def test_an_answer_that_is_cut_off_is_asked_for_again(serve, make_client):
    treatments = [cut, answer(json.dumps(PLATFORM).encode())]
    port = serve(lambda connection: treatments.pop(0)(connection))
    assert make_client(f"http://127.0.0.1:{port}").platform() == PLATFORM


def test_the_next_coordinator_is_asked_when_one_closes_connections(serve, make_client, closed_port):
    port = serve(answer(json.dumps(PLATFORM).encode()))
    for bad in (f"https://127.0.0.1:{closed_port}", f"https://127.0.0.1:{serve(close)}"):
        client = make_client(bad, f"http://127.0.0.1:{port}", retries=0)
        assert client.platform() == PLATFORM
        assert client.url == f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    "url",
    [
        "https://",
        "https://[::1",
        "https://h:port",
        "https://h:99999",
        "https://a b",
        "https://.x",
        "https://" + "a" * 64 + ".example",
        "gopher://x",
        "x",
    ],
)
def test_an_unusable_address_is_named(make_client, url):
    with pytest.raises(EceError, match="is not a usable address.*use one like https://"):
        make_client(url, retries=0).platform()


# -- timeouts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("timeout", "pair"), [(30, (10, 30)), (3600, (10, 3600)), (10, (10, 10)), (3, (3, 3)), (0.5, (0.5, 0.5))]
)
def test_every_request_has_a_timeout_to_connect_and_one_to_answer(ece, make_client, timeout, pair):
    ece.expect("GET", "/platform", status=401, json=DENIED)
    ece.expect("POST", LOGIN, json={"token": "t"}, sends=LOGIN_BODY)
    ece.expect("GET", "/platform", json=PLATFORM)
    ece.expect("DELETE", TOKENS + "/x", json={})
    client = make_client(username=USERNAME, password=PASSWORD, timeout=timeout)
    client.platform()
    client.delete_enrollment_token("x")
    assert [request.req_kwargs["timeout"] for request in ece.requests] == [pair] * 4


def test_a_limit_is_named_as_the_user_sets_it(ece, make_client):
    ece.expect("GET", "/platform", body=read_timeout())
    with pytest.raises(EceConnectionError, match="within ece_timeout, which is 30 seconds"):
        make_client(retries=0, option_prefix="ece_").platform()


SLOW = {"head": b"HTTP/1.1 200 OK\r\nX-Slow: ", "body": b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"}


@pytest.mark.parametrize("part", SLOW)
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_sends_byte_by_byte_is_left_after_the_timeout(serve, trust, make_client, scheme, method, part):
    over = threading.Event()

    def drip(connection):
        read_request(connection)
        connection.sendall(SLOW[part])
        while not over.wait(0.05):
            connection.sendall(b"x")

    url = trust.server(treat=drip) if scheme == "https" else f"http://127.0.0.1:{serve(drip)}"
    began = time.monotonic()
    try:
        with pytest.raises(EceConnectionError, match="no complete answer within timeout, which is 0.5") as caught:
            make_client(url, retries=0, timeout=0.5, ca_path=str(trust.ours)).request(method, "/x")
    finally:
        over.set()
    assert 0.4 < time.monotonic() - began < 5
    assert caught.value.sent


def test_an_answer_whose_end_is_the_end_of_the_connection_is_not_taken_for_complete_when_the_time_is_over(
    serve, make_client
):
    over = threading.Event()

    def drip(connection):
        read_request(connection)
        connection.sendall(b'HTTP/1.0 200 OK\r\n\r\n{"version": "3.8.0"}')
        while not over.wait(0.05):
            connection.sendall(b" ")

    try:
        with pytest.raises(EceConnectionError, match="no complete answer within timeout, which is 0.5"):
            make_client(f"http://127.0.0.1:{serve(drip)}", retries=0, timeout=0.5).platform()
    finally:
        over.set()


def test_a_request_within_the_time_leaves_its_connection_to_the_next_one(serve, make_client):
    connections = []

    def keep(connection):
        connections.append(connection)
        body = json.dumps(PLATFORM).encode()
        for _ in range(2):
            read_request(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    client = make_client(f"http://127.0.0.1:{serve(keep)}", retries=0, timeout=0.3)
    client.platform()
    time.sleep(0.4)
    assert client.platform() == PLATFORM
    assert len(connections) == 1


# -- proxies, against real sockets -----------------------------------------------------------------------------------


def refuse(line):
    """Return a function that answers whatever comes with this status line."""

    def treat(connection):
        read_request(connection)
        connection.sendall(b"HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % line.encode())

    return treat


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (None, "cannot be reached (connection refused)"),
        ("407 Proxy Authentication Required", "answered 407 Proxy Authentication Required"),
        ("403 Forbidden", "answered 403 Forbidden"),
        ("502 Bad Gateway", "answered 502 Bad Gateway"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_proxy_that_does_not_open_the_way_is_named_and_nothing_was_sent(
    serve, make_client, environment, closed_port, sleeps, line, problem, method
):
    port = serve(refuse(line)) if line else closed_port
    client = make_client("https://ece.invalid:12443", retries=1)
    environment.setenv("https_proxy", f"http://us%65r:geheim@127.0.0.1:{port}")
    with pytest.raises(EceConnectionError) as caught:
        client.request(method, "/x")
    assert (
        str(caught.value) == f"no coordinator can be reached (https://ece.invalid:12443: "
        f"the proxy http://127.0.0.1:{port} (https_proxy) {problem}; "
        "if ece.invalid is reached without a proxy, add it to no_proxy)"
    )
    assert not caught.value.sent
    assert len(sleeps) == 1, "a request that was never sent is tried again"


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_the_variable_of_the_proxy_is_named(make_client, environment, closed_port, variable):
    client = make_client("http://ece.invalid:12400", retries=0)
    environment.setenv(variable, f"http://127.0.0.1:{closed_port}")
    with pytest.raises(EceConnectionError, match=rf"the proxy http://127.0.0.1:{closed_port} \({variable}\) cannot be"):
        client.platform()


def test_a_proxy_of_a_request_without_tls_that_asks_for_credentials_is_named(serve, make_client, environment):
    port = serve(refuse("407 Proxy Authentication Required"))
    client = make_client("http://ece.invalid:12400", retries=0)
    environment.setenv("http_proxy", f"http://127.0.0.1:{port}")
    with pytest.raises(EceApiError, match=rf"the proxy http://127.0.0.1:{port} \(http_proxy\) asks for credentials"):
        client.platform()


@pytest.mark.parametrize(
    "proxy",
    [
        "http://me:geheim@[::1",
        "http://me:geheim@h:port",
        "http://",
        "socks5://me:geheim@h",
        "ftp://me:geheim@h",
        "a:b:c",
    ],
)
def test_an_unusable_address_of_a_proxy_is_not_taken_for_one_of_the_coordinator(make_client, environment, proxy):
    client = make_client(retries=0)
    environment.setenv("https_proxy", proxy)
    with pytest.raises(
        EceError, match=r"the proxy .* \(https_proxy\) cannot be used: correct its address, or "
    ) as caught:
        client.platform()
    assert "geheim" not in str(caught.value)


def test_no_proxy_leaves_the_proxy_out(serve, make_client, environment, closed_port):
    port = serve(answer(json.dumps(PLATFORM).encode()))
    client = make_client(f"http://127.0.0.1:{port}", retries=0)
    environment.setenv("http_proxy", f"http://127.0.0.1:{closed_port}")
    environment.setenv("no_proxy", "127.0.0.1")
    assert client.platform() == PLATFORM


# -- several coordinators --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [refused, connect_timeout, reset, read_timeout])
def test_a_read_goes_to_the_next_coordinator_and_stays_there(ece, make_client, sleeps, error):
    ece.expect("GET", "/platform", body=error())
    ece.expect("GET", "/platform", json=PLATFORM, url=OTHER_URL)
    ece.expect("GET", RUNNERS, json={"runners": []}, url=OTHER_URL)
    client = make_client(URL, OTHER_URL + "/")
    assert client.url == URL
    client.platform()
    client.runners()
    assert client.url == OTHER_URL
    assert sleeps == [], "the next coordinator is asked at once"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("error", [refused, connect_timeout])
def test_a_write_goes_to_the_next_coordinator_if_no_connection_was_made(ece, make_client, method, error):
    ece.expect(method, "/x", body=error())
    ece.expect(method, "/x", json={"done": True}, url=OTHER_URL)
    assert make_client(URL, OTHER_URL).request(method, "/x") == {"done": True}


@pytest.mark.parametrize("error", [reset, read_timeout])
def test_a_post_that_was_sent_is_not_sent_to_another_coordinator(ece, make_client, error):
    ece.expect("POST", "/x", body=error())
    with pytest.raises(EceConnectionError, match="whether the request took effect is not known") as caught:
        make_client(URL, OTHER_URL).request("POST", "/x")
    assert caught.value.sent


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("error", [reset, read_timeout])
def test_what_may_be_repeated_goes_to_the_next_coordinator(ece, make_client, method, error):
    ece.expect(method, "/x", body=error())
    ece.expect(method, "/x", json={"done": True}, url=OTHER_URL)
    assert make_client(URL, OTHER_URL).request(method, "/x") == {"done": True}


def test_all_coordinators_are_asked_in_each_try_and_named_in_the_error(ece, make_client, sleeps):
    for _ in range(3):
        ece.expect("GET", "/platform", body=refused())
        ece.expect("GET", "/platform", body=connect_timeout(), url=OTHER_URL)
    with pytest.raises(EceConnectionError) as caught:
        make_client(URL, OTHER_URL, retries=2).platform()
    assert (
        str(caught.value)
        == f"no coordinator can be reached ({URL}: connection refused; {OTHER_URL}: no connection within 10 seconds: "
        "is the address right, and does a firewall let it through?)"
    )
    assert len(sleeps) == 2


@pytest.mark.parametrize("fault", [reset, read_timeout])
@pytest.mark.parametrize("other", [refused, reset])
def test_a_coordinator_that_was_reached_is_not_said_to_be_out_of_reach(ece, make_client, fault, other):
    ece.expect("GET", "/platform", body=fault())
    ece.expect("GET", "/platform", body=other(), url=OTHER_URL)
    with pytest.raises(EceConnectionError) as caught:
        make_client(URL, OTHER_URL, retries=0).platform()
    assert str(caught.value).startswith(f"no coordinator gave a complete answer ({URL}: "), caught.value
    assert f"; {OTHER_URL}: " in str(caught.value) and caught.value.sent


UNAVAILABLE = {
    "502": {"status": 502, "body": "<html>Bad Gateway</html>"},
    "503": {"status": 503, "json": failed("root.unavailable")},
    "504": {"status": 504},
    "not ready, 500": {"status": 500, "json": failed(NOT_READY)},
    "not ready, 404": {"status": 404, "json": failed(NOT_READY)},
    "not ready, second error": {
        "status": 500,
        "json": {"errors": [*failed("root.internal")["errors"], *failed(NOT_READY)["errors"]]},
    },
    "page, 404": {"status": 404, "body": "default backend - 404"},
    "page, 200": {"body": "<html>Maintenance</html>"},
    "redirect": {"status": 302, "headers": {"Location": "https://sso.example.com"}},
}


@pytest.mark.parametrize("fault", UNAVAILABLE)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_the_next_coordinator_is_asked_at_once_when_one_does_not_answer_as_one_that_is_ready(
    ece, make_client, sleeps, fault, method
):
    ece.expect(method, "/x", **UNAVAILABLE[fault])
    ece.expect(method, "/x", json={"done": True}, url=OTHER_URL)
    ece.expect(method, "/x", json={"done": True}, url=OTHER_URL)
    client = make_client(URL, OTHER_URL)
    assert client.request(method, "/x") == {"done": True}
    assert sleeps == []
    client.request(method, "/x")
    assert client.url == OTHER_URL


@pytest.mark.parametrize("fault", UNAVAILABLE)
def test_a_post_is_not_sent_to_the_next_coordinator_after_an_answer(ece, make_client, sleeps, fault):
    ece.expect("POST", "/x", **UNAVAILABLE[fault])
    with pytest.raises(EceError):
        make_client(URL, OTHER_URL).request("POST", "/x")
    assert sleeps == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500])
def test_what_the_api_itself_answers_is_not_asked_of_the_next_coordinator(ece, make_client, status):
    ece.expect("GET", "/x", status=status, json=failed("some.code"))
    with pytest.raises(EceApiError, match="some.code"):
        make_client(URL, OTHER_URL, retries=0).request("GET", "/x")


@pytest.mark.parametrize("fault", ["502", "503", "504", "not ready, 500", "not ready, 404"])
def test_after_all_coordinators_were_asked_there_is_a_pause_and_they_are_asked_again(ece, make_client, sleeps, fault):
    ece.expect("GET", "/x", **UNAVAILABLE[fault])
    ece.expect("GET", "/x", body=refused(), url=OTHER_URL)
    ece.expect("GET", "/x", **UNAVAILABLE[fault])
    ece.expect("GET", "/x", json={"done": True}, url=OTHER_URL)
    assert make_client(URL, OTHER_URL, retries=1).request("GET", "/x") == {"done": True}
    assert sleeps == [0.5]


@pytest.mark.parametrize("first", ["page, 404", "refused"])
def test_the_error_of_several_coordinators_says_what_each_did_and_is_one_that_may_pass(ece, make_client, first):
    ece.expect("GET", "/x", **({"body": refused()} if first == "refused" else UNAVAILABLE[first]))
    ece.expect("GET", "/x", status=503, json=failed("root.unavailable"), url=OTHER_URL)
    with pytest.raises(EceApiError) as caught:
        make_client(URL, OTHER_URL, retries=0).request("GET", "/x")
    assert (caught.value.status, caught.value.code) == (503, "root.unavailable")
    assert str(caught.value).startswith(f"GET {OTHER_URL}/api/v1/x answered HTTP 503: a message of the API")
    assert f"{URL}: connection refused" in str(caught.value) or f"GET {URL}/api/v1/x answered" in str(caught.value)


def test_the_first_coordinator_is_asked_again_when_the_preferred_one_is_gone(ece, make_client):
    ece.expect("GET", "/platform", body=refused())
    ece.expect("GET", "/platform", json=PLATFORM, url=OTHER_URL)
    ece.expect("GET", "/platform", body=refused(), url=OTHER_URL)
    ece.expect("GET", "/platform", json=PLATFORM)
    client = make_client(URL, OTHER_URL)
    client.platform()
    client.platform()
    assert client.url == URL


# -- retries ---------------------------------------------------------------------------------------------------------

TRANSIENT = {
    "refused": {"body": refused()},
    "connect timeout": {"body": connect_timeout()},
    "reset": {"body": reset()},
    "read timeout": {"body": read_timeout()},
    "429": {"status": 429, "json": failed("root.too_many_requests")},
    "502": {"status": 502, "body": "<html>Bad Gateway</html>"},
    "503": {"status": 503},
    "504": {"status": 504, "json": {"error": "upstream"}},
    "not ready, 500": {"status": 500, "json": failed(NOT_READY)},
    "not ready, 404": {"status": 404, "json": failed(NOT_READY)},
    "not ready, 400": {"status": 400, "json": failed(NOT_READY)},
}


@pytest.mark.parametrize("fault", TRANSIENT)
def test_a_read_is_repeated_until_it_succeeds(ece, make_client, sleeps, fault):
    for _ in range(3):
        ece.expect("GET", "/platform", **TRANSIENT[fault])
    ece.expect("GET", "/platform", json=PLATFORM)
    assert make_client(retries=3).platform() == PLATFORM
    assert sleeps == [0.5, 1, 2]


@pytest.mark.parametrize("retries", [0, 1])
@pytest.mark.parametrize("fault", TRANSIENT)
def test_a_read_is_repeated_as_often_as_asked(ece, make_client, fault, retries):
    for _ in range(retries + 1):
        ece.expect("GET", "/platform", **TRANSIENT[fault])
    with pytest.raises(EceError):
        make_client(retries=retries).platform()


@pytest.mark.parametrize("fault", sorted(set(TRANSIENT) - {"refused", "connect timeout"}))
def test_a_post_that_was_sent_is_never_repeated(ece, make_client, sleeps, fault):
    ece.expect("POST", "/x", **TRANSIENT[fault])
    with pytest.raises(EceError):
        make_client(retries=3).request("POST", "/x")
    assert sleeps == []


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("fault", TRANSIENT)
def test_a_write_that_has_the_same_effect_each_time_is_repeated(ece, make_client, sleeps, method, fault):
    ece.expect(method, "/x", **TRANSIENT[fault])
    ece.expect(method, "/x", json={"done": True})
    assert make_client(retries=3).request(method, "/x") == {"done": True}
    assert sleeps == [0.5]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("fault", ["refused", "connect timeout"])
def test_a_write_for_which_no_connection_was_made_is_repeated(ece, make_client, sleeps, method, fault):
    ece.expect(method, "/x", **TRANSIENT[fault])
    ece.expect(method, "/x", **TRANSIENT[fault])
    ece.expect(method, "/x", json={"done": True})
    assert make_client(retries=2).request(method, "/x") == {"done": True}
    assert sleeps == [0.5, 1]


def test_a_write_that_reaches_no_coordinator_was_not_sent(ece, make_client):
    ece.expect("POST", "/x", body=refused())
    with pytest.raises(EceConnectionError) as caught:
        make_client(retries=0).request("POST", "/x")
    assert not caught.value.sent


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 417, 449, 500, 501])
def test_an_error_that_will_not_pass_is_not_repeated(ece, make_client, status):
    ece.expect("GET", "/platform", status=status, json=failed("some.code"))
    with pytest.raises(EceApiError):
        make_client(retries=3).platform()


@pytest.mark.parametrize(
    ("asked", "slept"),
    [
        ("7", 7),
        ("0", 0),
        ("59", 59),
        ("100000", 60),
        ("soon", 0.5),
        ("-5", 0.5),
        ("1.5", 0.5),
        ("", 0.5),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured_within_reason(ece, make_client, sleeps, status, asked, slept):
    ece.expect("GET", "/platform", status=status, headers={"Retry-After": asked})
    ece.expect("GET", "/platform", json=PLATFORM)
    make_client().platform()
    assert sleeps == [slept]


def test_retry_after_may_be_a_date(ece, make_client, sleeps):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=30)
    ece.expect("GET", "/platform", status=429, headers={"Retry-After": format_datetime(at, usegmt=True)})
    ece.expect("GET", "/platform", json=PLATFORM)
    make_client().platform()
    assert 25 < sleeps[0] <= 30


def test_pauses_grow_up_to_a_limit_and_start_again_with_the_next_request(ece, make_client, sleeps):
    client = make_client(retries=8)
    for _ in range(8):
        ece.expect("GET", "/platform", status=503)
    ece.expect("GET", "/platform", json=PLATFORM)
    client.platform()
    assert sleeps == [0.5, 1, 2, 4, 8, 16, 20, 20]
    ece.expect("GET", "/platform", status=503)
    ece.expect("GET", "/platform", json=PLATFORM)
    client.platform()
    assert sleeps[8:] == [0.5]


# -- answers that the API does not send ------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_redirects_are_not_followed_with_credentials(ece, make_client, method, status):
    ece.expect(
        method,
        "/x",
        status=status,
        headers={"Location": "https://user:word@elsewhere.example.com:8443/api/v1/x?token=1"},
    )
    with pytest.raises(EceProtocolError) as caught:
        make_client().request(method, "/x")
    assert f"{method} {URL}/api/v1/x was redirected to elsewhere.example.com:8443 (HTTP {status})" in str(caught.value)
    assert "word" not in str(caught.value)


@pytest.mark.parametrize("location", [None, "", "/login", "https://[broken", "https://", "?"])
def test_a_redirect_without_a_target_is_reported_as_well(ece, make_client, location):
    ece.expect("GET", "/platform", status=302, headers={"Location": location} if location is not None else None)
    with pytest.raises(EceProtocolError, match="redirected to another address"):
        make_client().platform()


BODIES = {
    "HTML": ("\n  <html><head>Please log in</head>\n<body>...", "<html><head>Please log in</head>"),
    "broken JSON": ('{"version": 3.8.0}', '{"version": 3.8.0}'),
    "truncated": ('{"version": "3.8.0", "regi', '{"version": "3.8.0", "regi'),
    "empty": ("", "an empty body"),
    "blank": (" \r\n ", "an empty body"),
    "long": ("x" * 5000 + "END", "x" * 200),
}


@pytest.mark.parametrize("body", BODIES)
def test_a_reply_that_is_not_json_is_an_error_with_url_and_first_line(ece, make_client, body):
    sent, line = BODIES[body]
    ece.expect("GET", "/platform", body=sent)
    with pytest.raises(EceProtocolError) as caught:
        make_client().platform()
    assert f"GET {URL}/api/v1/platform answered HTTP 200" in str(caught.value)
    assert line in str(caught.value)
    assert "END" not in str(caught.value)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("status", [400, 500])
def test_an_error_that_is_not_json_has_url_and_first_line_too(ece, make_client, body, status):
    sent, line = BODIES[body]
    ece.expect("GET", "/platform", status=status, body=sent)
    with pytest.raises(EceApiError) as caught:
        make_client().platform()
    assert f"GET {URL}/api/v1/platform answered HTTP {status}" in str(caught.value)
    assert line in str(caught.value)
    assert (caught.value.status, caught.value.code, caught.value.fields, caught.value.errors) == (status, None, [], [])


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("status", [200, 202, 204])
def test_a_write_may_be_answered_with_nothing(ece, make_client, method, status):
    ece.expect(method, "/x", status=status)
    assert make_client().request(method, "/x") is None


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_write_answered_with_html_is_an_error(ece, make_client, method):
    ece.expect(method, "/x", body="<html>")
    with pytest.raises(EceProtocolError, match="<html>"):
        make_client().request(method, "/x")


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize(
    "body", [{"error": "no backend is there"}, failed("x.y", "no backend is there")], ids=["error", "errors"]
)
def test_an_error_in_another_format_is_reported_with_its_message_whatever_its_status(ece, make_client, body, status):
    ece.expect("GET", "/platform", status=status, json=body)
    with pytest.raises(EceError, match="no backend is there") as caught:
        make_client().platform()
    assert URL in str(caught.value)


@pytest.mark.parametrize("charset", ["idna", "undefined", "base64", "no such"])
@pytest.mark.parametrize("status", [200, 502])
def test_a_web_page_in_an_odd_charset_is_an_error_with_its_first_line(ece, make_client, status, charset):
    ece.expect(
        "POST", "/x", status=status, body="<html>down", headers={"Content-Type": f"text/html; charset={charset}"}
    )
    with pytest.raises(EceError, match="<html>down"):
        make_client().request("POST", "/x")


@pytest.mark.parametrize("status", [200, 500])
def test_endless_nesting_is_an_error(ece, make_client, status):
    ece.expect("GET", "/platform", status=status, body="[" * 100_000)
    with pytest.raises(EceError, match=f"HTTP {status}"):
        make_client().platform()


@pytest.mark.parametrize("token", ["a\nb", "ä", "\ud800", " \t"])
def test_a_login_token_that_no_header_takes_is_an_error_without_it(ece, user, token):
    ece.expect("GET", "/platform", status=401, json=DENIED)
    ece.expect("POST", LOGIN, body=json.dumps({"token": token}), sends=LOGIN_BODY)
    with pytest.raises(EceProtocolError, match="answered without a token$"):
        user.platform()


# -- errors of the API -----------------------------------------------------------------------------------------------


def test_an_error_is_one_line_whatever_the_api_says(ece, make_client):
    ece.expect("POST", "/x", status=400, json=failed("some.code", "first\nsecond\u2028third\x85fourth"))
    with pytest.raises(EceApiError, match="first second third fourth"):
        make_client().request("POST", "/x")


CONTROLS = "\x1b[2J\x1b]0;title\x07a\x9b1A\x00b\x7f\x08"


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        ({"version": CONTROLS}, 200),
        (failed("c" + CONTROLS, "m" + CONTROLS, fields=[CONTROLS]), 400),
        ({"error": CONTROLS}, 500),
    ],
    ids=["name", "errors", "error"],
)
@pytest.mark.parametrize("as_ascii", [True, False], ids=["escaped", "UTF-8"])
def test_no_text_of_the_platform_has_control_sequences(ece, make_client, reply, status, as_ascii):
    ece.expect("GET", "/platform", status=status, body=json.dumps(reply, ensure_ascii=as_ascii))
    shown = ""
    try:
        shown = make_client(retries=0).platform()["version"]
    except EceApiError as error:
        shown = str(error) + "".join(error.fields) + "".join(one["code"] + one["message"] for one in error.errors)
    assert "ab" in shown
    assert shown.isprintable()
    assert "title" not in shown


@pytest.mark.parametrize(
    "character", [chr(code) for code in range(0x2100) if plain(chr(code)) != chr(code)] + ["\ud800"]
)
def test_no_character_that_is_not_plain_is_left_in_a_reply(ece, make_client, character):
    for escaped in (True, False) if character != "\ud800" else (True,):
        ece.expect("GET", "/platform", body=json.dumps({"version": f"a{character}b"}, ensure_ascii=escaped))
        assert make_client().platform()["version"] == plain(f"a{character}b")


def test_a_text_in_another_encoding_has_none_either(ece, make_client):
    ece.expect("GET", "/platform", body=json.dumps({"version": "a\x9bb"}, ensure_ascii=False).encode("utf-16"))
    assert make_client().platform()["version"] == "a"


def test_a_web_page_has_no_control_sequences_either(ece, make_client):
    ece.expect("GET", "/platform", status=500, body="\x1b[31m\n\x1b[0mdown\x07")
    with pytest.raises(EceApiError, match=r"answered HTTP 500: down$"):
        make_client().platform()


def test_texts_of_several_lines_stay_as_they_are(ece, make_client):
    ece.expect("GET", "/platform", json={"version": "3.8.0", "text": "a\n\tb\u00a0c\x1b[0m"})
    assert make_client().platform()["text"] == "a\n\tb\u00a0c"


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ({"status": 401, "json": DENIED}, "check ece_api_key, or ece_username and ece_password"),
        ({"status": 302, "headers": {"Location": "https://x.example.com"}}, "own address as ece_url"),
        ({"json": {}}, "is ece_url a coordinator of ECE?"),
    ],
)
def test_messages_name_the_options_as_the_user_set_them(ece, make_client, reply, message):
    ece.expect("GET", "/platform", **reply)
    with pytest.raises(EceError) as caught:
        make_client(option_prefix="ece_").platform()
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        {"message": [PASSWORD]},
        {"message": {"sent": {PASSWORD: PASSWORD}}},
        {"message": "m", "fields": [PASSWORD], "more": {"a": [PASSWORD]}},
        {"message": json.dumps({"password": PASSWORD})},
    ],
    ids=["list", "object", "other members", "JSON in a text"],
)
def test_a_password_is_masked_wherever_an_error_has_it(ece, user, error):
    ece.expect("POST", "/x", status=400, json={"errors": [{"code": "c", **error}]})
    with pytest.raises(EceApiError) as caught:
        user.request("POST", "/x")
    shown = str(caught.value) + json.dumps(caught.value.errors) + json.dumps(caught.value.fields)
    assert "********" in shown
    assert not [
        spelling
        for spelling in (PASSWORD, json.dumps(PASSWORD)[1:-1], json.dumps(json.dumps(PASSWORD))[3:-3])
        if spelling in shown
    ]


@pytest.mark.parametrize(
    "body", [json.dumps({"message": PASSWORD}), json.dumps({"detail": json.dumps(PASSWORD)}), f"no: {PASSWORD}"]
)
def test_a_password_is_masked_in_an_error_of_an_unknown_shape(ece, user, body):
    ece.expect("POST", "/x", status=400, body=body)
    with pytest.raises(EceApiError, match=r"\*{8}") as caught:
        user.request("POST", "/x")
    assert "must/not show" not in str(caught.value)


def test_an_error_with_endless_nesting_is_cut(ece, make_client):
    message = "end"
    for _level in range(200):
        message = [message]
    ece.expect("POST", "/x", status=400, json={"errors": [{"code": "c", "message": message}]})
    with pytest.raises(EceApiError) as caught:
        make_client().request("POST", "/x")
    assert "end" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (400, EceApiError, ""),
        (401, EceAuthError, "the credentials were refused"),
        (403, EceAuthError, "this user may not do that"),
        (404, EceApiError, ""),
        (409, EceApiError, ""),
        (417, EceApiError, ""),
        (449, EceAuthError, "elevated permissions, which platforms before 3.7 ask for"),
        (500, EceApiError, ""),
    ],
)
def test_an_error_is_typed_by_status_and_carries_code_message_and_fields(ece, make_client, status, kind, message):
    errors = [
        {"code": "one.code", "message": "first", "fields": ["a", "b.c"]},
        {"code": "two.code", "message": "second"},
    ]
    ece.expect("GET", "/x", status=status, json={"errors": errors})
    with pytest.raises(EceApiError) as caught:
        make_client().request("GET", "/x", params=None)
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.code, error.fields, error.errors) == (status, "one.code", ["a", "b.c"], errors)
    assert str(error).startswith(f"GET {URL}/api/v1/x answered HTTP {status}: ")
    assert message in str(error)
    assert "first (one.code); second (two.code)" in str(error)


def test_only_the_code_of_the_operation_says_that_an_object_does_not_exist(ece, make_client):
    for code in ("things.not_found", "other.not_found", "root.resource_not_found"):
        ece.expect("GET", "/x", status=404, json=failed(code))
    client = make_client()
    with pytest.raises(EceNotFound):
        client.request("GET", "/x", absent="things.not_found")
    for _ in range(2):
        with pytest.raises(EceApiError) as caught:
            client.request("GET", "/x", absent="things.not_found")
        assert type(caught.value) is EceApiError


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("", "an empty body"),
        ("null", "null"),
        ('{"message": "no Route matched"}', '{"message": "no Route matched"}'),
        ('{"ok": false}', '{"ok": false}'),
        ('{"errors": [{"message": "no such page"}]}', "no such page"),
        ("<html>404</html>", "<html>404</html>"),
    ],
)
def test_a_404_without_a_code_of_the_api_is_no_answer_of_a_coordinator(ece, make_client, body, shown):
    ece.expect("DELETE", "/x", status=404, body=body)
    with pytest.raises(EceApiError) as caught:
        make_client(option_prefix="ece_").request("DELETE", "/x", absent="things.not_found")
    assert not isinstance(caught.value, EceNotFound)
    sentence = f"DELETE {URL}/api/v1/x answered HTTP 404: no API of a coordinator answered there ("
    assert str(caught.value).startswith(sentence)
    assert shown in str(caught.value)
    assert str(caught.value).endswith("); is ece_url a coordinator of ECE?")


LOST = {
    "reset": {"body": reset()},
    "read timeout": {"body": read_timeout()},
    "502": {"status": 502},
    "web page": {"body": "<html>"},
}
NO_EFFECT = {
    "refused": {"body": refused()},
    "not ready": {"status": 503, "json": failed(NOT_READY)},
    "429": {"status": 429, "json": failed("root.too_many_requests")},
}


@pytest.mark.parametrize("earlier", [*LOST, *NO_EFFECT])
def test_what_is_gone_after_a_lost_answer_may_have_been_deleted_by_that_request(ece, make_client, earlier):
    ece.expect("DELETE", "/x", **{**LOST, **NO_EFFECT}[earlier])
    ece.expect("DELETE", "/x", status=404, json=failed("gone"), url=URL if earlier == "429" else OTHER_URL)
    with pytest.raises(EceNotFound) as caught:
        make_client(URL, OTHER_URL).request("DELETE", "/x", absent="gone")
    assert caught.value.maybe_deleted is (earlier in LOST)


def test_the_query_is_not_part_of_an_error(ece, make_client):
    ece.expect("GET", "/x", status=400, query={"q": "secret"})
    with pytest.raises(EceApiError) as caught:
        make_client().request("GET", "/x", params={"q": "secret"})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "reply",
    [
        {"status": 500, "body": "<html>{}"},
        {"status": 500, "json": {"error": "{}"}},
        {"status": 500, "json": failed("x", "{}", fields=["f"])},
        {"body": "{} is not JSON"},
    ],
    ids=["page", "error", "errors", "200"],
)
@pytest.mark.parametrize("at", [0, 185], ids=["in full", "at the cut"])
def test_secrets_are_masked_in_whatever_a_server_repeats(ece, make_client, reply, at):
    text = "x" * at + API_KEY
    ece.expect("GET", "/platform", **json.loads(json.dumps(reply).replace("{}", text)))
    with pytest.raises(EceError) as caught:
        make_client(retries=0).platform()
    shown = str(caught.value) + repr(getattr(caught.value, "errors", ""))
    assert API_KEY[:5] not in shown
    assert "****" in shown
