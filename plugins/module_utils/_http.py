# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""HTTP to the coordinators of one platform: authentication, TLS, retries, failover and errors.

It knows how ECE reports an error, but no operation of its API, and nothing of Ansible. Every failure leaves as an
EceError; no other exception is part of the contract.

Source of the error format (BasicFailedReply), the login and the status codes: the API specification of ECE 3.8.0,
https://github.com/elastic/cloud-sdk-go, api/apidocs.json at commit 8c0d792; rendered at
https://www.elastic.co/docs/api/doc/cloud-enterprise/.
"""

from __future__ import annotations

import base64
import json as jsonlib
import re
import time
from typing import Any, Callable, Mapping, NamedTuple, Sequence
from urllib.parse import urlsplit

from ansible_collections.ece.platform.plugins.module_utils import _transport as transport
from ansible_collections.ece.platform.plugins.module_utils._api_errors import (
    EceApiError,
    EceAuthError,
    EceConnectionError,
    EceError,
    EceNotFound,
    EceProtocolError,
    another_may_do_better,
    may_have_had_effect,
    may_pass,
    summary,
)
from ansible_collections.ece.platform.plugins.module_utils._text import plain, redact
from ansible_collections.ece.platform.plugins.module_utils._transport import LimitedSession

try:
    import requests
    from requests.auth import AuthBase
    from urllib3.util.retry import Retry
except ImportError:
    AuthBase = object  # type: ignore[assignment, misc]

API_PREFIX = "/api/v1"
# Requests with the same effect however often they arrive. A POST is never repeated once it was sent: it may have minted
# a token.
REPEATABLE = ("GET", "PUT", "DELETE")
# A coordinator that asks for a longer pause is down as far as one play is concerned.
RETRY_AFTER_MAX_SECONDS = 60
BACKOFF_FACTOR_SECONDS = 0.5
BACKOFF_MAX_SECONDS = 20
# An error of the API is an object in a list in an object; deeper than this there is nothing to read.
ERROR_DEPTH_MAX = 8
# No reply of the API is as deep.
REPLY_DEPTH_MAX = 100
LINE_LENGTH_MAX = 200
# Bytes without which no text of a reply has anything that `plain` removes: as an escape, in UTF-8, in UTF-16.
CONTROL_BYTES = re.compile(
    rb"\\u(?:00[01789]|20[0126]|[dD][89a-fA-F])|\\[bfr]|\xc2[\x80-\x9f]|\xe2\x80[\x8e-\xae]|\xe2\x81[\xa6-\xa9]|[\x7f\x00]"
)

Json = Any


class _HeaderAuth(AuthBase):
    """Sets the Authorization header as an auth object, because requests lets a ~/.netrc replace a plain header."""

    def __init__(self, value: str | None) -> None:
        self.value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.value is not None:
            request.headers["Authorization"] = self.value
        return request


class _Call(NamedTuple):
    """One call of the API. absent, headers: see HttpClient.request."""

    method: str
    path: str
    params: Mapping[str, Any] | None = None
    body: Json = None
    absent: str | None = None
    headers: dict[str, str] | None = None

    @property
    def repeatable(self) -> bool:
        return self.method in REPEATABLE

    def at(self, url: str) -> str:
        """The call as a sentence names it: GET https://10.0.0.1:12443/api/v1/platform."""
        return f"{self.method} {url}{API_PREFIX}{self.path}"


