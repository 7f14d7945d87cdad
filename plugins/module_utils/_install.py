# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Install ECE on this host: everything that module ece_install does.

Runs on hosts: Python 3.6 and the standard library.
"""

import os
from typing import Any, Dict, List, Mapping, Optional

from ansible_collections.ece.platform.plugins.module_utils import _host_facts as host_facts
from ansible_collections.ece.platform.plugins.module_utils import _installer_file as installer_file
from ansible_collections.ece.platform.plugins.module_utils import _registry_login as registry_login
from ansible_collections.ece.platform.plugins.module_utils._container_engine import (
    container_runs,
    ece_containers,
    engine_facts,
    wrong_engine,
)
from ansible_collections.ece.platform.plugins.module_utils._detached import Job, Started, start_detached
from ansible_collections.ece.platform.plugins.module_utils._ece import (
    INSTALLER_CONTAINER,
    RUNNER_CONTAINER,
    SCRIPT_NAME,
    UID_MIN,
)
from ansible_collections.ece.platform.plugins.module_utils._errors import HostError, OptionError
from ansible_collections.ece.platform.plugins.module_utils._host_files import (
    check_state_base,
    make_folder,
    place_of,
    write_private,
)
from ansible_collections.ece.platform.plugins.module_utils._host_installer import right_script, script_path
from ansible_collections.ece.platform.plugins.module_utils._host_process import User, find_command, find_user
from ansible_collections.ece.platform.plugins.module_utils._install_files import (
    OUTPUT,
    RECORD,
    RUNNING,
    RUNS,
    UNWATCHED,
    Place,
    follow,
    look,
    places,
)
from ansible_collections.ece.platform.plugins.module_utils._install_options import arguments, without_token
from ansible_collections.ece.platform.plugins.module_utils._install_record import checked_record, outcome
from ansible_collections.ece.platform.plugins.module_utils._text import one_line

# What a supervisor may take to stop an installer at its time limit and to write the record.
STOP_SECONDS = 120

Params = Mapping[str, Any]
Result = Dict[str, Any]


def run(module: Any) -> Result:
    """The result of ece_install. Raises OptionError, HostError or OSError."""
    params = _with_host_ip(module.params)
    registry_login.check_login(params)
    arguments(params)  # refuses before anything else is looked at
    unchecked = installer_file.check_source(params["installer_url"], params["installer_checksum"])
    if unchecked:
        module.warn(unchecked)
    _check_run(params, module.check_mode)
    user = _install_user(params["user"])
    check_state_base(params["state_path"])
    found = places(params["storage_path"], params["state_path"])
    place, state, record = look(found)
    if state in RUNS:
        return _adopt(params, place, record, state)
    place = found[0]
    foreign = host_facts.installer_processes(params["storage_path"])
    if foreign:
        return _unchanged(
            place, f"an installer that this collection does not supervise runs already (pid {foreign[0]})"
        )
    engine = _engine(params)
    present = _what_is_present(engine)
    if present:
        return _unchanged(place, present)
    params = _completed(params, engine["name"])
    argv = [*arguments(params), *registry_login.config_arguments(params)]
    result = dict(_locations(place), changed=True, diff=_diff(params, [SCRIPT_NAME, "install", *without_token(argv)]))
    if module.check_mode:
        return dict(result, msg="would install")
    script = provide_script(params, user)
    registry_login.write_login(params, user)
    job = _job(params, [find_command("bash") or "/bin/bash", script, "install", *argv], user, place, engine["name"])
    started = start_detached(job)
    if not started:
        return _adopt(params, place, {})
    for warning in _session_warnings(started):
        module.warn(warning)
    if not params["wait"]:
        return dict(result, msg="the installer runs")
    return dict(result, **_followed(params, place, params["timeout"]))


def _with_host_ip(params: Params) -> Params:
    """The options with the host's address, where it is clear: the script takes several addresses for one argument."""
    return dict(params, host_ip=params["host_ip"] or host_facts.only_address())


def _completed(params: Params, engine: Optional[str]) -> Params:
    """The options with the engine that the host has. Raises HostError where the installer would fail."""
    problem = wrong_engine(params["container_engine"], engine)
    if problem is None and not params["host_ip"]:
        problem = host_facts.why_no_only_address()
    if problem:
        raise HostError(problem)
    return dict(params, container_engine=engine)


def _session_warnings(started: Started) -> List[str]:
    if started.ends_with_session:
        return [
            "this host's logind ends all processes of a user together with the user's session (KillUserProcesses=yes), "
            "so a lost connection ends the installer: become root for this task (ece_host_become: true), or set "
            "KillUserProcesses=no in /etc/systemd/logind.conf"
        ]
    if started.session_error:
        return [
            "the installer runs in the session of the connecting user, because systemd did not give it a unit of its "
            f"own: {one_line(started.session_error)}"
        ]
    return []


