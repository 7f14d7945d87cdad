# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""One request to one address, over requests: a limit for its whole time, and the reason why there is no answer.

It knows nothing of ECE and nothing of Ansible.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import weakref
from types import TracebackType
from typing import Any, Callable, NamedTuple
from urllib.parse import urlsplit

try:
    import requests
    from requests import Session
    from requests.adapters import HTTPAdapter
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
    from urllib3.util import parse_url

    REQUESTS_IMPORT_ERROR: ImportError | None = None
except ImportError as import_error:
    REQUESTS_IMPORT_ERROR = import_error
    Session = HTTPAdapter = object  # type: ignore[assignment, misc]

# The thread that limits the time of a request. It ends with the request, and knows sockets only.
LIMIT_THREAD = "time limit of a request"
CONNECT_SECONDS = 10
# How often a connection that is over its time is ended again: it may have been opened only then.
END_AGAIN_SECONDS = 0.1
# What http.client says when a proxy does not open the way to the coordinator.
TUNNEL_FAILED = "Tunnel connection failed: "
KNOWN_REASONS = {
    "Connection refused": "connection refused",
    "Connection reset by peer": "connection reset by peer",
    "EOF occurred": "connection closed during TLS",
    "IncompleteRead": "the answer was cut off",
    "Name or service not known": "name or service not known",
    "Network is unreachable": "network is unreachable",
    "No route to host": "no route to host",
    "Remote end closed connection": "remote end closed connection",
}


class Limits(NamedTuple):
    """Seconds until a connection has to be made, and until the answer has to be complete.

    option: the user's name for the latter, which also limits the former where it is less than CONNECT_SECONDS.
    """

    connect: float
    answer: float
    option: str


def limits(seconds: float, option: str) -> Limits:
    """Return the limits of a request to whose answer the user gives this time."""
    return Limits(min(CONNECT_SECONDS, seconds), seconds, option)


class LimitedSession(Session):
    """A session in which no request takes longer than `seconds` once it has a connection.

    The timeout of requests is one between two bytes, so a server that sends a byte now and then would never be left.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self._connections = _Connections()
        for prefix in ("https://", "http://"):
            self.mount(prefix, _Adapter(self._connections))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Name no target: requests prepares the next request even of a redirect that it must not follow."""

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Return the complete answer. Raises ReadTimeout if it takes too long."""
        with _TimeLimit(self._seconds, self._connections) as limit:
            try:
                response = super().send(request, **kwargs)
            except Exception as error:
                if not limit.over or never_connected(error):
                    raise
        if limit.over:
            raise requests.exceptions.ReadTimeout("the answer has no end", request=request)
        if _is_cut_off(response):
            raise requests.exceptions.ChunkedEncodingError("IncompleteRead", request=request)
        return response


def _is_cut_off(response: requests.Response) -> bool:
    """Return whether the body is shorter than it was announced, which requests itself checks since 2.32 only."""
    announced = response.headers.get("Content-Length", "")
    is_size = announced.isdecimal() and "Content-Encoding" not in response.headers
    return is_size and len(response.content) < int(announced)


class _Connections:
    """The connections of one session, and their sockets: an answer is read further after its connection is closed."""

    def __init__(self) -> None:
        self._connections: weakref.WeakSet[Any] = weakref.WeakSet()
        self._sockets: weakref.WeakSet[Any] = weakref.WeakSet()
        self._lock = threading.Lock()

    def connect(self, connection: Any, connect: Callable[[], None]) -> None:
        """Connect, in such a way that end() ends that as well."""
        with self._lock:
            self._connections.add(connection)
        connect()
        with self._lock:
            self._sockets.add(connection.sock)

    def end(self) -> None:
        """End all connections, so that no thread waits for one any longer."""
        with self._lock:
            opening = [connection.sock for connection in self._connections if connection.sock is not None]
            sockets = {*opening, *self._sockets}
        for one in sockets:
            with contextlib.suppress(OSError, TypeError):  # it is closed by now, or not a socket of Python's own
                socket.socket.shutdown(one, socket.SHUT_RDWR)

    def noting(self, pool: Any) -> Any:
        """Return a class of connection pools whose connections are noted here."""
        note, base = self.connect, pool.ConnectionCls

        def connect(connection: Any) -> None:
            note(connection, lambda: base.connect(connection))

        kind = type("NotedConnection", (base,), {"connect": connect})
        return type("NotingPool", (pool,), {"ConnectionCls": kind})


class _Adapter(HTTPAdapter):
    """An adapter that knows its connections."""

    def __init__(self, connections: _Connections) -> None:
        self._connections = connections
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": self._connections.noting(HTTPConnectionPool),
            "https": self._connections.noting(HTTPSConnectionPool),
        }

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        known = proxy in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not known:
            manager.pool_classes_by_scheme = {
                scheme: self._connections.noting(pool) for scheme, pool in manager.pool_classes_by_scheme.items()
            }
        return manager


class _TimeLimit:
    """Ends a session's connections when the time is over, until the request has ended."""

    def __init__(self, seconds: float, connections: _Connections) -> None:
        self.over = False
        self._seconds = seconds
        self._connections = connections
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> _TimeLimit:
        # Without a thread to spare, the timeout between two bytes remains.
        with contextlib.suppress(RuntimeError):
            thread = threading.Thread(target=self._watch, name=LIMIT_THREAD, daemon=True)
            thread.start()
            self._thread = thread
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._done.set()
        if self._thread:
            self._thread.join()  # a process with threads is not to be forked

    def _watch(self) -> None:
        pause = self._seconds
        while not self._done.wait(pause):
            self.over = True
            self._connections.end()
            pause = END_AGAIN_SECONDS


