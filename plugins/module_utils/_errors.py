# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The errors that users see. Every message is one sentence and names no secret.

Runs on hosts too: Python 3.6 and the standard library.
"""

from ansible_collections.ece.platform.plugins.module_utils._text import one_line, redact


class _UserError(Exception):
    """An error whose message is shown as it is."""

    def __init__(self, message: object) -> None:
        super().__init__(one_line(message))


class OptionError(_UserError):
    """A value that the user set cannot work. The message names the option, the value and what would be right."""

    def __init__(self, message: object) -> None:
        super().__init__(redact(str(message)))  # a token in the wrong option is still a token


class PlatformError(_UserError):
    """The platform does not allow what was asked for, or did not do it. The message says what to do.

    `changed`: whether something was changed before; the message says what.
    """

    changed = False

    def __init__(self, message: object) -> None:
        super().__init__(redact(str(message)))  # it may repeat an id in whose place the user has set a token


class HostError(_UserError):
    """The host does not allow what was asked for. The message says what to do."""