class HttpClient:
    """One session with the coordinators of one platform.

    urls: base addresses like https://10.0.0.1:12443, tried in order when one does not answer as a coordinator that is
        ready.
    api_key, or username and password: exactly one kind. A user name is sent as HTTP basic; if a coordinator refuses
        that with 401, the client logs in once (POST /users/auth/_login) and goes on with the Bearer token.
    timeout: seconds until an answer is complete. sleep: waits for a number of seconds.
    retries: further attempts at repeatable requests (GET, PUT, DELETE), and at connections that were never made.
    option_prefix: what stands before the names of these options where the user sets them, like ece_.
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
        option_prefix: str = "",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._urls = [url.rstrip("/") for url in urls]
        self._credentials = None if api_key else (username or "", password or "")
        authorization = f"ApiKey {api_key}" if self._credentials is None else _basic(*self._credentials)
        self._auth = _HeaderAuth(authorization)
        self._secrets = [*_spellings(api_key or password or ""), authorization.split(" ", 1)[1]]
        # Given per request: REQUESTS_CA_BUNDLE, usual in execution environments, overrides the session's own value.
        self._verify: bool | str = (ca_path or True) if validate_certs else False
        self._limits = transport.limits(timeout, f"{option_prefix}timeout")
        self._retries = retries
        self._prefix = option_prefix
        self.sleep = sleep
        self._session = LimitedSession(timeout)
        self._session.headers.update({"Accept": "application/json", "User-Agent": user_agent})
        self.warnings: list[str] = []

    @property
    def url(self) -> str:
        """The coordinator that answered last; before the first answer, the first one given."""
        return self._urls[0]

    @property
    def urls(self) -> list[str]:
        """All coordinators, the one that answered last first."""
        return list(self._urls)

    @property
    def which_url(self) -> str:
        """The end of a sentence on an answer that no coordinator gives."""
        return f"is {self._prefix}url a coordinator of ECE?"

    # -- requests ------------------------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Json = None,
        absent: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Json:
        """Return the decoded reply of one API call. Raises EceError.

        absent: the code with which the API says that the object of this call does not exist, for EceNotFound. Without
        it, a 404 is an error like any other. headers: gets those of the answer, with names in lower case.
        """
        call = _Call(method, path, params, body, absent, headers)
        try:
            return self._request(call)
        except EceAuthError as error:
            if error.status != 401 or self._credentials is None:
                raise
            # Basic was refused, or the login has expired in the middle of a run: log in once and repeat the request.
            # A 401 never had an effect, so this is safe for every method.
            self._login(error, *self._credentials)
            return self._request(call)

    def _login(self, refused: EceAuthError, username: str, password: str) -> None:
        before, self._auth = self._auth, _HeaderAuth(None)
        try:
            body = {"username": username, "password": password}
            reply = self._request(_Call("POST", "/users/auth/_login", body=body))
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

    def _request(self, call: _Call) -> Json:
        failures: list[EceError] = []
        attempt = 0
        while True:
            try:
                return self._ask_in_turn(call, failures)
            except EceNotFound as error:
                error.maybe_deleted = any(map(may_have_had_effect, failures))
                raise
            except EceError as error:
                if attempt >= self._retries or not may_pass(error, call.repeatable):
                    raise
                self.sleep(_pause_seconds(attempt, getattr(error, "retry_after", None)))
            attempt += 1

    def _ask_in_turn(self, call: _Call, failures: list[EceError]) -> Json:
        """Ask the coordinators in order, until one answers as the API does, and prefer that one for the next call.

        failures: gets the error of each coordinator after which the next one was asked.
        """
        these = []
        for url in list(self._urls):
            try:
                reply = self._ask(url, call)
            except EceError as error:
                if not another_may_do_better(error, call.repeatable):
                    if isinstance(error, EceApiError):
                        self._prefer(url)
                    raise
                these.append(error)
                failures.append(error)
            else:
                self._prefer(url)
                return reply
        raise summary(these, call.repeatable)

    def _ask(self, url: str, call: _Call) -> Json:
        """Ask one coordinator."""
        try:
            response = self._send(url, call)
        except requests.RequestException as error:
            raise self._no_answer(url, call, error) from None
        payload = self._decode(url, call, response)
        if call.headers is not None:
            call.headers.update((name.lower(), value) for name, value in response.headers.items())
        return payload

    def _no_answer(self, url: str, call: _Call, error: requests.RequestException) -> EceError:
        reason = transport.reason(error, self._limits)
        proxy = transport.proxy_of(self._session, url)
        problem = transport.proxy_problem(error, self._limits) if proxy else None
        if problem:
            reason = f"{proxy} {problem}; {transport.without_proxy(url)}"
        # A connection that ends during TLS is a coordinator that starts or stops, as behind a load balancer. Any other
        # problem with TLS is one of trust, which the next coordinator would not solve.
        elif isinstance(error, requests.exceptions.SSLError) and "EOF occurred" not in str(error):
            return EceError(f"{call.at(url)}: {self._explain_tls(error)}")
        sent = not transport.never_connected(error)
        if sent and not call.repeatable:
            return EceConnectionError(f"{call.at(url)}: {reason}; whether the request took effect is not known", sent)
        return EceConnectionError(f"{url}: {reason}", sent)

    def _send(self, url: str, call: _Call) -> requests.Response:
        """Return one coordinator's answer. Raises RequestException if there is none, EceError for unusable options."""
        try:
            return self._session.request(
                call.method,
                url + API_PREFIX + call.path,
                params=call.params,
                data=jsonlib.dumps(call.body).encode() if call.body is not None else None,
                headers={"Content-Type": "application/json"} if call.method != "GET" else None,
                auth=self._auth,
                verify=self._verify,
                timeout=(self._limits.connect, self._limits.answer),
                allow_redirects=False,
            )
        except ValueError as error:  # requests and urllib3 have several types of it for addresses
            raise EceError(self._unusable(url, error)) from None
        except requests.RequestException:
            raise  # an OSError, too
        except OSError as error:
            raise EceError(
                f"{self._prefix}ca_path {self._verify} cannot be read ({error.strerror or error}): "
                "use a file of CA certificates"
            ) from None

    def _unusable(self, url: str, error: ValueError) -> str:
        if transport.is_usable(url):
            proxy = transport.proxy_of(self._session, url)
            if proxy:  # the error may hold its password
                return f"{proxy} cannot be used: correct its address, or {transport.without_proxy(url)[3:]}"
        return f"{self._prefix}url {url} is not a usable address ({self._redact(str(error))}): use one like https://ece.example.com:12443"

    def _prefer(self, url: str) -> None:
        if self._urls[0] != url:
            self._urls.remove(url)
            self._urls.insert(0, url)

    def _explain_tls(self, error: Exception) -> str:
        text = str(error)
        ca_path = f"{self._prefix}ca_path"
        if "NO_CERTIFICATE" in text or "PEM" in text:
            return f"{ca_path} {self._verify} holds no CA certificate: use a file of CA certificates in PEM format"
        if "CERTIFICATE_VERIFY_FAILED" not in text and "certificate" not in text.lower():
            return f"TLS failed: {transport.reason(error, self._limits)}"
        if "expired" in text:
            return "the coordinator's certificate has expired; renew it on the platform"
        if "doesn't match" in text or "not valid for" in text or "mismatch" in text:
            return f"the coordinator's certificate is for another host name; use the name in it as {self._prefix}url"
        return (
            f"the coordinator's certificate is not signed by a known CA; set {ca_path} to the platform's CA "
            "(ECE signs its own by default)"
        )

    # -- answers -------------------------------------------------------------------------------------------------------

    def _decode(self, url: str, call: _Call, response: requests.Response) -> Json:
        where = call.at(url)
        status = response.status_code
        if 300 <= status < 400:
            target = self._redact(plain(_host_of(response.headers.get("Location", "")))) or "another address"
            raise EceProtocolError(
                f"{where} was redirected to {target} (HTTP {status}); credentials are not sent there: "
                f"use the coordinator's own address as {self._prefix}url"
            )
        try:
            # Not response.json(), which trusts the charset in the header, or guesses one.
            payload = jsonlib.loads(response.content) if response.content else None
            parsed = True
        except (ValueError, RecursionError):  # the latter for endless nesting
            payload, parsed = None, False
        if CONTROL_BYTES.search(response.content):
            payload = _plain_reply(payload)
        if status >= 400:
            raise self._api_error(url, call, response, payload)
        # A write may have an empty answer; a GET with an empty answer has lost it.
        if not parsed or (payload is None and call.method == "GET"):
            raise EceProtocolError(
                f"{where} answered HTTP {status} with something that is not JSON: {self._first_line(response)}"
            )
        return payload

    def _api_error(self, url: str, call: _Call, response: requests.Response, payload: Json) -> EceApiError:
        status = response.status_code
        errors = self._errors_of(payload)
        code = errors[0].get("code") if errors else None
        message = self._message_of(payload) or self._first_line(response)
        sentence = f"{call.at(url)} answered HTTP {status}: {self._explain_status(url, status, code, message)}"
        fields = [field for error in errors if isinstance(error.get("fields"), list) for field in error["fields"]]
        error = EceApiError(sentence, status, code, fields, errors)
        if status in (401, 403, 449):
            error = EceAuthError(sentence, status, code, fields, errors)
        elif status == 404 and call.absent and error.has_code(call.absent):
            error = EceNotFound(sentence, status, code, fields, errors)
        error.retry_after = response.headers.get("Retry-After")
        return error

    def _explain_status(self, url: str, status: int, code: Json, message: str) -> str:
        """Return the message of an error with what its status means."""
        if status == 401:
            names = f"{self._prefix}api_key, or {self._prefix}username and {self._prefix}password"
            return f"the credentials were refused; check {names}: {message}"
        if status == 403:
            return f"this user may not do that: {message}"
        if status == 404 and not code:
            # A proxy, an ingress or another service: it does not know whether the object exists.
            return f"no API of a coordinator answered there ({message}); {self.which_url}"
        if status == 407:
            proxy = transport.proxy_of(self._session, url) or "a proxy"
            return f"{proxy} asks for credentials; {transport.without_proxy(url)}: {message}"
        if status == 449:
            return (
                "this ECE wants elevated permissions, which platforms before 3.7 ask for; "
                f"use the admin user's name and password: {message}"
            )
        return message

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
        lines = (plain(line).strip() for line in text.splitlines())
        return next((line[:LINE_LENGTH_MAX] for line in lines if line), "an empty body")

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


def _plain_reply(value: Json, depth: int = REPLY_DEPTH_MAX) -> Json:
    """Return a reply whose texts have no control sequences: names and messages end on terminals."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, (dict, list)) and not depth:
        return None
    if isinstance(value, dict):
        return {plain(key): _plain_reply(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain_reply(item, depth - 1) for item in value]
    return value


def _pause_seconds(attempt: int, retry_after: str | None) -> float:
    """Return seconds before the next attempt: Retry-After if the coordinator sent it, else a growing number."""
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
