#!/usr/bin/python

# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type  # the host's Python may be 3.6, which has no annotations import

DOCUMENTATION = r"""
module: ece_install
short_description: Install ECE on a host, so that it joins a platform
version_added: 1.0.0
description:
  - Runs C(elastic-cloud-enterprise.sh install) as O(user) with a checked argument list and a clean environment.
  - Runs on the host as root, and gives up root's rights by itself; where it does not run as root, the connecting user must be O(user).
  - The installer runs detached and under watch. A lost connection does not end it, and a second run finds it and waits instead of starting another.
  - Does nothing where ECE is installed already (there is a container C(frc-runners-runner)).
  - Values that the installer would misread (it cuts at blanks and evaluates quotes) are refused before anything happens.
author:
  - The ece.platform authors (@ece-platform)
extends_documentation_fragment:
  - ece.platform.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  coordinator_host:
    description:
      - Address of a coordinator of the platform, as the host reaches it (C(--coordinator-host)).
    type: str
    required: true
  token:
    description:
      - Enrollment token that permits O(roles) (C(--roles-token)). Required, except in check mode and where an installer is running already.
      - It is on the command line of the installer while that runs; there is no other way to hand it over.
    type: str
  roles:
    description:
      - Roles that the host is to get (C(--roles)).
    type: list
    elements: str
    default: [allocator]
  version:
    description:
      - Version of ECE to install, which must be the platform's (C(--cloud-enterprise-version)).
    type: str
  storage_path:
    description:
      - Folder that ECE keeps its data in (C(--host-storage-path)).
    type: str
    default: /mnt/data/elastic
  docker_socket:
    description:
      - Socket of the container engine (C(--host-docker-host)).
    type: str
    default: /var/run/docker.sock
  docker_registry:
    description:
      - Registry to pull images from (C(--docker-registry)).
    type: str
  docker_repository:
    description:
      - Repository of ECE's images in the registry (C(--ece-docker-repository)).
    type: str
  overwrite_existing_image:
    description:
      - Pull the image even where it is there (C(--overwrite-existing-image)).
    type: bool
    default: false
  runner_id:
    description:
      - Id that the platform is to know the host by (C(--runner-id)). The installer's default is the host's address.
    type: str
  host_ip:
    description:
      - Address of the host (C(--host-ip)). The installer's default is that of the default route's interface.
    type: str
  zone:
    description:
      - Availability zone (C(--availability-zone)). The installer's default is V(ece-zone-1).
    type: str
  capacity:
    description:
      - Memory in MB that the allocator may give to deployments, 8192 or more (C(--capacity)).
    type: int
  memory_settings:
    description:
      - "Heap sizes of ECE's services (C(--memory-settings)), like V({runner: {xms: 1G, xmx: 1G}})."
      - Services are C(admin-console), C(allocator), C(constructor), C(director), C(runner) and C(zookeeper).
    type: raw
  allocator_tags:
    description:
      - Tags of the allocator (C(--allocator-tags)), as a mapping.
    type: raw
  timeout_factor:
    description:
      - Factor for the installer's own time limits (C(--timeout-factor)).
    type: float
  external_hostname:
    description:
      - Host name for the certificates that ECE generates (C(--external-hostname)).
    type: str
  api_base_url:
    description:
      - Base of the addresses in single sign-on redirects (C(--api-base-url)).
    type: str
  debug:
    description:
      - Let the installer log more (C(--debug)).
    type: bool
    default: false
  force:
    description:
      - Let the installer go on when some of its checks fail (C(--force)).
    type: bool
    default: false
  container_engine:
    description:
      - Container engine on the host. With V(podman) the installer gets C(--podman).
    type: str
    choices: [docker, podman]
  selinux:
    description:
      - Let the installer set up SELinux (C(--selinux)), with O(container_engine=podman) only.
    type: bool
    default: false
  extra_args:
    description:
      - More arguments for the installer, for those without an option here, like V([--proxy-tags, 'ssd:true']).
    type: list
    elements: str
    default: []
  user:
    description:
      - User that the installer runs as, with a UID and GID of 1000 or more.
    type: str
    default: elastic
  bin_paths:
    description:
      - Folders that go before the system's own in the installer's search path.
    type: list
    elements: path
    default: []
  installer_path:
    description:
      - Where the installer is on the host. With O(installer_url) it is downloaded to there.
      - The default is C(elastic-cloud-enterprise.sh) beside O(storage_path).
    type: path
  installer_url:
    description:
      - Where to download the installer from. Without it, it must be at O(installer_path).
    type: str
  installer_checksum:
    description:
      - Checksum that the installer must have, like V(sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03).
    type: str
  installer_ca_path:
    description:
      - File on the host with the CA certificates for O(installer_url), where the system does not know them.
    type: path
  timeout:
    description:
      - Seconds after which an installer that has not ended is stopped, with all its processes and its container.
    type: int
    default: 1800
  wait:
    description:
      - Wait until the installer has ended. With V(false) the module returns once it runs; the record in RV(record) tells how it went.
    type: bool
    default: true
seealso:
  - module: ece.platform.ece_host_info
  - module: ece.platform.ece_enrollment_token
"""

