# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A join through each kind of connection. The connection to Podman is in the Molecule scenario expansion."""

from __future__ import annotations

import getpass
import subprocess

import asyncssh
import pytest

from tests.integration.ssh_server import SshServer, listening
from tests.machine import need


def has_connection(core, name):
    """Return whether an ansible-core has a connection plugin."""
    code = f"import importlib.util as util, sys; sys.exit(not util.find_spec('ansible.plugins.connection.{name}'))"
    return subprocess.run([core / "python", "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("connection", ["ssh", "paramiko_ssh"])
def test_hosts_join_through_a_connection(any_operator, connection):
    operator = any_operator
    if connection == "ssh":
        need("ssh")
    if connection == "paramiko_ssh" and not has_connection(operator.core, connection):
        pytest.skip("ansible-core 2.21 and later have no paramiko_ssh")
    key = asyncssh.generate_private_key("ssh-ed25519")
    path = operator.folder / "id"
    key.write_private_key(path)
    path.chmod(0o600)
    # The folder of SSH's shared connections has to be short.
    operator.environment["ANSIBLE_SSH_ARGS"] = "-o ControlMaster=no"
    servers = [SshServer(key=key.export_public_key().decode()) for _host in range(2)]
    with listening(*servers):
        for number, server in enumerate(servers, start=1):
            operator.new_host(f"host-{number}", f"192.0.2.{number}").update(
                ansible_connection=f"ansible.builtin.{connection}",
                ansible_host="127.0.0.1",
                ansible_port=server.port,
                ansible_user=getpass.getuser(),
                ansible_ssh_private_key_file=str(path),
                ansible_host_key_checking=False,
                ansible_ssh_common_args="-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR",
                ece_host_ip=f"192.0.2.{number}",
            )
        run = operator.play(warnings=connection == "paramiko_ssh")  # newer releases of ansible-core deprecate it
    assert run.rc == 0 and operator.ece.joined == ["192.0.2.1", "192.0.2.2"], run.output
    assert operator.ece.minted == 1 and "does not answer" not in run.output
    assert all(server.commands for server in servers)
