# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ECE REST API over requests: authentication, TLS, retries, failover, paging, errors.

Knows HTTP and the API's paths, nothing of Ansible. Every failure leaves as an L(EceError); no other exception is part of the contract.
"""

from __future__ import annotations

import base64
import json as jsonlib
import time
from typing import Any, Callable, Iterator, Mapping, Sequence
from urllib.parse import quote, urlsplit

from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError

try:
    import requests
    from requests.auth import AuthBase
    from urllib3.exceptions import ConnectTimeoutError, LocationParseError
    from urllib3.util.retry import Retry

    REQUESTS_IMPORT_ERROR = None
except ImportError as import_error:
    REQUESTS_IMPORT_ERROR = import_error
    AuthBase = object

API_PREFIX = "/api/v1"
CONNECT_TIMEOUT_SECONDS = 10
RETRY_STATUS = (429, 502, 503, 504)
# What has the same effect however often it arrives. A POST is never repeated once it was sent: it may have minted a token.
REPEATABLE = ("GET", "PUT", "DELETE")
# Seen in the field while a coordinator starts; its HTTP status is not documented, so the code decides.
NOT_READY_CODE = "controller_route.controller_not_ready"
# A coordinator that asks for more patience than this is down as far as one play is concerned.
RETRY_AFTER_MAX_SECONDS = 60
BACKOFF_FACTOR_SECONDS = 0.5
BACKOFF_MAX_SECONDS = 20
ALLOCATOR_PAGE_SIZE = 1000
# A list that is longer has no end: two million allocators, and still twenty thousand where a server gives ten at a time.
PAGES_MAX = 2000
# An error of the API is an object in a list in an object; deeper than this there is nothing to read.
ERROR_DEPTH_MAX = 8

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

Json = Any


class EceError(PlatformError):
    """A request to the API failed. The message names the request."""


class EceConnectionError(EceError):
    """No usable answer arrived. C(sent) tells whether the request may have had its effect."""

    def __init__(self, message: str, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class EceProtocolError(EceError):
    """An answer arrived that is not what the API speaks: HTML, broken JSON, a redirect."""


class EceApiError(EceError):
    """The API answered with an error (BasicFailedReply)."""

    def __init__(
        self, message: str, status: int, code: str | None, fields: Sequence[str], errors: Sequence[Mapping[str, Any]]
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.fields = list(fields)
        self.errors = [dict(error) for error in errors]


class EceAuthError(EceApiError):
    """401, 403 or 449: who asks, or what he may do, is the problem."""


class EceNotFound(EceApiError):
    """404"""


class _HeaderAuth(AuthBase):
    """Sets the Authorization header as an auth object, because requests lets a ~/.netrc replace a plain header."""

    def __init__(self, value: str | None) -> None:
        self.value = value

    def __call__(self, request):
        if self.value is not None:
            request.headers["Authorization"] = self.value
        return request


def _basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


class EceClient:
    """One session with the coordinators of one platform.

    urls: base addresses like https://10.0.0.1:12443, tried in order when one cannot be reached.
    api_key, or username and password: exactly one kind. A user name is sent as HTTP basic; where a coordinator refuses
        that with 401, the client logs in once (POST /users/auth/_login) and goes on with the Bearer token.
    timeout: seconds without an answer. sleep: waits for so many seconds.
    retries: further tries of what may be repeated (GET, PUT, DELETE), and of connections that were never made.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        api_key: str | None = None,
        username: str | None = None,
        password: str | None = None,
        ca_path: str | None = None,
        validate_certs: bool = True,
        timeout: float = 30,
        retries: int = 3,
        user_agent: str = "ece.platform",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._urls = [url.rstrip("/") for url in urls]
        self._credentials = None if api_key else (username or "", password or "")
        self._auth = _HeaderAuth("ApiKey " + api_key if api_key else _basic(*self._credentials))
        given = api_key or password or ""
        # As JSON spells it too, also within a text of its own: an error may repeat the request.
        quoted = jsonlib.dumps(given)[1:-1]
        self._secrets = [
            secret
            for secret in (given, quoted, jsonlib.dumps(quoted)[1:-1], self._auth.value.split(" ", 1)[1])
            if secret
        ]
        # Given per request: REQUESTS_CA_BUNDLE, usual in execution environments, overrides the session's own value.
        self._verify: bool | str = (ca_path or True) if validate_certs else False
        self._timeout = (min(CONNECT_TIMEOUT_SECONDS, timeout), timeout)
        self._retry = Retry(
            total=retries, backoff_factor=BACKOFF_FACTOR_SECONDS, allowed_methods=None, status_forcelist=RETRY_STATUS
        )
        self.sleep = sleep
        self._session = requests.Session()
        # requests prepares the next request even of a redirect that it is told not to follow, and falls over an address that is none.
        self._session.get_redirect_target = lambda response: None
        self._session.headers.update({"Accept": "application/json", "User-Agent": user_agent})
        self.warnings: list[str] = []

    @property
    def url(self) -> str:
        """The coordinator that answered last (at first: the first one given)."""
        return self._urls[0]

    # -- requests ----------------------------------------------------------------------------------------------------

    def request(self, method: str, path: str, *, params: Mapping[str, Any] | None = None, body: Json = None) -> Json:
        """One API call. Returns the decoded reply; raises EceError."""
        try:
            return self._request(method, path, params, body)
        except EceAuthError as error:
            if error.status != 401 or not self._credentials:
                raise
            # Basic was refused, or the login has expired in the middle of a run: log in, once, and ask again.
            # A 401 never had an effect, so this is safe for every method.
            self._login(error)
            return self._request(method, path, params, body)

    def _login(self, refused: EceAuthError) -> None:
        username, password = self._credentials
        before, self._auth = self._auth, _HeaderAuth(None)
        try:
            reply = self._request("POST", "/users/auth/_login", None, {"username": username, "password": password})
        except EceApiError as error:
            # Where the log-in service itself is missing or ill (404, 501, 502), the first refusal is the better news.
            raise (refused if error.status in (401, 404, 501, 502) else error) from None
        finally:
            self._auth = before
        token = reply.get("token") if isinstance(reply, dict) else None
        if not token or not isinstance(token, str) or not (token.isascii() and token.isprintable()):
            raise EceProtocolError(f"POST {self.url}{API_PREFIX}/users/auth/_login answered without a token")
        self._secrets.append(token)
        self._auth = _HeaderAuth("Bearer " + token)

    def _request(self, method: str, path: str, params: Mapping[str, Any] | None, body: Json) -> Json:
        retry = self._retry.new()
        while True:
            response = None
            try:
                response = self._send(method, path, params, body)
                return self._decode(method, response)
            except EceConnectionError as error:
                if retry.total <= 0 or (error.sent and method not in REPEATABLE):
                    raise
            except EceApiError as error:
                passing = error.status in RETRY_STATUS or error.code == NOT_READY_CODE
                if retry.total <= 0 or not passing or method not in REPEATABLE:
                    raise
            retry = retry.new(total=retry.total - 1, history=retry.history + (None,))
            self.sleep(self._pause(retry, response))

    def _pause(self, retry, response) -> float:
        """Seconds before the next try: Retry-After where the coordinator gives it, else growing."""
        asked = response.headers.get("Retry-After") if response is not None else None
        if asked:
            try:
                return min(max(0, retry.parse_retry_after(asked)), RETRY_AFTER_MAX_SECONDS)
            except Exception:  # urllib3 names several types for a header it cannot read; the header is only a hint
                pass
        return min(BACKOFF_FACTOR_SECONDS * 2 ** (len(retry.history) - 1), BACKOFF_MAX_SECONDS)

    def _send(self, method: str, path: str, params: Mapping[str, Any] | None, body: Json) -> requests.Response:
        """Ask the coordinators in order until one can be reached, and remember that one for the next call."""
        failures = []
        for url in list(self._urls):
            try:
                response = self._session.request(
                    method,
                    url + API_PREFIX + path,
                    params=params,
                    data=jsonlib.dumps(body).encode() if body is not None else None,
                    headers={"Content-Type": "application/json"} if method != "GET" else None,
                    auth=self._auth,
                    verify=self._verify,
                    timeout=self._timeout,
                    allow_redirects=False,
                )
            except (
                requests.exceptions.InvalidURL,
                requests.exceptions.InvalidSchema,
                requests.exceptions.MissingSchema,
                LocationParseError,
            ) as error:
                raise EceError(
                    f"url {url}: not a usable address ({error}); give it like https://ece.example.com:12443"
                ) from None
            except OSError as error:  # every requests exception is one; also a ca_path that cannot be read
                if not isinstance(error, requests.RequestException):
                    raise EceError(
                        f"ca_path {self._verify}: {error.strerror or error}; give a readable file of CA certificates"
                    ) from None
                # A connection that ends during TLS is a coordinator that starts or ends, as behind a load balancer. All else about TLS
                # is no matter of reaching a host: the next coordinator would be asked for trust by the same mistake.
                if isinstance(error, requests.exceptions.SSLError) and "EOF occurred" not in str(error):
                    raise EceError(f"{method} {url}{API_PREFIX}{path}: {self._explain_tls(error)}") from None
                sent = not _never_connected(error)
                failures.append(f"{url}: {_reason(error)}")
                if sent and method not in REPEATABLE:
                    raise EceConnectionError(
                        f"{method} {url}{API_PREFIX}{path}: {_reason(error)}; whether the request took effect is not known",
                        sent=True,
                    ) from None
                continue
            self._prefer(url)
            return response
        raise EceConnectionError(f"no coordinator can be reached ({'; '.join(failures)})", sent=method in REPEATABLE)

    def _prefer(self, url: str) -> None:
        if self._urls[0] != url:
            self._urls.remove(url)
            self._urls.insert(0, url)

    def _explain_tls(self, error: Exception) -> str:
        text = str(error)
        if "NO_CERTIFICATE" in text or "PEM" in text:
            return f"ca_path {self._verify} holds no CA certificate: give a file of them in PEM form"
        if "CERTIFICATE_VERIFY_FAILED" not in text and "certificate" not in text.lower():
            return f"TLS failed: {_reason(error)}"
        if "expired" in text:
            return "the coordinator's certificate has expired; renew it on the platform"
        if "doesn't match" in text or "not valid for" in text or "mismatch" in text:
            return "the coordinator's certificate is for another host name; use the name in it as url"
        return "the coordinator's certificate is not signed by a known CA; set ca_path to the platform's CA (ECE signs its own by default)"

    def _decode(self, method: str, response: requests.Response) -> Json:
        where = f"{method} {response.url.split('?')[0]}"
        status = response.status_code
        if 300 <= status < 400:
            target = self._redact(_host_of(response.headers.get("Location", ""))) or "another address"
            raise EceProtocolError(
                f"{where} was redirected to {target} (HTTP {status}); credentials are not sent there: use the coordinator's own address as url"
            )
        try:
            # Not response.json(), which believes any charset that it is told, or guesses one.
            payload = jsonlib.loads(response.content) if response.content else None
            parsed = True
        except (ValueError, RecursionError):  # the latter is for what is nested without end
            payload, parsed = None, False
        if status >= 400:
            raise self._api_error(where, response, payload, parsed)
        # A write may answer with nothing at all; a GET that does has lost its answer.
        if not parsed or (payload is None and method == "GET"):
            raise EceProtocolError(
                f"{where} answered HTTP {status} with something that is no JSON: {self._first_line(response)}"
            )
        return payload

    def _api_error(self, where: str, response: requests.Response, payload: Json, parsed: bool) -> EceApiError:
        status = response.status_code
        errors = self._errors_of(payload)
        said = self._said(payload) or self._first_line(response)
        if status == 401:
            said = f"the credentials were refused; check api_key, or username and password: {said}"
        elif status == 403:
            said = f"this user may not do that: {said}"
        elif status == 449:
            said = f"this ECE wants elevated permissions, which platforms before 3.7 ask for; use the admin user's name and password: {said}"
        code = errors[0].get("code") if errors else None
        # Only the API's own 404 says that a thing is gone: neither a web page of somebody else nor a platform that is not up yet.
        gone = status == 404 and parsed and code != NOT_READY_CODE
        kind = EceNotFound if gone else EceAuthError if status in (401, 403, 449) else EceApiError
        fields = [field for error in errors if isinstance(error.get("fields"), list) for field in error["fields"]]
        return kind(f"{where} answered HTTP {status}: {said}", status, code, fields, errors)

    def _errors_of(self, payload: Json) -> list[dict]:
        """The errors of a BasicFailedReply, without the secrets that were sent."""
        errors = payload.get("errors") if isinstance(payload, dict) else None
        errors = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
        return [self._redact(error) for error in errors]

    def _said(self, payload: Json) -> str:
        """The words of an error in a reply, empty where it has none."""
        errors = self._errors_of(payload)
        if errors:
            return "; ".join(
                f"{error.get('message', 'no message')} ({error.get('code', 'no code')})" for error in errors
            )
        return str(self._redact(payload["error"])) if isinstance(payload, dict) and payload.get("error") else ""

    def _first_line(self, response: requests.Response) -> str:
        text = self._redact(response.content.decode("utf-8", "replace"))
        return next((line.strip()[:200] for line in text.splitlines() if line.strip()), "an empty body")

    def _redact(self, value: Json, depth: int = ERROR_DEPTH_MAX) -> Json:
        """Without the secrets that were sent, wherever in it they are."""
        if isinstance(value, str):
            for secret in self._secrets:
                value = value.replace(secret, "********")
        elif isinstance(value, (dict, list)) and not depth:
            return "..."
        elif isinstance(value, dict):
            return {self._redact(key): self._redact(item, depth - 1) for key, item in value.items()}
        elif isinstance(value, list):
            return [self._redact(item, depth - 1) for item in value]
        return value

    def _mapping(self, reply: Json, what: str, key: str, kind: type) -> dict:
        """The reply, if it is an object with the key that the spec requires, and a value of its kind."""
        if not isinstance(reply, dict) or not isinstance(reply.get(key), kind):
            said = self._said(reply)
            raise EceProtocolError(
                f"{what} at {self.url} answered without '{key}', which the API promises{': ' + said if said else ''}; is url a coordinator of ECE?"
            )
        return reply

    # -- the platform ------------------------------------------------------------------------------------------------

    def platform(self) -> dict:
        """GET /platform"""
        return self._mapping(self.request("GET", "/platform"), "GET /platform", "version", str)

    def runners(self) -> list[dict]:
        """GET /platform/infrastructure/runners. The operation takes no size, so it is cross-checked by the caller's totals."""
        reply = self._mapping(self.request("GET", "/platform/infrastructure/runners"), "GET runners", "runners", list)
        return _objects(reply["runners"], "runner_id")

    def iter_allocators(self, total: int | None = None, page_size: int = ALLOCATOR_PAGE_SIZE) -> Iterator[dict]:
        """GET /platform/infrastructure/allocators page by page: each allocator with its zone_id, one page in memory.

        total: the number GET /platform gives, to know the end without one more request. Without size the API cuts silently
        at 100, and a server may cap the size asked for: so C(from) advances by what arrived, and a page that brings nothing
        new is the end. What arrives twice is given once.
        """
        seen: set[str] = set()
        start = 0
        for _page in range(PAGES_MAX):
            params = {"size": page_size, "from": start, "sort": "allocator_id"}
            try:
                reply = self.request("GET", "/platform/infrastructure/allocators", params=params)
            except EceApiError as error:
                # The index behind the list is believed to answer no further than its 10,000th entry.
                if start and error.status == 400:
                    if total is None or len(seen) < total:
                        self.warnings.append(f"the list of allocators ends at {start}: {error}")
                    return
                raise
            page = _allocators_of(self._mapping(reply, "GET allocators", "zones", list))
            fresh = {
                allocator["allocator_id"]: allocator for allocator in page if allocator["allocator_id"] not in seen
            }
            seen.update(fresh)
            yield from fresh.values()
            start += len(page)
            if not fresh or (total is not None and len(seen) >= total and len(page) < page_size):
                return
        raise EceProtocolError(
            f"GET allocators at {self.url} has no end: there was more after {PAGES_MAX} pages with {len(seen)} allocators"
        )

    def allocator(self, allocator_id: str) -> dict | None:
        """GET /platform/infrastructure/allocators/{allocator_id}: direct state, not the index. None when unknown."""
        try:
            return self._mapping(
                self.request("GET", _allocator_path(allocator_id)), "GET allocator", "allocator_id", str
            )
        except EceNotFound:
            return None

    def proxies(self) -> dict:
        """GET /platform/infrastructure/proxies. The reply holds secrets under C(settings)."""
        return self._mapping(self.request("GET", "/platform/infrastructure/proxies"), "GET proxies", "proxies", list)

    def blueprinter_roles(self) -> list[dict]:
        """GET /platform/infrastructure/blueprinter/roles. Container options of the reply may hold secrets."""
        reply = self._mapping(
            self.request("GET", "/platform/infrastructure/blueprinter/roles"), "GET blueprinter roles", "values", list
        )
        return _objects(reply["values"], "id")

    def license(self) -> dict | None:
        """GET /platform/license; None where no license is installed."""
        try:
            return self._mapping(self.request("GET", "/platform/license"), "GET license", "license", dict)["license"]
        except EceNotFound:
            return None

    # -- runners -----------------------------------------------------------------------------------------------------

    def runner(self, runner_id: str) -> dict | None:
        """GET /platform/infrastructure/runners/{runner_id}: direct state, not the index. None when unknown."""
        try:
            return self._mapping(self.request("GET", _runner_path(runner_id)), "GET runner", "runner_id", str)
        except EceNotFound:
            return None

    def set_runner_roles(self, runner_id: str, roles: Sequence[str]) -> None:
        """PUT .../runners/{runner_id}/roles?bless=true: replaces the list and entitles the runner to it."""
        body = {"roles": [{"role_name": role} for role in roles]}
        self.request("PUT", _runner_path(runner_id) + "/roles", params={"bless": "true"}, body=body)

    def delete_runner(self, runner_id: str) -> bool:
        """DELETE .../runners/{runner_id}; False when it was gone already."""
        return self._delete(_runner_path(runner_id))

    def delete_allocator(self, allocator_id: str) -> bool:
        """DELETE .../allocators/{allocator_id}; the API refuses while it is connected or holds instances."""
        return self._delete(_allocator_path(allocator_id))

    def _delete(self, path: str) -> bool:
        try:
            self.request("DELETE", path)
        except EceNotFound:
            return False
        return True

    # -- enrollment tokens -------------------------------------------------------------------------------------------

    TOKENS = "/platform/configuration/security/enrollment-tokens"

    def enrollment_tokens(self) -> list[dict]:
        """GET enrollment-tokens: persistent ones, as token_id and roles; the tokens themselves are never listed."""
        return _objects(
            self._mapping(self.request("GET", self.TOKENS), "GET enrollment-tokens", "tokens", list)["tokens"],
            "token_id",
        )

    def create_enrollment_token(self, roles: Sequence[str], persistent: bool, validity_seconds: int | None) -> dict:
        """POST enrollment-tokens, never repeated once sent. C(validity_seconds) goes with ephemeral tokens only."""
        body: dict[str, Any] = {"persistent": persistent, "roles": list(roles)}
        if validity_seconds is not None and not persistent:
            body["validity_in_seconds"] = validity_seconds
        reply = self._mapping(self.request("POST", self.TOKENS, body=body), "POST enrollment-tokens", "token", str)
        self._secrets.append(reply["token"])
        return reply

    def delete_enrollment_token(self, token_id: str) -> bool:
        """DELETE enrollment-tokens/{id}; False when it was gone already. Ids only: a token in a URL ends in access logs."""
        return self._delete(self.TOKENS + "/" + _segment(token_id))


