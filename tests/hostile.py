# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of a user for work of their own. Each changes or breaks what the tests do, if it reaches them."""

from __future__ import annotations

HOSTILE = {
    "ANSIBLE_CONFIG": "/proc/nowhere/ansible.cfg",
    "ANSIBLE_STDOUT_CALLBACK": "json",
    "ANSIBLE_STRATEGY": "free",
    "ANSIBLE_INVENTORY": "/proc/nowhere",
    "ANSIBLE_HOME": "/proc/nowhere",
    "ANSIBLE_COLLECTIONS_PATH": "/proc/nowhere",
    "CONTROLLER_HOST": "https://production.example.com",
    "TOWER_HOST": "https://production.example.com",
    "EDA_CONTROLLER_HOST": "https://production.example.com",
    "ECE_URL": "https://production.example.com:12443",
    "GIT_DIR": "/proc/nowhere",
    "GIT_INDEX_FILE": "/proc/nowhere",
    "GIT_WORK_TREE": "/proc/nowhere",
    "HTTPS_PROXY": "http://127.0.0.1:1",
    "JUNIT_FAIL_ON_CHANGE": "true",
    "MAKEFLAGS": "-n",
    "MAKELEVEL": "3",
    "MFLAGS": "-n",
    "NETRC": "/proc/nowhere",
    "PYTHONPATH": "/proc/nowhere",
    "REQUESTS_CA_BUNDLE": "/proc/nowhere",
    "SSH_AUTH_SOCK": "/proc/nowhere",
    "SSL_CERT_FILE": "/proc/nowhere",
    "XDG_CONFIG_HOME": "/proc/nowhere",
    "all_proxy": "http://127.0.0.1:1",
    "no_proxy": "production.example.com",
}