EXAMPLES = r"""
- name: Mint a token
  ece.platform.ece_enrollment_token:
    url: https://ece.example.com:12443
    ca_path: /etc/ece/ca.pem
    roles: [allocator]
  delegate_to: localhost
  run_once: true
  no_log: true
  register: minted

- name: Join the platform as an allocator
  ece.platform.ece_install:
    coordinator_host: ece.example.com
    token: "{{ minted.token }}"
    roles: [allocator]
    version: 3.8.0
    zone: ece-zone-1
    installer_url: https://download.elastic.co/cloud/elastic-cloud-enterprise.sh
  become: true
"""

RETURN = r"""
rc:
  description: Exit code of the installer.
  returned: when it has ended
  type: int
  sample: 0
meaning:
  description: What the exit code means.
  returned: when it has ended
  type: str
  sample: installed
remedy:
  description: What to do about a failure; empty after success.
  returned: when it has ended
  type: str
  sample: ""
output:
  description: Last 40 lines of the installer's output, without the token.
  returned: when it has ended
  type: list
  elements: str
  sample: [Installation done]
bootstrap_log:
  description: Last 40 lines of its bootstrap.log, without the token.
  returned: when it has ended
  type: list
  elements: str
  sample: []
seconds:
  description: How long it took.
  returned: when it has ended
  type: float
  sample: 271.4
log:
  description: File on the host with its whole output, without the token.
  returned: when it was started
  type: str
  sample: /mnt/data/elastic/logs/ece-install/output.log
record:
  description: File on the host that tells how the installer stands.
  returned: when it was started
  type: str
  sample: /mnt/data/elastic/logs/ece-install/record.json
"""

import collections
import fcntl
import json
import os
import select
import signal
import subprocess
import time

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.ece.platform.plugins.module_utils import host, installer
from ansible_collections.ece.platform.plugins.module_utils.installer_file import InstallerFileError, check_source, checksum_problem, download, version_problem

GRACE_SECONDS = 10
POLL_SECONDS = 0.5


class InstallError(Exception):
    """The installer cannot be started: one sentence."""


# -- files on the host ---------------------------------------------------------------------------------------------------


def own_for(path, entry):
    """Give a path that root has made to the install user."""
    if os.geteuid() == 0:
        os.chown(path, entry["uid"], entry["gid"])


def make_folder(path, entry):
    """A private folder of the install user, with the folders above it that are missing."""
    missing = []
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    for folder in reversed(missing):
        os.mkdir(folder, 0o700)
        own_for(folder, entry)


def write_private(path, content):
    """Write a file as a whole or not at all; nobody but its owner reads it."""
    temporary = path + ".new"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as target:
        target.write(content)
    os.rename(temporary, path)


