# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation shared by everything that talks to the API."""

from __future__ import annotations


class ModuleDocFragment:
    """Connection options."""

    DOCUMENTATION = r"""
options:
  url:
    description:
      - Addresses of the platform's coordinators, like V(https://ece.example.com:12443). With several, they are tried in order when one cannot be reached.
      - Falls back to the environment variable E(ECE_URL).
      - Required, here or there.
    type: list
    elements: str
  api_key:
    description:
      - API key. Excludes O(username) and O(password). ECE's built-in users cannot have one.
      - Falls back to E(ECE_API_KEY).
    type: str
  username:
    description:
      - User name, sent as HTTP basic. Where the coordinator refuses that, the module logs in and uses the token it gets.
      - Falls back to E(ECE_USERNAME).
    type: str
  password:
    description:
      - Password of O(username).
      - Falls back to E(ECE_PASSWORD).
    type: str
  ca_path:
    description:
      - File with the CA certificate of the coordinator's certificate, in PEM form, where the module runs. ECE signs its own by default.
      - Wins over E(REQUESTS_CA_BUNDLE). Falls back to E(ECE_CA_PATH).
    type: path
  validate_certs:
    description:
      - Verify the coordinator's certificate. V(false) gives the credentials to whoever answers, with a warning.
      - Falls back to E(ECE_VALIDATE_CERTS).
    type: bool
    default: true
  allow_http:
    description:
      - Accept an V(http://) address in O(url), where credentials travel in clear.
      - Falls back to E(ECE_ALLOW_HTTP).
    type: bool
    default: false
  timeout:
    description:
      - Seconds to wait for an answer to one request. A connection must be made within 10 seconds of them.
    type: int
    default: 30
  retries:
    description:
      - How often a request is tried again after a connection error, HTTP 429, 502, 503, 504, or an answer that the coordinator is not ready.
      - A request that mints a token is never repeated once it was sent; all others have the same effect however often they arrive.
    type: int
    default: 3
requirements:
  - requests (Python library)
"""
