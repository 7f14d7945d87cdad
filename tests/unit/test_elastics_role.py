# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is left to do on machines that elastic/ansible-elastic-cloud-enterprise has prepared.

Their files are as its commit f5ddabd of 2025-04 writes them, and where it is known what that role does since (pull
requests 220 to 230 of 2026), as that does. What is left has to be what page Migrating from Elastic's role says.
"""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _preparation as preparation
from ansible_collections.ece.platform.plugins.module_utils import _preparation_docker as docker
from ansible_collections.ece.platform.plugins.module_utils import _preparation_kernel as kernel
from ansible_collections.ece.platform.plugins.module_utils import _preparation_limits as limits
from ansible_collections.ece.platform.plugins.module_utils import _preparation_podman as podman
from ansible_collections.ece.platform.plugins.module_utils import _preparation_user as user
from ansible_collections.ece.platform.plugins.module_utils._preparation_mounts import parse_fstab
from tests.unit.preparation import SYSTEMS, facts, options

ARGUMENTS = "cgroup_enable=memory swapaccount=1 cgroup.memory=nokmem"
FLAGS = (
    "-H unix:///var/run/docker.sock --data-root /mnt/data/docker --storage-driver=overlay2 --bip=172.17.42.1/16 "
    "--raw-logs --icc=false"
)
SYSCTLS = {
    "net.ipv4.tcp_max_syn_backlog": "65536",
    "net.core.somaxconn": "32768",
    "net.core.netdev_max_backlog": "32768",
    "vm.max_map_count": "262144",
    "vm.swappiness": "1",
    "net.ipv4.tcp_keepalive_time": "1800",
    "net.netfilter.nf_conntrack_tcp_timeout_established": "7200",
    "net.netfilter.nf_conntrack_max": "262140",
    "net.ipv4.ip_forward": "1",
}
LIMITS = """\
*\tsoft\tnofile\t1024000
*\thard\tnofile\t1024000
*\tsoft\tmemlock\tunlimited
*\thard\tmemlock\tunlimited
elastic\tsoft\tnofile\t1024000
elastic\thard\tnofile\t1024000
elastic\tsoft\tmemlock\tunlimited
elastic\thard\tmemlock\tunlimited
root\tsoft\tnofile\t1024000
root\thard\tnofile\t1024000
root\tsoft\tmemlock\tunlimited
"""
ULIMITS = """\
{"default-ulimits": {
  "nofile": {"Name": "nofile", "Hard": 1024000, "Soft": 1024000},
  "memlock": {"Name": "memlock", "Hard": -1, "Soft": -1},
  "nproc": {"Name": "nproc", "Hard": -1, "Soft": -1}
}}
"""
# Files of all machines.
FILES = {
    "etc/sysctl.d/70-cloudenterprise.conf": "".join(f"{key}={value}\n" for key, value in SYSCTLS.items()),
    "etc/modules-load.d/conntrack.conf": "ip_conntrack",
    "etc/modules-load.d/overlay.conf": "overlay",
    "etc/security/limits.d/70-cloudenterprise.conf": LIMITS,
    "etc/sudoers.d/99-ece-users": "elastic ALL=(ALL) NOPASSWD:ALL\n",
    "etc/fstab": "/dev/lxc/data /mnt/data xfs defaults,pquota,prjquota,x-systemd.automount 0 0\n"
    "/dev/lxc/swap swap swap swap 0 0\n",
    "etc/default/grub": f'GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX="quiet {ARGUMENTS} {ARGUMENTS}"\n',
}
# What is added in 2026. The names of these files are not known.
FILES_OF_2026 = {
    "etc/security/limits.d/70-cloudenterprise.conf": f"{LIMITS}elastic\t-\tnproc\tunlimited\n",
    "etc/systemd/system.conf.d/limits.conf": "[Manager]\nDefaultLimitNOFILE=1024000\n",
    "etc/docker/daemon.json": ULIMITS,
}
PODMAN_FILES = {
    "usr/lib/systemd/system/podman.socket": "[Socket]\nListenStream=%t/podman/podman.sock\nSocketMode=0770\n"
    "SocketGroup=podman\nDirectoryMode=0777\n",
    "usr/share/containers/storage.conf": '[storage]\ndriver = "overlay"\nrunroot = "/run/containers/storage"\n'
    'graphroot = "/var/lib/containers/storage"\n',
}
# Those of Elastic's page, which the role of 2026 follows.
PODMAN_FILES_OF_2026 = {
    "etc/systemd/system/podman.socket.d/podman.conf": "[Socket]\nListenStream=\nListenStream=/var/run/docker.sock\n"
    "SocketMode=770\nSocketUser=elastic\nSocketGroup=podman\n",
    "etc/containers/storage.conf": '[storage]\ndriver = "overlay"\nrunroot = "/mnt/data/docker/runroot/"\n'
    'graphroot = "/mnt/data/docker"\n',
    "etc/containers/containers.conf": '[containers]\ndefault_ulimits = [\n  "nofile=1024000:1024000",\n'
    '  "memlock=-1:-1",\n  "nproc=-1:-1",\n]\n\n[network]\nnetwork_backend = "cni"\n',
}
WRAPPER = '#!/bin/bash\npodman-remote --url unix:///var/run/docker.sock "$@"\n'


class Machine:
    """A machine below a folder, with the state that its files do not tell."""

    def __init__(self, root: Any, system: str, files: dict[str, str]) -> None:
        self.root, self.system = str(root), system
        for path, text in {**FILES, **files}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        self.engine = SYSTEMS[system]["engine"]
        self.version = "27.5.1" if self.engine == "docker" else "5.4.0"
        self.packages: list[str] = []
        self.swap = [{"path": "/dev/dm-0", "mb": 4096, "used_mb": 0}]
        self.wrapper = ""
        self.restarts_containers = True
        self.socket = "/run/podman/podman.sock"

    def text(self, path: str) -> str:
        try:
            with open(f"{self.root}/{path}", encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def read(self, given: dict[str, Any]) -> dict[str, Any]:
        system, at_boot = SYSTEMS[self.system], kernel.settings(self.root)
        wanted = kernel.wanted_settings(facts("", {}), given, system)
        fstab = [dict(entry, device="/dev/dm-1") for entry in parse_fstab(self.text("etc/fstab"))]
        mount: dict[str, Any] = {"device": "253:1", "root": "/", "path": "/mnt/data", "type": "xfs"}
        mount.update(source="/dev/mapper/lxc-data", options=["prjquota", "rw"])
        folder = {"uid": 1234, "mode": 0o700, "folder": True}
        return {
            "user": {
                "groups": {"elastic": 1234, self.engine: 990},
                "uid_of": "",
                "gid_of": "",
                "sudoers": [self.text(user.SUDOERS_OF_PAGES[1:]), self.text(user.SUDOERS[1:])],
                "with_groups": True,
            },
            "storage": {
                "path": "/mnt/data",
                "real": "/mnt/data",
                "mount": mount,
                "holding": mount,
                "fstab": fstab[:1],
                "unit": None,
                "above": [],
                "entries": ["docker", "elastic"],
                "users": [],
                "device": None,
                "folders": dict.fromkeys(("/mnt/data", "/mnt/data/elastic", "/mnt/data/docker"), folder),
                "quotas": True,
                "mkfs": True,
                "kernel": "6.8",
            },
            "limits": {
                "limits": limits.limits_files(self.root),
                "manager": limits.manager_files(self.root),
                "now": 1024000 if self.text("etc/systemd/system.conf.d/limits.conf") else 1024,
            },
            "kernel": {
                "wanted": wanted,
                "at_boot": at_boot,
                "own": "",
                "now": {key: at_boot[key][-1][1] if key in at_boot else "15" for key in wanted},
                "modules_at_boot": kernel.loaded_at_boot(self.root),
                "loadable": True,
                "loaded": dict.fromkeys(kernel.modules_for(wanted, given, system), True),
            },
            "boot": {
                "tool": "/sbin/tool",
                "now": f"quiet {ARGUMENTS}",
                "grub": self.text("etc/default/grub"),
                "drop_in": "",
                "kernels": [f"ro quiet {ARGUMENTS}"] if system["boot_tool"] == "grubby" else None,
            },
            "engine": {
                "versions": {self.engine: self.version},
                "others": {},
                "snap": False,
                "packages": {
                    "installed": dict.fromkeys([*self.packages, *system["packages"]], "1"),
                    "provided": {},
                    "held": [],
                    "interrupted": False,
                },
                "codename": "noble",
                "sources": {},
                "versionlock": True,
                "offered": {},
                "has_proxy": False,
                self.engine: self.read_docker() if self.engine == "docker" else self.read_podman(),
            },
            "swap": {"active": self.swap, "fstab": fstab[1:], "units": []},
            "selinux": {"configured": "", "policy": "targeted"},
            "firewalld": {"opened": [], "at_boot": []},
            "services": {"synchronized": True},
            "registry": {},
        }

    def read_docker(self) -> dict[str, Any]:
        text = self.text("etc/docker/daemon.json")
        # The drop-in docker.service.d/docker.conf, as systemd shows it.
        shown = (
            "LoadState=loaded\n"
            "ExecStart={ path=/usr/bin/dockerd ; argv[]=/usr/bin/dockerd $DOCKER_OPTS ; ignore_errors=no ; }\n"
            f'Environment="DOCKER_OPTS={FLAGS}"\n'
        )
        flags = docker.unit_flags(shown, self.root)
        return {
            "text": text,
            "mode": "0644" if text else None,
            "flags": flags,
            "root": "/mnt/data/docker",
            "is_wanted_root": True,
            "containers": 0,
            "images": 0,
        }

    def read_podman(self) -> dict[str, Any]:
        found = podman.read_podman({}, options(), SYSTEMS[self.system], self.root)
        listen = {"Listen": f"{self.socket} (Stream)", "ActiveState": "active", "UnitFileState": "enabled"}
        path = podman.DOCKER_COMMAND if self.wrapper else None
        return {
            **found,
            "is_installed": True,
            "has_group": True,
            "socket": {**listen, "kind": "other", "closed": None, "target": None},
            "docker": {"path": path, "script": self.wrapper, "is_podman": False, "package": ""},
            "interfaces": ["lo"],
        }

    def plan(self, **given: Any) -> dict[str, Any]:
        """What the role would do: its problems, and the steps of each part that has some."""
        all_options = options(ece_host_version="4.2.0", **given)
        unit = {"now": "active", "at_boot": "enabled"}
        found = facts(
            "",
            {},
            os={"id": "x", "version": "x", "matrix_name": self.system},
            architecture="x86_64",
            user={
                "name": "elastic",
                "uid": 1234,
                "gid": 1234,
                "home": "/home/elastic",
                "groups": ["elastic", self.engine],
            },
            engine={
                "name": self.engine,
                "version": self.version,
                "docker_command": "/usr/bin/docker",
                "podman_remote": True,
            },
            socket={"path": "/var/run/docker.sock", "is_socket": True},
            units={
                **{f"{name}.service": unit for name in ("docker", "podman")},
                "podman-restart.service": unit
                if self.restarts_containers
                else {"now": "inactive", "at_boot": "disabled"},
            },
        )
        found["preparation"] = self.read(all_options)
        plan = preparation.plan_parts(found, all_options, SYSTEMS[self.system])
        steps = {name: plan["parts"][name]["steps"] for name in plan["todo"]}
        return {"problems": plan["problems"], "notes": plan["notes"], "reboot": plan["reboot"], **steps}


NOTHING: dict[str, Any] = {"problems": [], "notes": [], "reboot": []}
KERNEL = [
    "set vm.max_map_count=1048576 in /etc/sysctl.d/zz-ece.conf",
    "set net.ipv4.tcp_retries2=5 in /etc/sysctl.d/zz-ece.conf",
]
# That role does not rotate the logs of containers.
LOGS = "set log-driver, log-opts in /etc/docker/daemon.json"
RESTART = (
    "Docker runs, and its settings have to change ({} in /etc/docker/daemon.json): set "
    "ece_host_preparation_restart_engine: true, which restarts it and stops its containers for that time."
)
PACKAGES = ["docker-ce", "docker-ce-cli", "containerd.io"]
HOLD = "hold docker-ce, docker-ce-cli, containerd.io at the version"


def test_ubuntu_in_its_newest_state(tmp_path):
    machine = Machine(tmp_path, "Ubuntu-24.04", FILES_OF_2026)
    machine.version, machine.packages = "29.4.1", PACKAGES
    assert machine.plan() == {
        **NOTHING,
        "kernel": KERNEL,
        "engine": [HOLD, LOGS],
        "problems": [RESTART.format("log-driver, log-opts")],
    }
    assert machine.plan(ece_host_preparation_restart_engine=True) == {
        **NOTHING,
        "kernel": KERNEL,
        "engine": [HOLD, LOGS, "restart Docker"],
    }


def test_ubuntu_of_2025_gets_limits_too(tmp_path):
    machine = Machine(tmp_path, "Ubuntu-22.04", {})
    machine.packages = PACKAGES
    found = machine.plan()
    keys = "default-ulimits, log-driver, log-opts"
    assert found.pop("limits") == [
        "set limits of users in /etc/security/limits.d/70-ece.conf",
        "set DefaultLimitNOFILE=1024000 of systemd in /etc/systemd/system.conf.d/70-ece.conf",
    ]
    assert found == {
        **NOTHING,
        "kernel": KERNEL,
        "engine": [HOLD, f"set {keys} in /etc/docker/daemon.json"],
        "problems": [RESTART.format(keys)],
    }


def test_docker_from_an_archive_on_sles(tmp_path):
    # Its unit has no package, so that there is nothing to lock.
    machine = Machine(tmp_path, "SLES-15", FILES_OF_2026)
    machine.version = "29.7.2"
    assert machine.plan(ece_host_preparation_restart_engine=True) == {
        **NOTHING,
        "kernel": KERNEL,
        "engine": [LOGS, "restart Docker"],
    }


@pytest.mark.parametrize(("value", "left"), [("1048576", KERNEL[1:]), ("262144", KERNEL)])
def test_settings_of_the_kernel_that_are_right_stay(tmp_path, value, left):
    text = FILES["etc/sysctl.d/70-cloudenterprise.conf"].replace("262144", value)
    machine = Machine(tmp_path, "SLES-15", {"etc/sysctl.d/70-cloudenterprise.conf": text})
    assert machine.plan()["kernel"] == left


def test_podman_as_on_elastics_page(tmp_path):
    machine = Machine(tmp_path, "RHEL-9", {**FILES_OF_2026, **PODMAN_FILES, **PODMAN_FILES_OF_2026})
    machine.packages = ["podman", "podman-remote", "containernetworking-plugins", "python3-dnf-plugin-versionlock"]
    machine.wrapper, machine.socket = WRAPPER, "/run/docker.sock"
    assert machine.plan() == {
        **NOTHING,
        "kernel": KERNEL,
        "engine": ["hold podman-5.4.*, podman-remote-5.4.* at the version"],
    }


def test_podman_of_2025_gets_the_rest_of_that_page(tmp_path):
    machine = Machine(tmp_path, "RHEL-9", PODMAN_FILES)
    machine.packages = ["podman", "podman-remote", "containernetworking-plugins", "python3-dnf-plugin-versionlock"]
    machine.restarts_containers = False
    found = machine.plan()
    assert {**found, "engine": [], "limits": []} == {**NOTHING, "kernel": KERNEL, "engine": [], "limits": []}
    assert found["engine"] == [
        "hold podman-5.4.*, podman-remote-5.4.* at the version",
        "let /usr/bin/docker call podman-remote with /var/run/docker.sock",
        "let podman.socket listen at /var/run/docker.sock for user elastic and group podman",
        "keep images and containers at /mnt/data/docker",
        "set the limits of containers to nofile=1024000:1024000, memlock=-1:-1, nproc=-1:-1",
        "let Podman use CNI for its networks",
        "enable podman-restart.service",
        "start podman.socket",
    ]
    # To keep the socket of that role, set its path. User elastic is added to those who may use it.
    kept = machine.plan(ece_host_docker_socket="/run/podman/podman.sock")["engine"]
    assert "let podman.socket listen at /run/podman/podman.sock for user elastic and group podman" in kept


def test_a_director_turns_its_swap_off(tmp_path):
    machine = Machine(tmp_path, "Ubuntu-22.04", FILES_OF_2026)
    machine.packages = PACKAGES
    found = machine.plan(ece_host_roles=["director"])
    assert found["swap"] == [
        "comment out in /etc/fstab: /dev/lxc/swap swap swap swap 0 0",
        "turn off swap /dev/dm-0 (4096 MB)",
    ]


def test_these_files_are_what_the_plan_is_made_of(tmp_path):
    """Without them there would be more to do, in the parts that have none."""
    empty = dict.fromkeys([*FILES, *FILES_OF_2026], "")
    empty["etc/fstab"] = FILES["etc/fstab"].replace("pquota,prjquota", "noatime")
    found = Machine(tmp_path, "SLES-15", empty).plan(ece_host_preparation_sudo=True)
    assert {"user", "storage", "limits", "kernel", "boot", "engine"} <= set(found)
    assert "load the kernel's module nf_conntrack now and at boot" in found["kernel"]
