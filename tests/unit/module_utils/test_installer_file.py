# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The installer as a file: only from a trustworthy address, only the right one."""

from __future__ import annotations

import hashlib
import http.server
import io
import threading

import pytest
from ansible.module_utils import urls

from ansible_collections.ece.platform.plugins.module_utils import _installer_file as installer_file
from ansible_collections.ece.platform.plugins.module_utils._errors import HostError, OptionError

SCRIPT = b"#!/bin/bash\nCLOUD_ENTERPRISE_VERSION=3.8.1\n"
URL = "https://downloads.example.com/elastic-cloud-enterprise.sh"
SHA256 = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("url", "checksum", "message"),
    [
        (None, None, None),
        (URL, None, None),
        (URL, SHA256, None),
        (None, SHA256, None),
        ("http://mirror/installer.sh", SHA256, None),
        (URL, "sha384:" + "0" * 96, None),
        (URL, "sha512:" + "F" * 128, None),
        (
            "http://mirror/installer.sh",
            None,
            "http://mirror/installer.sh is not encrypted: use https://, or give installer_checksum",
        ),
        ("http://mirror/installer.sh", "", "is not encrypted"),
        ("ftp://mirror/installer.sh", SHA256, "is not an address"),
        ("file:///etc/shadow", SHA256, "is not an address"),
        ("/opt/installer.sh", None, "is not an address"),
        ("https://", None, "is not an address"),
        ("https://a b", None, "is not an address"),
        ("https://a'b", None, "is not an address"),
        ("https://a\n", None, "is not an address"),
        ("HTTP://mirror/installer.sh", None, "is not an address"),
        (URL, "a" * 64, "is not a checksum: use sha256: followed by 64"),
        (URL, "sha256:" + "a" * 63, "is not a checksum"),
        (URL, "sha256:" + "a" * 65, "is not a checksum"),
        (URL, "sha256:" + "a" * 128, "is not a checksum"),
        (URL, "sha512:" + "a" * 64, "is not a checksum"),
        (URL, "sha256:" + "g" * 64, "is not a checksum"),
        (URL, SHA256 + "\n", "is not a checksum"),
        (URL, "md5:" + "a" * 32, "is not a checksum"),
        (URL, "sha1:" + "a" * 64, "is not a checksum"),
    ],
)
def test_check_source(url, checksum, message):
    if message is None:
        warning = installer_file.check_source(url, checksum)
        assert bool(warning) == bool(url and not checksum)
        assert not warning or f"installer_url {url} has no checksum" in warning
        return
    with pytest.raises(OptionError, match="^ece_host_installer_(url|checksum) .*" + message):
        installer_file.check_source(url, checksum, "ece_host_")


