# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures of the unit tests: modules run by their main(), and HTTP by a script."""

from __future__ import annotations

import contextlib
import json
import os
from unittest import mock

import pytest
from ansible.module_utils import basic
from ansible.module_utils.common import warnings as module_warnings

from ansible_collections.ece.platform.plugins.module_utils import _enrollment as enrollment
from ansible_collections.ece.platform.plugins.module_utils._client import EceClient
from tests.unit.scripted import API_KEY, URL, Script

MEANINGFUL_VARIABLES = (
    *("ECE_URL", "ECE_API_KEY", "ECE_USERNAME", "ECE_PASSWORD", "ECE_CA_PATH", "ECE_VALIDATE_CERTS", "ECE_ALLOW_HTTP"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"),
)


class Result(dict):
    """The result of a module, and the text that it printed."""

    def __init__(self, printed):
        super().__init__(json.loads(printed))
        self.printed = printed

    @property
    def warnings(self):
        return [str(warning) for warning in self.get("warnings", [])]


@contextlib.contextmanager
def module_arguments(arguments):
    try:
        from ansible.module_utils.testing import patch_module_args
    except ImportError:  # ansible-core before 2.19
        with mock.patch.object(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()):
            yield
    else:
        with patch_module_args(arguments):
            yield


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """An environment without connection options, netrc, proxy and CA."""
    for name in MEANINGFUL_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return monkeypatch


@pytest.fixture
def sleeps(monkeypatch):
    """The seconds that clients would have slept."""
    slept: list[float] = []
    # Each process of a parallel run has its own lock: a test that waited for another would wait without sleeping.
    monkeypatch.setattr(enrollment, "MINT_LOCK_NAME", f"\0ece.platform.test.{os.getpid()}")
    monkeypatch.setitem(EceClient.__init__.__kwdefaults__, "sleep", slept.append)
    return slept


@pytest.fixture
def ece():
    """The platform, which answers by a script."""
    with Script() as script:
        yield script


@pytest.fixture
def make_client(environment, sleeps):
    """Return a function that makes an EceClient, with an API key unless it gets a user name."""

    def make(*urls, **options):
        if "username" not in options:
            options.setdefault("api_key", API_KEY)
        return EceClient(urls or [URL], **options)

    return make


@pytest.fixture
def on_target(monkeypatch):
    """Make Ansible return a module's warnings in its result.

    Since 2.19 it shows them instead in a process that has imported anything of the controller, as other tests do.
    """
    try:
        from ansible.module_utils import _internal
    except ImportError:
        return
    # 2.18 has the package without the attribute.
    monkeypatch.setattr(_internal, "is_controller", False, raising=False)


@pytest.fixture
def run_module(capsys, environment, sleeps, on_target):
    """Return a function that runs a module's main() as Ansible does and reads what it prints, with masked secrets."""

    def run(module, *, check_mode=False, connection=None, **arguments):
        connection = {"url": [URL], "api_key": API_KEY} if connection is None else connection
        internal = {
            "_ansible_check_mode": check_mode,
            "_ansible_diff": True,
            "_ansible_module_name": module.__name__.rpartition(".")[2],
        }
        module_warnings._global_warnings.clear()  # they live as long as the process, which usually runs one module
        capsys.readouterr()
        with module_arguments({**connection, **arguments, **internal}), pytest.raises(SystemExit):
            module.main()
        return Result(capsys.readouterr().out)

    return run
