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
  - Refuses a host that has other containers of ECE (C(frc-*), C(fac-*)), and one whose container engine does not answer.
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
      - Enrollment token that permits O(roles) (C(--roles-token)). Required, except in check mode.
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
      - Where to download the installer from. Without it and O(installer_content), it must be at O(installer_path).
    type: str
  installer_content:
    description:
      - The installer itself, as text, to be put at O(installer_path) in place of what is there. For hosts without a way out.
      - It is kept out of logs and results, which a thousand lines of script would fill.
    type: str
    version_added: 1.1.0
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

import os

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.ece.platform.plugins.module_utils import _host as host
from ansible_collections.ece.platform.plugins.module_utils import _installer as installer
from ansible_collections.ece.platform.plugins.module_utils._detached import (
    follow,
    make_folder,
    own_for,
    start_watched,
    write_private,
)
from ansible_collections.ece.platform.plugins.module_utils._ece import (
    DEFAULT_SOCKET,
    DEFAULT_STORAGE_PATH,
    INSTALLER_CONTAINER,
    RUNNER_CONTAINER,
)
from ansible_collections.ece.platform.plugins.module_utils._errors import HostError, OptionError
from ansible_collections.ece.platform.plugins.module_utils._installer_file import (
    check_source,
    checksum_problem,
    download,
    version_problem,
)


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
    elif params["installer_content"]:
        current = params["installer_content"].encode("utf-8")
        where = "installer_content"
    elif current is None:
        text = "installer_path {0} is no file on the host: set installer_url or installer_content, or copy the installer there"
        raise HostError(text.format(path))
    problem = checksum_problem(current, checksum, where)[1] or version_problem(current, params["version"], where)
    if problem:
        raise HostError(problem)
    if params["installer_url"] or params["installer_content"]:
        make_folder(os.path.dirname(path), entry)
        write_private(path, current)
        own_for(path, entry)
        os.chmod(path, 0o700)


# -- the module ----------------------------------------------------------------------------------------------------------


def run(module):
    """The result. Raises OptionError, OptionError, HostError."""
    params = module.params
    argv = installer.arguments(params)
    unchecked = check_source(params["installer_url"], params["installer_checksum"])
    if unchecked:
        module.warn(unchecked)
    if params["timeout"] < 1:
        raise HostError("timeout {0} is too small: use seconds, 1 or more".format(params["timeout"]))
    if not params["token"] and not module.check_mode:
        raise HostError(
            "token is not set: mint one with ece_enrollment_token for the roles {0}".format(", ".join(params["roles"]))
        )
    entry = host.user_facts(params["user"])
    if entry is None:
        raise HostError(
            "user {0} does not exist on the host: create it with a UID and GID of 1000 or more".format(params["user"])
        )
    if os.geteuid() not in (0, entry["uid"]):
        raise HostError(
            "user {0} cannot be taken on: use become to run this as root, or connect as {0}".format(params["user"])
        )
    paths = installer.log_paths(params["storage_path"])
    where = {"log": paths["output"], "record": paths["record"]}

    if host.lock_is_held(paths["lock"]):
        return adopt(params, paths, where)
    foreign = host.installer_processes(params["storage_path"], DEFAULT_STORAGE_PATH)
    if foreign:
        return dict(
            where,
            changed=False,
            msg="an installer that was started by somebody else runs already (pid {0}): nothing done".format(
                foreign[0]
            ),
        )
    engine = host.engine_facts(params["container_engine"], params["user"], params["bin_paths"], params["docker_socket"])
    if not engine["containers_known"]:
        text = "cannot tell whether ECE is on the host: the container engine does not answer ({0}); start it and run this again"
        raise HostError(text.format(engine["containers_error"]))
    if RUNNER_CONTAINER in [container["name"] for container in engine["containers"]]:
        return dict(
            where, changed=False, msg="ECE is installed already (container {0}): nothing done".format(RUNNER_CONTAINER)
        )
    if host.container_runs(engine, INSTALLER_CONTAINER):
        return dict(
            where,
            changed=False,
            msg="an installer runs already (container {0}): nothing done".format(INSTALLER_CONTAINER),
        )
    left = host.ece_containers(engine)
    if left:
        raise HostError(
            "containers of ECE are on the host, but no runner ({0}): remove them before it is installed anew".format(
                ", ".join(left[:3])
            )
        )

    shown = ["elastic-cloud-enterprise.sh", "install"] + installer.without_token(argv)
    result = dict(
        where,
        changed=True,
        diff={"before": "", "after": "joins as {0}: {1}\n".format(", ".join(params["roles"]), " ".join(shown))},
    )
    if module.check_mode:
        return dict(result, msg="would install")
    script = params["installer_path"] or os.path.join(
        os.path.dirname(params["storage_path"].rstrip("/")), "elastic-cloud-enterprise.sh"
    )
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
            "storage_path": {"type": "str", "default": DEFAULT_STORAGE_PATH},
            "docker_socket": {"type": "str", "default": DEFAULT_SOCKET},
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
            "installer_content": {"type": "str", "no_log": True},
            "installer_checksum": {"type": "str"},
            "installer_ca_path": {"type": "path"},
            "timeout": {"type": "int", "default": 1800},
            "wait": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
        mutually_exclusive=[("installer_url", "installer_content")],
    )
    try:
        result = run(module)
    except (OptionError, HostError) as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=host.refusal(error))
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
