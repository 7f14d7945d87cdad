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
  - The environment has C(PATH), C(HOME), C(USER), C(LOGNAME), C(SHELL) and C(LANG) alone, so that variables that the
    installer or the container engine would read, like C(CLOUD_FEATURE_*) and C(REGISTRY_AUTH_FILE), cannot be passed.
  - Runs on the host as root and drops root's rights for the installer. Without root, the connecting user must be
    O(user).
  - The installer runs detached and supervised. A lost connection does not end it, and a second run waits for it
    instead of starting another.
  - As root, on a host with systemd, it gets a unit of its own (C(ece-install-*.scope)), so that it does not end with
    the session of the connecting user. Where it would (C(KillUserProcesses=yes) in C(/etc/systemd/logind.conf)), there
    is a warning.
  - The installer runs in a private folder of O(user) below C(/tmp), which is removed when it has ended. A
    folder C(/tmp/ece-install-*) stays where the process that watches the installer is killed or the host is rebooted.
  - Does nothing on a host where ECE is installed already, which has a container C(frc-runners-runner).
  - Refuses a host that has other containers of ECE (C(frc-*), C(fac-*)), and a host whose container engine does not
    answer.
  - Refuses values that the installer would misread (it cuts at blanks and evaluates quotes) before it changes anything.
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
      - It is on the command line of the installer while that runs, because the installer takes it in no other way.
    type: str
  token_id:
    description:
      - Id of O(token), if it is a persistent one. It is no secret and is kept in the record, so that a later run can
        revoke the token.
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
  docker_registry_username:
    description:
      - User name at O(docker_registry). With O(docker_registry_password) it is written to C(.docker/config.json) in the
        home folder of O(user), where the container engine's client looks for it. Logins at other registries stay.
      - It is written when ECE is installed, and stays on the host.
    type: str
  docker_registry_password:
    description:
      - Password at O(docker_registry).
    type: str
  docker_registry_login_in_containers:
    description:
      - Give the login to ECE's runner and allocator too, which pull images of deployments later. Without it, a registry
        that demands a login refuses these pulls, unless the images are on the host.
      - This mounts the folder C(.docker) of O(user) into their containers, by a file for the installer's option
        C(--config-file), which is an internal facility of ECE and may change.
    type: bool
    default: false
  docker_repository:
    description:
      - Repository of ECE's images in the registry (C(--ece-docker-repository)).
    type: str
  overwrite_existing_image:
    description:
      - Pull the image even if the host has it (C(--overwrite-existing-image)).
    type: bool
    default: false
  runner_id:
    description:
      - Runner id of the host in the platform (C(--runner-id)). The installer's default is the host's address.
    type: str
  host_ip:
    description:
      - Address of the host (C(--host-ip)). The default is the only address of the default route's interface. Where that
        is not clear, as with two default routes or two addresses, it must be set.
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
      - Names of the host for the certificates that ECE generates (C(--external-hostname)).
    type: list
    elements: str
  api_base_url:
    description:
      - Base of the addresses in single sign-on redirects (C(--api-base-url)).
    type: str
  debug:
    description:
      - Whether the installer logs debug messages (C(--debug)).
    type: bool
    default: false
  force:
    description:
      - Let the installer continue if some of its checks fail (C(--force)).
    type: bool
    default: false
  container_engine:
    description:
      - Container engine on the host. The default is V(docker) if the host has it, else V(podman). With Podman the
        installer gets C(--podman).
    type: str
    choices: [docker, podman]
  selinux:
    description:
      - Let the installer set up SELinux (C(--selinux)), with Podman only.
    type: bool
    default: false
  proxy_protocol_version:
    description:
      - Version of the Proxy Protocol that proxies on the host expect from the load balancer, V(0) for none
        (C(--proxy-protocol-version)).
      - ECE 4.2 and later. The documentation of ECE asks for the same value on every host, also without the role
        C(proxy).
    type: int
    choices: [0, 2]
  proxy_protocol_lenient:
    description:
      - Let proxies also accept connections without a Proxy Protocol header, like health checks
        (C(--proxy-protocol-lenient)).
      - ECE 4.2 and later, with O(proxy_protocol_version=2).
    type: bool
    default: false
  extra_args:
    description:
      - Arguments of the installer that this module has no option for, like V([--proxy-tags, 'ssd:true']).
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
      - Folders that come before the system's own in the installer's search path.
    type: list
    elements: path
    default: []
  installer_path:
    description:
      - Path of the installer on the host. With O(installer_url) it is downloaded to this path, unless the file there
        has O(installer_checksum).
      - The default is C(elastic-cloud-enterprise.sh) beside O(storage_path).
    type: path
  installer_url:
    description:
      - Address to download the installer from. Without it and O(installer_content), the installer must be at
        O(installer_path).
    type: str
  installer_content:
    description:
      - Text of the installer, which replaces the file at O(installer_path). For hosts without internet access.
      - It is kept out of logs and results, which a thousand lines of script would fill.
    type: str
  installer_checksum:
    description:
      - Checksum that the installer must have, like
        V(sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03).
    type: str
  installer_ca_path:
    description:
      - File on the host with the CA certificates for O(installer_url), if the system does not have them.
    type: path
  installer_proxy:
    description:
      - URL of an HTTP proxy for the download from O(installer_url), like V(http://proxy.example.com:3128).
      - Without it, the download uses the proxy in the environment of the task.
    type: str
  state_path:
    description:
      - Folder in which root keeps lock, record and output of an install, where no other user can change them. It is
        made if it is missing, and no other user may be able to change it or a folder above it. The primary group of
        O(user) may read record and output. Without root, they are in C(logs/ece-install) below O(storage_path).
    type: path
    default: /var/lib/ece-install
  timeout:
    description:
      - Seconds after which a running installer is stopped, with all its processes and its container.
    type: int
    default: 1800
  wait:
    description:
      - Wait until the installer has ended. With V(false) the module returns once it runs; the file in RV(record) then
        gets the result.
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
msg:
  description: What was done, or why the installer failed with what to do about it.
  returned: always
  type: str
  sample: installed in 271 s
rc:
  description: Exit code of the installer. It is null if the installer was interrupted or still runs.
  returned: when the installer has ended and was waited for
  type: int
  sample: 0
meaning:
  description: Meaning of the exit code.
  returned: when the installer has ended and was waited for
  type: str
  sample: installed
remedy:
  description: What to do about a failure; empty after success.
  returned: when the installer has ended and was waited for
  type: str
  sample: ""
output:
  description: Last 40 lines of the installer's output, without the token.
  returned: when the installer has ended and was waited for
  type: list
  elements: str
  sample: [Installation done]
bootstrap_log:
  description: Last 40 lines that this installer wrote to C(bootstrap.log), without the token.
  returned: when the installer has ended and was waited for
  type: list
  elements: str
  sample: []
errors:
  description: Failed checks of the installer's container, and the last errors in the installer's own logs below
    C(logs/bootstrap-logs), without date and logger.
  returned: when the installer has ended and was waited for
  type: list
  elements: str
  sample: []
seconds:
  description: Seconds that the installer ran. It is null if the installer was interrupted or still runs.
  returned: when the installer has ended and was waited for
  type: float
  sample: 271.4
log:
  description: File on the host with the installer's whole output, without the token.
  returned: success
  type: str
  sample: /var/lib/ece-install/mnt-data-elastic-5cad516e/output.log
record:
  description: File on the host with the state and the result of the installer, as JSON.
  returned: success
  type: str
  sample: /var/lib/ece-install/mnt-data-elastic-5cad516e/record.json
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.ece.platform.plugins.module_utils._errors import HostError, OptionError
from ansible_collections.ece.platform.plugins.module_utils._host_process import explain_os_error
from ansible_collections.ece.platform.plugins.module_utils._install import run
from ansible_collections.ece.platform.plugins.module_utils._install_options import INSTALL_OPTIONS, argument_spec


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=argument_spec(INSTALL_OPTIONS),
        supports_check_mode=True,
        mutually_exclusive=[("installer_url", "installer_content")],
    )
    try:
        result = run(module)
    except (OptionError, HostError) as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=explain_os_error(error))
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
