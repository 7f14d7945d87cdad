# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connection options of everything that uses the API."""

from __future__ import annotations


class ModuleDocFragment:
    """Connection options."""

    DOCUMENTATION = r"""
options:
  url:
    description:
      - Addresses of the platform's coordinators, like V(https://ece.example.com:12443). Blanks around an address and
        the path C(/api/v1) at its end are left out.
      - If there are several, they are asked in order until one answers that is ready. The next one is asked at once
        after a connection error, after HTTP status 502, 503 or 504, after an answer that the coordinator is not ready
        yet, and after one that does not come from the API, such as a web page. A request that mints a token goes to
        one of them only; the module looks for one that is ready before.
      - If not set, the value of the environment variable E(ECE_URL) is used. One of them is required.
    type: list
    elements: str
  api_key:
    description:
      - API key for the platform. It cannot be combined with O(username) and O(password). ECE's built-in users cannot
        have API keys.
      - If not set, the value of the environment variable E(ECE_API_KEY) is used.
    type: str
  username:
    description:
      - User name for the platform, which is sent with HTTP basic authentication. If the coordinator refuses that, the
        module logs in and uses the session token.
      - If not set, the value of the environment variable E(ECE_USERNAME) is used.
    type: str
  password:
    description:
      - Password of O(username).
      - If not set, the value of the environment variable E(ECE_PASSWORD) is used.
    type: str
  ca_path:
    description:
      - Absolute path of a file with the CA certificate that signed the coordinator's certificate, in PEM format, on the
        machine that runs the module. By default, ECE signs certificates with its own CA.
      - It takes precedence over the environment variable E(REQUESTS_CA_BUNDLE).
      - If not set, the value of the environment variable E(ECE_CA_PATH) is used.
    type: path
  validate_certs:
    description:
      - Whether to verify the coordinator's certificate. With V(false), the module warns that an attacker on the network
        can take the credentials.
      - If not set, the value of the environment variable E(ECE_VALIDATE_CERTS) is used.
    type: bool
    default: true
  allow_http:
    description:
      - Whether to accept V(http://) addresses in O(url), to which credentials are sent unencrypted.
      - If not set, the value of the environment variable E(ECE_ALLOW_HTTP) is used.
    type: bool
    default: false
  timeout:
    description:
      - Number of seconds until the answer to one request to one coordinator has to be complete, from 1 to 86400. A
        connection has to be made within 10 seconds of them. Looking up the coordinator's name is not counted.
    type: int
    default: 30
  retries:
    description:
      - How often a request is repeated, each time after a pause, after HTTP status 429, and when no address in O(url)
        has given more than a connection error, HTTP status 502, 503 or 504, or an answer that the coordinator is not
        ready yet.
      - A request that mints a token, begins a move or starts maintenance mode is never repeated once it was sent. All
        other requests have the same effect however often they arrive.
    type: int
    default: 3
requirements:
  - requests (Python library)
"""
