# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""HTTP to the coordinators of one platform, over requests: authentication, TLS, retries, failover and errors.

It knows how ECE reports an error, but no operation of its API, and nothing of Ansible. Every failure leaves as an
EceError; no other exception is part of the contract.

Source of the error format (BasicFailedReply), the login and the status codes: the API specification of ECE 3.8.0,
https://github.com/elastic/cloud-sdk-go, api/apidocs.json at commit 8c0d792; rendered at
https://www.elastic.co/docs/api/doc/cloud-enterprise/.
"""

from __future__ import annotations

import base64
import json as jsonlib
import time
from typing import Any, Callable, Mapping, Sequence
from urllib.parse import urlsplit

from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.module_utils._text import redact

try:
    import requests
    from requests.auth import AuthBase
    from urllib3.exceptions import ConnectTimeoutError, LocationParseError
    from urllib3.util.retry import Retry

    REQUESTS_IMPORT_ERROR: ImportError | None = None
except ImportError as import_error:
    REQUESTS_IMPORT_ERROR = import_error
    AuthBase = object  # type: ignore[assignment, misc]

API_PREFIX = "/api/v1"
CONNECT_TIMEOUT_SECONDS = 10
RETRY_STATUS = (429, 502, 503, 504)
# Requests with the same effect however often they arrive. A POST is never repeated once it was sent: it may have minted
# a token.
REPEATABLE = ("GET", "PUT", "DELETE")
# Sent while a coordinator starts (elastic/ece-support-diagnostics waits for it); its HTTP status is not documented, so
# the code decides.
NOT_READY_CODE = "controller_route.controller_not_ready"
# A coordinator that asks for a longer pause is down as far as one play is concerned.
RETRY_AFTER_MAX_SECONDS = 60
BACKOFF_FACTOR_SECONDS = 0.5
BACKOFF_MAX_SECONDS = 20
# An error of the API is an object in a list in an object; deeper than this there is nothing to read.
ERROR_DEPTH_MAX = 8
LINE_LENGTH_MAX = 200

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
    """No usable answer arrived. `sent` is whether the request may have had its effect."""

    def __init__(self, message: str, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class EceProtocolError(EceError):
    """The answer is not one of the API: HTML, broken JSON, a redirect."""


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
    """401, 403 or 449: bad credentials or insufficient permissions."""


class EceNotFound(EceApiError):
    """404 of the API itself: the object does not exist."""


class _HeaderAuth(AuthBase):
    """Sets the Authorization header as an auth object, because requests lets a ~/.netrc replace a plain header."""

    def __init__(self, value: str | None) -> None:
        self.value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.value is not None:
            request.headers["Authorization"] = self.value
        return request


class HttpClient:
    """One session with the coordinators of one platform.

    urls: base addresses like https://10.0.0.1:12443, tried in order when one cannot be reached.
    api_key, or username and password: exactly one kind. A user name is sent as HTTP basic; if a coordinator refuses
        that with 401, the client logs in once (POST /users/auth/_login) and goes on with the Bearer token.
    timeout: seconds without an answer. sleep: waits for a number of seconds.
    retries: further attempts at repeatable requests (GET, PUT, DELETE), and at connections that were never made.
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
        authorization = f"ApiKey {api_key}" if self._credentials is None else _basic(*self._credentials)
        self._auth = _HeaderAuth(authorization)
        self._secrets = [*_spellings(api_key or password or ""), authorization.split(" ", 1)[1]]
        # Given per request: REQUESTS_CA_BUNDLE, usual in execution environments, overrides the session's own value.
        self._verify: bool | str = (ca_path or True) if validate_certs else False
        self._timeout = (min(CONNECT_TIMEOUT_SECONDS, timeout), timeout)
        self._retries = retries
        self.sleep = sleep
        self._session = requests.Session()
        # requests prepares the next request even of a redirect that it must not follow, and fails on a broken
        # address.
        self._session.get_redirect_target = lambda resp: None  # type: ignore[method-assign]
        self._session.headers.update({"Accept": "application/json", "User-Agent": user_agent})
        self.warnings: list[str] = []

    @property
    def url(self) -> str:
        """The coordinator that answered last; before the first answer, the first one given."""
        return self._urls[0]

    # -- requests ------------------------------------------------------------------------------------------------------

    def request(self, method: str, path: str, *, params: Mapping[str, Any] | None = None, body: Json = None) -> Json:
        """Return the decoded reply of one API call. Raises EceError."""
        try:
            return self._request(method, path, params, body)
        except EceAuthError as error:
            if error.status != 401 or self._credentials is None:
                raise
            # Basic was refused, or the login has expired in the middle of a run: log in once and repeat the request.
            # A 401 never had an effect, so this is safe for every method.
            self._login(error, *self._credentials)
            return self._request(method, path, params, body)

    def _login(self, refused: EceAuthError, username: str, password: str) -> None:
        before, self._auth = self._auth, _HeaderAuth(None)
        try:
            reply = self._request("POST", "/users/auth/_login", None, {"username": username, "password": password})
        except EceApiError as error:
            # If the login service itself is down (404, 501, 502), report the original 401.
            raise (refused if error.status in (401, 404, 501, 502) else error) from None
        finally:
            self._auth = before
        token = reply.get("token") if isinstance(reply, dict) else None
        if not token or not isinstance(token, str) or not (token.isascii() and token.isprintable()):
            raise EceProtocolError(f"POST {self.url}{API_PREFIX}/users/auth/_login answered without a token")
        self._secrets.append(token)
        self._auth = _HeaderAuth(f"Bearer {token}")

    def _request(self, method: str, path: str, params: Mapping[str, Any] | None, body: Json) -> Json:
        attempt = 0
        while True:
            response = None
            try:
                response = self._send(method, path, params, body)
                return self._decode(method, response)
            except EceConnectionError as error:
                if attempt >= self._retries or (error.sent and method not in REPEATABLE):
                    raise
            except EceApiError as error:
                transient = error.status in RETRY_STATUS or error.code == NOT_READY_CODE
                if attempt >= self._retries or not transient or method not in REPEATABLE:
                    raise
            self.sleep(_pause_seconds(attempt, response))
            attempt += 1

    def _send(self, method: str, path: str, params: Mapping[str, Any] | None, body: Json) -> requests.Response:
        """Try the coordinators in order until one can be reached, and prefer that one for the next request."""
        failures = []
        for url in list(self._urls):
            try:
                response = self._send_to(url, method, path, params, body)
            except requests.RequestException as error:
                reason = _reason(error)
                # A connection that ends during TLS is a coordinator that starts or stops, as behind a load balancer.
                # Any other problem with TLS is one of trust, which the next coordinator would not solve.
                if isinstance(error, requests.exceptions.SSLError) and "EOF occurred" not in str(error):
                    raise EceError(f"{method} {url}{API_PREFIX}{path}: {self._explain_tls(error)}") from None
                if method not in REPEATABLE and not _never_connected(error):
                    raise EceConnectionError(
                        f"{method} {url}{API_PREFIX}{path}: {reason}; whether the request took effect is not known",
                        sent=True,
                    ) from None
                failures.append(f"{url}: {reason}")
                continue
            self._prefer(url)
            return response
        raise EceConnectionError(f"no coordinator can be reached ({'; '.join(failures)})", sent=method in REPEATABLE)

    def _send_to(
        self, url: str, method: str, path: str, params: Mapping[str, Any] | None, body: Json
    ) -> requests.Response:
        """Return one coordinator's answer. Raises RequestException if there is none, EceError for unusable options."""
        try:
            return self._session.request(
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
                f"url {url} is not a usable address ({error}): use one like https://ece.example.com:12443"
            ) from None
        except requests.RequestException:
            raise  # an OSError, too
        except OSError as error:
            raise EceError(
                f"ca_path {self._verify} cannot be read ({error.strerror or error}): use a file of CA certificates"
            ) from None

    def _prefer(self, url: str) -> None:
        if self._urls[0] != url:
            self._urls.remove(url)
            self._urls.insert(0, url)

    def _explain_tls(self, error: Exception) -> str:
        text = str(error)
        if "NO_CERTIFICATE" in text or "PEM" in text:
            return f"ca_path {self._verify} holds no CA certificate: use a file of CA certificates in PEM format"
        if "CERTIFICATE_VERIFY_FAILED" not in text and "certificate" not in text.lower():
            return f"TLS failed: {_reason(error)}"
        if "expired" in text:
            return "the coordinator's certificate has expired; renew it on the platform"
        if "doesn't match" in text or "not valid for" in text or "mismatch" in text:
            return "the coordinator's certificate is for another host name; use the name in it as url"
        return (
            "the coordinator's certificate is not signed by a known CA; set ca_path to the platform's CA "
            "(ECE signs its own by default)"
        )

    # -- answers -------------------------------------------------------------------------------------------------------

    def _decode(self, method: str, response: requests.Response) -> Json:
        where = f"{method} {response.url.split('?')[0]}"
        status = response.status_code
        if 300 <= status < 400:
            target = self._redact(_host_of(response.headers.get("Location", ""))) or "another address"
            raise EceProtocolError(
                f"{where} was redirected to {target} (HTTP {status}); credentials are not sent there: "
                "use the coordinator's own address as url"
            )
        try:
            # Not response.json(), which trusts the charset in the header, or guesses one.
            payload = jsonlib.loads(response.content) if response.content else None
            parsed = True
        except (ValueError, RecursionError):  # the latter for endless nesting
            payload, parsed = None, False
        if status >= 400:
            raise self._api_error(where, response, payload, parsed)
        # A write may have an empty answer; a GET with an empty answer has lost it.
        if not parsed or (payload is None and method == "GET"):
            raise EceProtocolError(
                f"{where} answered HTTP {status} with something that is not JSON: {self._first_line(response)}"
            )
        return payload

    def _api_error(self, where: str, response: requests.Response, payload: Json, parsed: bool) -> EceApiError:
        status = response.status_code
        errors = self._errors_of(payload)
        message = self._message_of(payload) or self._first_line(response)
        if status == 401:
            message = f"the credentials were refused; check api_key, or username and password: {message}"
        elif status == 403:
            message = f"this user may not do that: {message}"
        elif status == 449:
            message = (
                "this ECE wants elevated permissions, which platforms before 3.7 ask for; "
                f"use the admin user's name and password: {message}"
            )
        code = errors[0].get("code") if errors else None
        # Only the API's own 404 means that an object does not exist: not a web page of a proxy, nor a platform that
        # still starts.
        gone = status == 404 and parsed and code != NOT_READY_CODE
        kind = EceNotFound if gone else EceAuthError if status in (401, 403, 449) else EceApiError
        fields = [field for error in errors if isinstance(error.get("fields"), list) for field in error["fields"]]
        return kind(f"{where} answered HTTP {status}: {message}", status, code, fields, errors)

    def _errors_of(self, payload: Json) -> list[dict[str, Any]]:
        """The errors of a BasicFailedReply, without the secrets that were sent."""
        errors = payload.get("errors") if isinstance(payload, dict) else None
        return [self._redact(error) for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []

    def _message_of(self, payload: Json) -> str:
        """The message of an error in a reply; empty without one."""
        errors = self._errors_of(payload)
        if errors:
            return "; ".join(
                f"{error.get('message', 'no message')} ({error.get('code', 'no code')})" for error in errors
            )
        return str(self._redact(payload["error"])) if isinstance(payload, dict) and payload.get("error") else ""

    def _first_line(self, response: requests.Response) -> str:
        text: str = self._redact(response.content.decode("utf-8", "replace"))
        return next((line.strip()[:LINE_LENGTH_MAX] for line in text.splitlines() if line.strip()), "an empty body")

    def _redact(self, value: Json, depth: int = ERROR_DEPTH_MAX) -> Json:
        """The value without the secrets that were sent, at any place in it."""
        if isinstance(value, str):
            return redact(value, self._secrets)
        if isinstance(value, (dict, list)) and not depth:
            return "..."
        if isinstance(value, dict):
            return {self._redact(key): self._redact(item, depth - 1) for key, item in value.items()}
        if isinstance(value, list):
            return [self._redact(item, depth - 1) for item in value]
        return value


def _basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def _spellings(secret: str) -> list[str]:
    """A secret as it is, as JSON has it, and as JSON within JSON has it: an error may repeat the request."""
    quoted = jsonlib.dumps(secret)[1:-1]
    return [secret, quoted, jsonlib.dumps(quoted)[1:-1]]


def _pause_seconds(attempt: int, response: requests.Response | None) -> float:
    """Seconds before the next attempt: Retry-After if the coordinator sent it, else a growing number."""
    retry_after = response.headers.get("Retry-After") if response is not None else None
    if retry_after:
        try:
            asked: float = Retry().parse_retry_after(retry_after)
            return min(max(0.0, asked), RETRY_AFTER_MAX_SECONDS)
        except Exception:  # urllib3 raises several types for a header that it cannot read; the header is only a hint
            pass
    backoff: float = BACKOFF_FACTOR_SECONDS * 2**attempt
    return min(backoff, BACKOFF_MAX_SECONDS)


def _host_of(address: str) -> str:
    """Host and port of an address, without credentials; empty without a host."""
    try:
        return urlsplit(address).netloc.rpartition("@")[2]
    except ValueError:
        return ""


def _never_connected(error: Exception) -> bool:
    """Whether requests failed before a connection was made, so that the request cannot have had an effect."""
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", cause), ConnectTimeoutError)


def _reason(error: Exception) -> str:
    """The innermost message of a requests exception, which itself prints as nested objects."""
    cause = error.args[0] if error.args else error
    text = str(getattr(cause, "reason", cause))
    if isinstance(error, requests.exceptions.Timeout):
        return "no answer in time" if not _never_connected(error) else "no connection in time"
    for known, plain in KNOWN_REASONS.items():
        if known in text:
            return plain
    return text.split(": ", 1)[-1] if text else type(error).__name__
