# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The SSH server of the tests ends the session of a command as OpenSSH's server does."""

from __future__ import annotations

import subprocess

import asyncssh
import pytest

from tests.integration.ssh_server import SshServer, listening

SIZE = 3_000_000
SESSIONS = 4


@pytest.fixture(params=[False, True], ids=["own", "shared"])
def ssh(request, operator):
    """Yield the start of a command that runs another one on a server, in a connection of its own or in a shared one."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    path = operator.folder / "id"
    key.write_private_key(path)
    path.chmod(0o600)
    server = SshServer(key=key.export_public_key().decode())
    shared = ["ControlMaster=auto", "ControlPersist=60s", f"ControlPath={operator.temporary}/s"]
    options = [
        *("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "BatchMode=yes"),
        *(shared if request.param else ["ControlMaster=no"]),
    ]
    with listening(server):
        flags = [word for option in options for word in ("-o", option)]
        yield ["ssh", "-F", "none", *flags, "-i", str(path), "-p", str(server.port), "127.0.0.1"]
        assert len(server.connections) == (1 if request.param else SESSIONS)


@pytest.mark.parametrize(
    ("command", "output", "error"),
    [
        ("exec >&- 2>&-; sleep 0.2; exit 7", b"", b""),
        ("exec >&-; sleep 0.2; echo late >&2; exit 7", b"", b"late\n"),
        (f"head -c {SIZE} /dev/zero; exit 7", bytes(SIZE), b""),
        ("cat; exit 7", b"sent", b""),
    ],
    ids=["closed", "late", "large", "input"],
)
def test_a_client_gets_all_output_and_the_status(ssh, command, output, error):
    for _session in range(SESSIONS):
        run = subprocess.run([*ssh, command], input=b"sent", capture_output=True, timeout=60, check=False)
        assert (run.returncode, run.stderr) == (7, error) and run.stdout == output