def _job(params: Params, command: List[str], user: User, place: Place, engine: Optional[str]) -> Job:
    return Job(
        command=command,
        user=user,
        place=place,
        storage_path=params["storage_path"].rstrip("/"),
        token=params["token"],
        token_id=params["token_id"],
        roles=params["roles"],
        timeout=params["timeout"],
        engine=engine,
        bin_paths=params["bin_paths"],
        docker_socket=params["docker_socket"],
    )


# -- before the install ----------------------------------------------------------------------------------------------


def _check_run(params: Params, check_mode: bool) -> None:
    if params["timeout"] < 1:
        raise OptionError(f"timeout {params['timeout']} is too small: use seconds, 1 or more")
    if not params["token"] and not check_mode:
        raise OptionError(
            f"token is not set: mint one with ece_enrollment_token for the roles {', '.join(params['roles'])}"
        )


def _install_user(name: str) -> User:
    """The user to run the installer as. Raises HostError."""
    user = find_user(name)
    if user is None:
        raise HostError(f"user {name} does not exist on the host: create it with a UID and GID of {UID_MIN} or more")
    if os.geteuid() not in (0, user.uid):
        raise HostError(f"this task cannot run as user {name}: use become to run it as root, or connect as {name}")
    return user


def _engine(params: Params) -> Dict[str, Any]:
    """Facts of a container engine that lists its containers. Raises HostError."""
    engine = engine_facts(params["container_engine"], params["user"], params["bin_paths"], params["docker_socket"])
    if not engine["containers_known"]:
        raise HostError(
            "it is not known whether ECE is on the host: the container engine does not answer "
            f"({engine['containers_error']}); start it and run this again"
        )
    return engine


def _what_is_present(engine: Mapping[str, Any]) -> Optional[str]:
    """The reason to do nothing, if ECE is on the host or being installed. Raises HostError if only parts are left."""
    names = ece_containers(engine)
    if RUNNER_CONTAINER in names:
        return f"ECE is installed already (container {RUNNER_CONTAINER})"
    if container_runs(engine, INSTALLER_CONTAINER):
        return f"an installer runs already (container {INSTALLER_CONTAINER})"
    if names:
        raise HostError(
            f"the host has containers of ECE, but no runner ({', '.join(names[:3])}): remove them and run this again"
        )
    return None


def provide_script(params: Params, user: User) -> str:
    """The path of the right installer, which is put there first where the options have it. Raises HostError."""
    path = script_path(params["installer_path"], params["storage_path"])
    # Root reads and writes where the install user may have put a link or a pipe.
    content = right_script(params)
    if params["installer_url"] or params["installer_content"]:
        folder, name = os.path.split(path)
        make_folder(folder, user)
        write_private(place_of(folder), name, content, user, 0o700)
    return path


# -- results ---------------------------------------------------------------------------------------------------------


def _locations(place: Place) -> Result:
    return {"log": place.path(OUTPUT), "record": place.path(RECORD)}


def _unchanged(place: Place, reason: str) -> Result:
    return dict(_locations(place), changed=False, msg=f"{reason}: nothing done")


def _diff(params: Params, shown: List[str]) -> Dict[str, str]:
    return {"before": "", "after": f"joins as {', '.join(params['roles'])}: {' '.join(shown)}\n"}


def _adopt(params: Params, place: Place, record: Mapping[str, Any], state: str = RUNNING) -> Result:
    """The result of an installer that runs already; a second one is never started."""
    text = "an installer runs already: not started again"
    if state == UNWATCHED:
        text = "an installer runs already, although the process that watched it was killed: not started again"
    result = dict(_locations(place), changed=False, msg=text)
    if not params["wait"]:
        return result
    return dict(result, **_followed(params, place, _timeout_of(params, place, record)))


def _timeout_of(params: Params, place: Place, record: Mapping[str, Any]) -> float:
    """The time limit of an installer that runs already."""
    if os.geteuid() == 0 and place != places(params["storage_path"], params["state_path"])[0]:
        return float(params["timeout"])  # the install user may have written any number there
    return max(checked_record(record).get("timeout") or 0, float(params["timeout"]))


def _followed(params: Params, place: Place, timeout: float) -> Result:
    """The result of the running installer, once it has ended or should have ended."""
    result = outcome(follow([place], timeout + STOP_SECONDS), params["storage_path"])
    return dict(result, failed=result["rc"] != 0)