@pytest.mark.parametrize("kind", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("spell", [str.lower, str.upper])
def test_the_right_checksum_is_right_in_either_case(kind, spell):
    digest = hashlib.new(kind, SCRIPT).hexdigest()
    assert installer_file.checksum_problem(SCRIPT, kind + ":" + spell(digest), "x") == (kind + ":" + digest, None)


def test_without_a_checksum_the_result_has_the_files_own():
    assert installer_file.checksum_problem(SCRIPT, None, "x") == ("sha256:" + hashlib.sha256(SCRIPT).hexdigest(), None)


def test_a_wrong_checksum_names_file_and_both_checksums():
    found, problem = installer_file.checksum_problem(SCRIPT, SHA256, "the installer /opt/x.sh")
    own = "sha256:" + hashlib.sha256(SCRIPT).hexdigest()
    assert (found, problem) == (
        own,
        f"the installer /opt/x.sh has checksum {own} instead of {SHA256}: check the file, or correct "
        "installer_checksum.",
    )


@pytest.mark.parametrize(
    ("content", "version", "message"),
    [
        (SCRIPT, "3.8.1", None),
        (SCRIPT, "3.8.9", None),  # the script ignores the patch version too
        (SCRIPT, "3.7.2", None),
        (SCRIPT, None, None),
        (SCRIPT, "3.9.0", "x installs ECE 3.8.1, which is older than 3.9.0: fetch the installer of 3.9.0 or later."),
        (SCRIPT, "3.10.0", "is older than 3.10.0"),
        (SCRIPT, "4.0.0", "is older than 4.0.0"),
        (b"CLOUD_ENTERPRISE_VERSION=3.10.0\n", "3.9.0", None),
        (b"<html>Sign in</html>", None, "x is not elastic-cloud-enterprise.sh"),
        (b"", "3.8.0", "x is not elastic-cloud-enterprise.sh"),
        (b"\xff\xfe\n" + SCRIPT, "3.8.0", None),
    ],
)
def test_version_problem(content, version, message):
    problem = installer_file.version_problem(content, version, "x")
    assert problem is None if message is None else message in problem


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("#!/bin/bash\nCLOUD_ENTERPRISE_VERSION=4.0.3\n", "4.0.3"),
        ('CLOUD_ENTERPRISE_VERSION="3.8.0"\n', "3.8.0"),
        ("CLOUD_ENTERPRISE_VERSION='3.8.0-SNAPSHOT'\n", "3.8.0"),
        ("# CLOUD_ENTERPRISE_VERSION=3.8.0\n", None),
        ("CLOUD_ENTERPRISE_VERSION=$1\n", None),
        ("<html>Not found</html>", None),
    ],
)
def test_script_version(text, version):
    assert installer_file.script_version(text) == version


# -- download, from a server on the loopback address -----------------------------------------------------------------


