# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of a user for work of their own. Each changes or breaks what the tests do, if it reaches them."""

from __future__ import annotations

HOSTILE = {
    "ANSIBLE_CONFIG": "/nowhere/ansible.cfg",
    "ANSIBLE_STDOUT_CALLBACK": "json",
    "ANSIBLE_STRATEGY": "free",
    "ANSIBLE_INVENTORY": "/nowhere",
    "ANSIBLE_HOME": "/nowhere",
    "ANSIBLE_COLLECTIONS_PATH": "/nowhere",
    "CONTROLLER_HOST": "https://production.example.com",
    "TOWER_HOST": "https://production.example.com",
    "EDA_CONTROLLER_HOST": "https://production.example.com",
    "ECE_URL": "https://production.example.com:12443",
    "GIT_DIR": "/nowhere",
    "GIT_INDEX_FILE": "/nowhere",
    "GIT_WORK_TREE": "/nowhere",
    "HTTPS_PROXY": "http://127.0.0.1:1",
    "JUNIT_FAIL_ON_CHANGE": "true",
    "MAKEFLAGS": "-n",
    "MAKELEVEL": "3",
    "MFLAGS": "-n",
    "NETRC": "/nowhere",
    "PYTHONPATH": "/nowhere",
    "REQUESTS_CA_BUNDLE": "/nowhere",
    "SSH_AUTH_SOCK": "/nowhere",
    "SSL_CERT_FILE": "/nowhere",
    "XDG_CONFIG_HOME": "/nowhere",
    "all_proxy": "http://127.0.0.1:1",
    "no_proxy": "production.example.com",
}