def provide_script(params, path, entry):
    """See to it that the right installer is at its path."""
    current = None
    if os.path.isfile(path):
        with open(path, "rb") as source:
            current = source.read()
    where = "the installer " + path
    checksum = params["installer_checksum"]
    if params["installer_url"]:
        if current is None or not checksum or checksum_problem(current, checksum, where)[1]:
            current = download(params["installer_url"], params["installer_ca_path"])
            where = "the installer at " + params["installer_url"]
    elif current is None:
        raise InstallError("installer_path {0} is no file on the host: set installer_url, or copy the installer there".format(path))
    problem = checksum_problem(current, checksum, where)[1] or version_problem(current, params["version"], where)
    if problem:
        raise InstallError(problem)
    if params["installer_url"]:
        make_folder(os.path.dirname(path), entry)
        write_private(path, current)
        own_for(path, entry)
        os.chmod(path, 0o700)


# -- the installer under watch -------------------------------------------------------------------------------------------


def start_watched(command, params, paths, entry, environment):
    """Start the installer detached from this module; False when another watcher has it already."""
    make_folder(paths["folder"], entry)
    lock = os.open(paths["lock"], os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return False
    started = {"started": time.time(), "timeout": params["timeout"], "roles": params["roles"]}
    write_private(paths["record"], json.dumps(started).encode())
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        os.close(lock)  # the watcher's copy still holds the lock
        return True
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        # Whatever still holds the module's output open would keep the connection waiting.
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        watch(command, params, paths, started, environment)
    except Exception as error:
        record = dict(started, finished=time.time(), seconds=0, rc=126, output=["{0}: {1}".format(type(error).__name__, error)])
        write_private(paths["record"], json.dumps(record).encode())
    finally:
        os._exit(0)


def watch(command, params, paths, started, environment):
    """Run the installer to its end, keep its output without the token, leave the record."""
    lines = collections.deque(maxlen=installer.TAIL_LINES)
    secrets = [params["token"]]
    log = os.open(paths["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        cwd="/",
        preexec_fn=host.become_user(params["user"]),
        start_new_session=True,
    )
    stream = process.stdout.fileno()
    os.set_blocking(stream, False)
    pending, timed_out = b"", False
    deadline = time.monotonic() + params["timeout"]
    while True:
        ended = process.poll() is not None
        ready = select.select([stream], [], [], 0 if ended else POLL_SECONDS)[0]
        chunk = os.read(stream, 65536) if ready else b""
        pending += chunk
        *whole, pending = pending.split(b"\n")
        if ended and not chunk:
            whole, pending = whole + ([pending] if pending else []), b""
        for line in whole:
            text = installer.redact(line.decode("utf-8", "replace"), secrets)
            lines.append(text)
            os.write(log, text.encode("utf-8") + b"\n")
        if ended and not chunk:
            break
        if ready and not chunk and not ended:
            time.sleep(POLL_SECONDS)  # output closed, process still there
        if not timed_out and time.monotonic() > deadline:
            timed_out = True
            stop(process, params)
    finished = time.time()
    record = dict(
        started,
        finished=finished,
        seconds=round(finished - started["started"], 1),
        rc=process.returncode,
        timed_out=timed_out,
        output=list(lines),
        bootstrap_log=installer.tail(installer.redact(host.read(paths["bootstrap"]), secrets)),
    )
    write_private(paths["record"], json.dumps(record).encode())


def stop(process, params):
    """End the installer, everything it started, and its container, which is not its child."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(GRACE_SECONDS)
            break
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    engine = host.find_command("docker", params["bin_paths"]) or host.find_command("podman", params["bin_paths"])
    if engine:
        host.run([engine, "rm", "--force", installer.INSTALLER_CONTAINER], user=params["user"], paths=params["bin_paths"])


def follow(paths):
    """The record, once nobody holds the lock any more."""
    while host.lock_is_held(paths["lock"]):
        time.sleep(POLL_SECONDS)
    try:
        return json.loads(host.read(paths["record"]) or "{}")
    except ValueError:
        return {}


# -- the module ----------------------------------------------------------------------------------------------------------


def run(module):
    """The result. Raises OptionError, InstallerFileError, InstallError."""
    params = module.params
    argv = installer.arguments(params)
    check_source(params["installer_url"], params["installer_checksum"])
    if params["timeout"] < 1:
        raise InstallError("timeout {0} is too small: use seconds, 1 or more".format(params["timeout"]))
    if not params["token"] and not module.check_mode:
        raise InstallError("token is not set: mint one with ece_enrollment_token for the roles {0}".format(", ".join(params["roles"])))
    entry = host.user_facts(params["user"])
    if entry is None:
        raise InstallError("user {0} does not exist on the host: create it with a UID and GID of 1000 or more".format(params["user"]))
    if os.geteuid() not in (0, entry["uid"]):
        raise InstallError("user {0} cannot be taken on: use become to run this as root, or connect as {0}".format(params["user"]))
    paths = installer.log_paths(params["storage_path"])
    where = {"log": paths["output"], "record": paths["record"]}

    if host.lock_is_held(paths["lock"]):
        return adopt(params, paths, where)
    foreign = host.installer_processes(params["storage_path"], installer.DEFAULT_STORAGE_PATH)
    if foreign:
        return dict(where, changed=False, msg="an installer that was started by somebody else runs already (pid {0}): nothing done".format(foreign[0]))
    engine = host.engine_facts(params["container_engine"], params["user"], params["bin_paths"])
    if installer.RUNNER_CONTAINER in [container["name"] for container in engine["containers"]]:
        return dict(where, changed=False, msg="ECE is installed already (container {0}): nothing done".format(installer.RUNNER_CONTAINER))

    shown = ["elastic-cloud-enterprise.sh", "install"] + installer.without_token(argv)
    result = dict(where, changed=True, diff={"before": "", "after": "joins as {0}: {1}\n".format(", ".join(params["roles"]), " ".join(shown))})
    if module.check_mode:
        return dict(result, msg="would install")
    script = params["installer_path"] or os.path.join(os.path.dirname(params["storage_path"].rstrip("/")), "elastic-cloud-enterprise.sh")
    provide_script(params, script, entry)
    environment = host.clean_environment(params["user"], entry["home"], params["bin_paths"])
    command = [host.find_command("bash") or "/bin/bash", script, "install"] + argv
    if not start_watched(command, params, paths, entry, environment):
        return adopt(params, paths, where)
    if not params["wait"]:
        return dict(result, msg="the installer runs")
    outcome = installer.outcome(follow(paths), params["storage_path"])
    return dict(result, failed=outcome["rc"] != 0, **outcome)


def adopt(params, paths, where):
    """An installer is running already: never a second one."""
    result = dict(where, changed=False, msg="an installer runs already: not started again")
    if not params["wait"]:
        return result
    outcome = installer.outcome(follow(paths), params["storage_path"])
    return dict(result, failed=outcome["rc"] != 0, **outcome)


def main():
    module = AnsibleModule(
        argument_spec={
            "coordinator_host": {"type": "str", "required": True},
            "token": {"type": "str", "no_log": True},
            "roles": {"type": "list", "elements": "str", "default": ["allocator"]},
            "version": {"type": "str"},
            "storage_path": {"type": "str", "default": installer.DEFAULT_STORAGE_PATH},
            "docker_socket": {"type": "str", "default": host.DEFAULT_SOCKET},
            "docker_registry": {"type": "str"},
            "docker_repository": {"type": "str"},
            "overwrite_existing_image": {"type": "bool", "default": False},
            "runner_id": {"type": "str"},
            "host_ip": {"type": "str"},
            "zone": {"type": "str"},
            "capacity": {"type": "int"},
            "memory_settings": {"type": "raw"},
            "allocator_tags": {"type": "raw"},
            "timeout_factor": {"type": "float"},
            "external_hostname": {"type": "str"},
            "api_base_url": {"type": "str"},
            "debug": {"type": "bool", "default": False},
            "force": {"type": "bool", "default": False},
            "container_engine": {"type": "str", "choices": ["docker", "podman"]},
            "selinux": {"type": "bool", "default": False},
            "extra_args": {"type": "list", "elements": "str", "default": []},
            "user": {"type": "str", "default": "elastic"},
            "bin_paths": {"type": "list", "elements": "path", "default": []},
            "installer_path": {"type": "path"},
            "installer_url": {"type": "str"},
            "installer_checksum": {"type": "str"},
            "installer_ca_path": {"type": "path"},
            "timeout": {"type": "int", "default": 1800},
            "wait": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    try:
        result = run(module)
    except (installer.OptionError, InstallerFileError, InstallError) as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg="the host refused: {0}".format(error))
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