@pytest.fixture
def server():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/installer.sh" else 404)
            self.end_headers()
            self.wfile.write(SCRIPT)

        def log_message(self, format, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


def test_download_is_the_file(server):
    assert installer_file.download(server + "/installer.sh") == SCRIPT


def test_download_of_nothing_is_an_error_with_address_and_cause(server):
    with pytest.raises(HostError, match="^the installer cannot be downloaded from " + server + "/gone.sh: .*Not Found"):
        installer_file.download(server + "/gone.sh")


def test_download_without_a_server_is_an_error(server):
    with pytest.raises(HostError, match="^the installer cannot be downloaded from http://127.0.0.1:1/x: .*refused"):
        installer_file.download("http://127.0.0.1:1/x")


def test_download_takes_no_more_than_an_installer_may_have(monkeypatch):
    monkeypatch.setattr(installer_file, "SIZE_MAX_BYTES", 1024 * 1024)
    for size, fits in ((1024 * 1024, True), (1024 * 1024 + 1, False)):
        monkeypatch.setattr(urls, "open_url", lambda url, size=size, **options: io.BytesIO(b"x" * size))
        if fits:
            assert len(installer_file.download(URL)) == size
        else:
            with pytest.raises(HostError, match="is larger than 1 MB, so it is not the installer"):
                installer_file.download(URL)


def test_download_trusts_the_given_ca_and_waits_for_a_limited_time(monkeypatch):
    seen = {}
    monkeypatch.setattr(urls, "open_url", lambda url, **options: seen.update(options, url=url) or io.BytesIO(SCRIPT))
    installer_file.download(URL, "/etc/ca.pem")
    assert seen == {"url": URL, "timeout": 60, "ca_path": "/etc/ca.pem"}


def test_a_password_in_the_address_is_refused_and_not_repeated():
    with pytest.raises(OptionError, match="holds a user name or password") as error:
        installer_file.check_source("https://user:hidden@example.com/x.sh", None)
    assert "hidden" not in str(error.value)


@pytest.mark.parametrize(
    "url",
    ["//user:hidden@x/y", "user:hidden@x/y", "ftp://user:hidden@x", "http://user:hidden@x/y", "HTTPS://user:hidden@x"],
)
def test_no_spelling_of_an_address_repeats_its_password(url):
    with pytest.raises(OptionError) as error:
        installer_file.check_source(url, None)
    assert "hidden" not in str(error.value)


def test_an_at_sign_behind_the_host_is_not_a_password():
    for url in ("https://x/a@b/installer.sh", "https://x?mail=a@b", "https://x/#a@b"):
        installer_file.check_source(url, None)


@pytest.mark.parametrize(
    ("content", "is_text"),
    [(b"#!/bin/bash\n", True), ("# \u00e9".encode(), True), (b"\x7fELF\xff", False), (b"# \xe9", False)],
)
def test_only_text_is_an_installer(content, is_text):
    assert installer_file.text_problem(content, "the file") == (
        None if is_text else "the file is not elastic-cloud-enterprise.sh: it is not text."
    )


def test_windows_line_ends_are_named():
    assert installer_file.file_problem(SCRIPT.replace(b"\n", b"\r\n"), "3.8.0", "the file") == (
        "the file has Windows line ends (CR LF), which bash cannot read: convert it, or fetch it again."
    )


@pytest.mark.parametrize("end", [b"main() {\n  echo", b'echo "cut', b"if true; then\n", b"case $1 in\n"])
def test_an_installer_that_is_cut_off_is_named(end):
    problem = installer_file.file_problem(SCRIPT + end, "3.8.0", "the file")
    assert problem.startswith("the file is damaged or cut off (") and problem.endswith("): fetch it again.")
    assert "\n" not in problem


def test_another_file_is_not_called_a_damaged_installer():
    assert "is not elastic-cloud-enterprise.sh" in installer_file.file_problem(b"<html>(", "3.8.0", "the file")


def test_without_bash_an_installer_is_not_read(monkeypatch):
    monkeypatch.setattr(installer_file.shutil, "which", lambda name: None)
    assert installer_file.file_problem(SCRIPT + b"if", "3.8.0", "the file") is None


@pytest.fixture
def refusing_proxy():
    """The address of a proxy that demands another password."""

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(407)

        do_CONNECT = do_GET

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as listener:
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{listener.server_port}"
        listener.shutdown()


def test_a_proxy_that_refuses_is_named_without_its_password(refusing_proxy, monkeypatch):
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.setenv(name, "")
    with pytest.raises(HostError) as error:
        installer_file.download("https://downloads.example.com/x", proxy=f"http://ops:pw-of-proxy@{refusing_proxy}")
    message = str(error.value)
    assert f"through the proxy {refusing_proxy} (installer_proxy): " in message and "407" in message
    assert "pw-of-proxy" not in message


def test_a_proxy_that_is_down_is_named(monkeypatch):
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.setenv(name, "")
    with pytest.raises(HostError, match=r"through the proxy 127.0.0.1:9 \(installer_proxy\): .*refused"):
        installer_file.download("https://downloads.example.com/x", proxy="http://127.0.0.1:9")


# -- what a script says of itself ------------------------------------------------------------------------------------


def test_a_script_says_its_version_its_table_and_its_arguments():
    text = (
        "CLOUD_ENTERPRISE_VERSION=4.0.3\n"
        'ECE_compatibility["4.0"]="RHEL-9_Podman-5"\n'
        "case $1 in\n  --coordinator-host ) shift ;;\n  --selinux) ;;\n  --help|help) ;;\nesac\n"
        "docker run --rm --env X $(podman ps --all)\n"
    )
    assert installer_file.script_facts(text) == {
        "version": "4.0.3",
        "support_matrix": {"4.0": ["RHEL-9 podman 5"]},
        "arguments": ["--all", "--coordinator-host", "--help", "--selinux"],
    }


def test_arguments_that_are_not_recognised_are_none_and_not_few():
    facts = installer_file.script_facts("CLOUD_ENTERPRISE_VERSION=9.0.0\nx=$(docker ps --all)\n")
    assert facts == {"version": "9.0.0", "support_matrix": {}, "arguments": []}
