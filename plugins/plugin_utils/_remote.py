# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a command on another host of the play than the task's own.

One task watches over many hosts, so it needs their connections. They are made as Ansible's own executor makes them, with each
host's variables, connection plugin and become method; nothing here knows of SSH.
"""

from __future__ import annotations

import copy
import os

from ansible import constants as C
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.loader import become_loader, connection_loader


def on_host(action, variables, become: bool):
    """A copy of the action whose low level commands run on the host that the variables (OneHost) belong to.

    become: whether that host's tasks become another user; the action's own task speaks for one host only.
    """
    task = action._task
    play_context = action._play_context.copy()
    task_keys = task.dump_attrs()
    # The task's timeout and retries are not the connection's.
    task_keys["timeout"] = play_context.timeout
    task_keys.pop("retries", None)
    if play_context.password:
        task_keys["password"] = play_context.password

    name = variables.get("ansible_connection") or task.connection
    name = "ssh" if name == "smart" else name
    play_context.connection = name
    connection = connection_loader.get(name, play_context, os.devnull)
    if connection is None:
        raise ValueError(f"there is no connection plugin {name}")
    wanted = C.config.get_plugin_vars("connection", connection._load_name)
    options = {"_extras": {}, **variables.select(wanted)}
    connection.set_options(task_keys=task_keys, var_options=options)

    shell = connection._shell
    shell.set_options(
        task_keys=task_keys, var_options=variables.select(C.config.get_plugin_vars("shell", shell._load_name))
    )

    own = variables.get("ansible_become")
    if boolean(own) if own is not None else become:
        method = variables.get("ansible_become_method") or task.become_method
        plugin = become_loader.get(method)
        if plugin is None:
            raise ValueError(f"there is no become plugin {method}")
        if play_context.become_pass:
            task_keys["become_pass"] = play_context.become_pass
        plugin.set_options(
            task_keys=task_keys, var_options=variables.select(C.config.get_plugin_vars("become", plugin._load_name))
        )
        connection.set_become_plugin(plugin)
    play_context.set_attributes_from_plugin(connection)

    other = copy.copy(action)
    other._connection = connection
    other._play_context = play_context
    return other
