# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The errors of a request to the API, and what may be done after each: repeat it, ask another coordinator."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.module_utils._text import one_line

# What a load balancer answers for a coordinator that does not.
GATEWAY_STATUS = (502, 503, 504)
RETRY_STATUS = (429, *GATEWAY_STATUS)
# Sent while a coordinator starts (elastic/ece-support-diagnostics waits for it); its HTTP status is not documented, so
# the code decides.
NOT_READY_CODE = "controller_route.controller_not_ready"


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
    """A coordinator, or what stands before it, answered with an error. `errors`: those of a BasicFailedReply."""

    # What the header Retry-After asks for.
    retry_after: str | None = None

    def __init__(
        self, message: str, status: int, code: str | None, fields: Sequence[str], errors: Sequence[Mapping[str, Any]]
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.fields = list(fields)
        self.errors = [dict(error) for error in errors]

    def has_code(self, code: str) -> bool:
        """Return whether one of the API's errors has this code."""
        return any(error.get("code") == code for error in self.errors)


class EceAuthError(EceApiError):
    """401, 403 or 449: bad credentials or insufficient permissions."""


class EceNotFound(EceApiError):
    """404 of the API itself, with the code that says that the object does not exist.

    `maybe_deleted`: whether an earlier attempt of the same request may have deleted it, as its answer was lost.
    """

    maybe_deleted = False


def may_pass(error: EceError, repeatable: bool) -> bool:
    """Return whether the same request, repeated after a pause, may succeed and does no harm."""
    if isinstance(error, EceConnectionError):
        return repeatable or not error.sent
    if not repeatable or not isinstance(error, EceApiError):
        return False
    return error.status in RETRY_STATUS or error.has_code(NOT_READY_CODE)


def another_may_do_better(error: EceError, repeatable: bool) -> bool:
    """Return whether another coordinator may be asked, because this is no answer of one that is ready."""
    if isinstance(error, EceConnectionError):
        return repeatable or not error.sent
    if not repeatable:
        return False
    if not isinstance(error, EceApiError):
        return isinstance(error, EceProtocolError)
    if error.status in GATEWAY_STATUS or error.has_code(NOT_READY_CODE):
        return True
    # Without a code it comes from something that stands before the coordinator.
    return not error.code and error.status not in (401, 429)


def may_have_had_effect(error: EceError) -> bool:
    """Return whether the request may have reached a coordinator that acted on it, although this came of it."""
    if isinstance(error, EceConnectionError):
        return error.sent
    if isinstance(error, EceApiError):
        return error.status >= 500 and not error.has_code(NOT_READY_CODE)
    return isinstance(error, EceProtocolError)


def is_conflict(error: EceError) -> bool:
    """Return whether a write is refused because the object has another version by now.

    The API specification documents HTTP 409 with codes like roles.version_conflict, but not for every operation that
    takes a version.
    """
    if not isinstance(error, EceApiError):
        return False
    codes = [str(one.get("code")) for one in error.errors]
    return error.status in (409, 412) or any(code.endswith("version_conflict") for code in codes)


def summary(failures: Sequence[EceError], repeatable: bool) -> EceError:
    """Return one error for those of all coordinators, with all messages: one that may pass, if there is any."""
    answers = [failure for failure in failures if not isinstance(failure, EceConnectionError)]
    if not answers:
        reasons = "; ".join(map(str, failures))
        sent = any(map(may_have_had_effect, failures))
        # One that got the request was reached, even if it was too slow or ended the connection.
        outcome = "no coordinator gave a complete answer" if sent else "no coordinator can be reached"
        return EceConnectionError(f"{outcome} ({reasons})", sent)
    error = next((answer for answer in answers if may_pass(answer, repeatable)), answers[0])
    others = [failure for failure in failures if failure is not error]
    error.args = (one_line("; ".join(map(str, [error, *others]))),)
    return error