# -- why there is no answer ------------------------------------------------------------------------------------------


def never_connected(error: Exception) -> bool:
    """Return whether requests failed before the coordinator was reached, so that the request had no effect."""
    cause = _cause(error)
    return isinstance(cause, ConnectTimeoutError) or TUNNEL_FAILED in str(cause)


def reason(error: Exception, limits: Limits) -> str:
    """Return the innermost message of a requests exception, which itself prints as nested objects."""
    cause = _cause(error)
    text = str(cause)
    # A proxy's error is no Timeout of requests. Other errors of a connection are derived from that of its timeout.
    timed_out = isinstance(cause, ConnectTimeoutError) and not isinstance(cause, NewConnectionError)
    if isinstance(error, requests.exceptions.Timeout) or timed_out:
        return _no_connection(limits) if never_connected(error) else _no_answer(limits)
    for known, message in KNOWN_REASONS.items():
        if known in text:
            return message
    return text.split(": ", 1)[-1] if text else type(error).__name__


def _no_answer(limits: Limits) -> str:
    return (
        f"no complete answer within {limits.option}, which is {_seconds(limits.answer)}: give it more if the platform "
        "is slow"
    )


def _no_connection(limits: Limits) -> str:
    if limits.connect < CONNECT_SECONDS:
        return f"no connection within {limits.option}, which is {_seconds(limits.connect)}: give it more"
    return f"no connection within {_seconds(limits.connect)}: is the address right, and does a firewall let it through?"


def _seconds(number: float) -> str:
    return "1 second" if number == 1 else f"{number:g} seconds"


def _cause(error: Exception) -> Any:
    """Return what an exception of requests is about. One on a proxy holds the error that the proxy caused."""
    cause = error.args[0] if error.args else error
    cause = getattr(cause, "reason", cause)
    if isinstance(error, requests.exceptions.ProxyError) and len(getattr(cause, "args", ())) > 1:
        return cause.args[1]
    return cause


def is_usable(url: str) -> bool:
    """Return whether urllib3 can read the address."""
    try:
        parse_url(url)
    except ValueError:
        return False
    return True


# -- proxies ---------------------------------------------------------------------------------------------------------


def proxy_of(session: requests.Session, url: str) -> str | None:
    """Return the proxy for this address without its credentials and with its variable; None if there is none."""
    proxies = session.merge_environment_settings(url, {}, None, None, None)["proxies"]
    proxy = requests.utils.select_proxy(url, proxies)
    if not proxy:
        return None
    scheme = proxy.split("://", 1)[0] + "://" if "://" in proxy else ""
    address = proxy.split("://", 1)[-1].rpartition("@")[2].split("/")[0]
    wanted = urlsplit(url).scheme
    variables = [name for kind in (wanted, "all") for name in (f"{kind}_proxy", f"{kind}_proxy".upper())]
    variable = next((name for name in variables if os.environ.get(name)), None)
    return f"the proxy {scheme}{address} ({variable or 'of the system'})"


def proxy_problem(error: Exception, limits: Limits) -> str | None:
    """Return what a proxy did instead of passing on the request; None if it is not to blame."""
    text = str(_cause(error))
    if TUNNEL_FAILED in text:
        return f"answered {text.partition(TUNNEL_FAILED)[2]}"
    if not isinstance(error, requests.exceptions.ProxyError):
        return None
    why = reason(error, limits)
    return f"cannot be reached ({why})" if never_connected(error) else f"failed ({why})"


def without_proxy(url: str) -> str:
    """Return what to do where the address needs no proxy."""
    return f"if {urlsplit(url).hostname} is reached without a proxy, add it to no_proxy"