def _segment(name: str) -> str:
    """An id as one segment of a path, which none of these is: a DELETE would go to what is above."""
    if name in ("", ".", ".."):
        raise EceError(f"{name!r} is not the id of anything")
    return quote(name, safe="", errors="surrogatepass")


def _allocator_path(allocator_id: str) -> str:
    return "/platform/infrastructure/allocators/" + _segment(allocator_id)


def _runner_path(runner_id: str) -> str:
    return "/platform/infrastructure/runners/" + _segment(runner_id)


def _objects(values: Json, key: str) -> list[dict]:
    """The objects that have their identifying key; a reply that lost it elsewhere is of no use."""
    return (
        [value for value in values if isinstance(value, dict) and value.get(key) and isinstance(value[key], str)]
        if isinstance(values, list)
        else []
    )


def _allocators_of(overview: Mapping[str, Any]) -> list[dict]:
    """Allocators of one page, flat. Empty zones come as C(allocators: null); a zone may come without its id."""
    flat = []
    for zone in overview["zones"]:
        for allocator in _objects(zone.get("allocators") if isinstance(zone, dict) else None, "allocator_id"):
            flat.append({**allocator, "zone_id": allocator.get("zone_id") or zone.get("zone_id")})
    return flat


def _host_of(address: str) -> str:
    """Host and port of an address, without credentials; empty where it has none."""
    try:
        return urlsplit(address).netloc.rpartition("@")[2]
    except ValueError:
        return ""


def _never_connected(error: Exception) -> bool:
    """True when requests failed before a connection was made, so that nothing can have had an effect."""
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", cause), ConnectTimeoutError)


def _reason(error: Exception) -> str:
    """The innermost words of a requests exception, which itself prints as nested objects."""
    cause = error.args[0] if error.args else error
    cause = getattr(cause, "reason", cause)
    words = str(cause)
    if isinstance(error, requests.exceptions.Timeout):
        return "no answer in time" if not _never_connected(error) else "no connection in time"
    for known, plain in KNOWN_REASONS.items():
        if known in words:
            return plain
    return words.split(": ", 1)[-1] if words else type(error).__name__
