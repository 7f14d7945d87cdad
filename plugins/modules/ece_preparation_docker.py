#!/usr/bin/python

# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type  # the host's Python may be 3.6, which has no annotations import

DOCUMENTATION = r"""
module: ece_preparation_docker
short_description: Merge settings into Docker's daemon.json (private)
version_added: 1.0.0
description:
  - "WARNING: Only for the use of role P(ece.platform.ece_host_preparation#role). It may change or go in any release."
  - Keeps all other settings of the file, its mode and its owner, and leaves a backup beside it.
  - Reads and merges on the host, because the file may hold passwords, which the controller need not have.
author:
  - The ece.platform authors (@ece-platform)
extends_documentation_fragment:
  - ece.platform.attributes
attributes:
  action:
    description: Reads the role's variables on the controller.
    support: full
  check_mode:
    support: full
  diff_mode:
    support: partial
    details: Not for a file with a password in it.
  idempotent:
    support: full
options:
  path:
    description:
      - The file. Where it is a link, the file that it leads to changes.
      - Its folder is made where it does not exist.
    type: path
    default: /etc/docker/daemon.json
  settings:
    description:
      - The settings. Mappings in them are merged, and one that is null is removed.
      - Those of the user, in C(ece_host_preparation_docker_settings), outrank them. The action reads them itself.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Set the driver
  ece.platform.ece_preparation_docker:
    settings:
      storage-driver: overlay2
  become: true
"""

RETURN = r"""
path:
  description: The file.
  returned: success
  type: str
  sample: /etc/docker/daemon.json
"""

import os
import tempfile

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.ece.platform.plugins.module_utils._host_process import explain_os_error
from ansible_collections.ece.platform.plugins.module_utils._host_read import read_text
from ansible_collections.ece.platform.plugins.module_utils._preparation_docker import (
    FILE,
    has_secret,
    parse,
    text_with,
)


def main() -> None:
    """Run the module."""
    spec = {"path": {"type": "path", "default": FILE}, "settings": {"type": "dict", "required": True}}
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    # A result has the parameters, and these may hold the password of a proxy, which ANSIBLE_DEBUG would print.
    settings = module.params.pop("settings")
    path = os.path.realpath(module.params["path"])
    before = read_text(path)
    found, error = parse(before)
    if found is None:
        module.fail_json(msg="{0} is not valid JSON ({1}): correct or remove it".format(path, error))
        return  # for mypy, to which Ansible is unknown
    after = text_with(found, settings)
    # Blanks and a byte order mark are no settings, but Docker does not read a file that begins with the latter.
    is_changed = text_with(found, {}) != after or before.startswith("\ufeff") or not os.path.exists(path)
    if is_changed and not module.check_mode:
        try:
            _write(module, path, after)
        except OSError as problem:
            module.fail_json(msg=explain_os_error(problem))
    shown = is_changed and not has_secret(before + after)
    diff = {"before": before, "after": after, "before_header": path, "after_header": path}
    module.exit_json(changed=is_changed, path=path, **({"diff": diff} if shown else {}))


def _write(module: AnsibleModule, path: str, text: str) -> None:
    is_new, folder = not os.path.exists(path), os.path.dirname(path)
    if not is_new:
        module.backup_local(path)
    if not os.path.isdir(folder):
        os.makedirs(folder)
        module.set_mode_if_different(folder, 0o755, False)
    handle, temporary = tempfile.mkstemp(dir=folder)
    with os.fdopen(handle, "w", encoding="utf-8") as target:
        target.write(text)
    # It takes mode and owner of the file in whose place it comes.
    module.atomic_move(temporary, path)
    if is_new:
        module.set_mode_if_different(path, 0o600 if has_secret(text) else 0o644, False)


if __name__ == "__main__":
    main()
