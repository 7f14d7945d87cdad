# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cost of a preparation with a real Docker, compared with a play that only installs the same packages."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import yaml

from tests.bench.machines import Machines
from tests.bench.mirror import MB_A_SECOND, Mirror
from tests.bench.operator import Operator, one_play
from tests.bench.table import Row
from tests.standin import StandIn

NETWORK = "10.213.29"
PACKAGES = ["docker.io", "iptables"]
# Hosts, forks, and how much of a processor each host has at most. Real hosts have processors of their own, and these
# share two with the controller. So apt runs on two at a time, or the hosts are too slow to compete while it runs on
# five, which is Ansible's own number. Where five compete, this machine is measured. The goal is for twenty hosts.
RUNS = ((2, 2, None), (20, 2, None), (20, 5, 0.2), (20, 5, None))
HOSTS_OF_GOAL, RATIO_MAX = 20, 1.2
ROLE = Path(__file__).resolve().parents[2] / "roles" / "ece_host_preparation"
# Servers of Ubuntu have these two, and images of Ubuntu for clouds no lists of packages. What apt downloads comes
# through the proxy, and from now on at its rate.
SET_UP = f"""
set -e
echo 'Acquire::http::Proxy "{{url}}";' >/etc/apt/apt.conf.d/90bench
sed -i 's/https:/http:/' /etc/apt/sources.list
export DEBIAN_FRONTEND=noninteractive
apt-get install -qq --yes python3-apt xfsprogs >/dev/null 2>&1
rm -rf /var/cache/apt/archives/*.deb /var/cache/apt/*.bin /var/lib/apt/lists/*
echo 'Acquire::http::Dl-Limit "{MB_A_SECOND * 1000}";' >>/etc/apt/apt.conf.d/90bench
"""


def measure(operator: Operator, fleet: int) -> list[Row]:
    """Measure the installation and the preparation, each on hosts that are bare."""
    rows: list[Row] = []
    apt = {"name": PACKAGES, "update_cache": True}
    floor_play = operator.write("apt.json", one_play("allocators", become=True, tasks=[{"ansible.builtin.apt": apt}]))
    with StandIn() as ece:
        for count, forks, share in RUNS:
            seconds: list[float] = []
            for what, playbook in (("apt", floor_play), ("prepare_hosts", "ece.platform.prepare_hosts")):
                with Machines(operator.folder, count, network=NETWORK, kind="ubuntu") as hosts:
                    with Mirror(operator.folder / f"{what}-{count}-{forks}-{share}", hosts.gateway) as mirror:
                        hosts.run(SET_UP.replace("{url}", mirror.url))
                        if share:
                            hosts.slow_down(share)
                        inventory = operator.write("prepare.json", hosts.inventory(ece, count, **_variables()))
                        before, used = hosts.sessions(), hosts.processor_seconds()
                        options = ("--forks", str(forks), "--extra-vars", f"@{_systems(operator)}")
                        # The floor gets the setting that the role has.
                        seen = operator.play(ece, inventory, playbook, options, ANSIBLE_PIPELINING="true")
                        trips = {hosts.sessions()[name] - before[name] for name in hosts.addresses}
                        busy = (hosts.processor_seconds() - used) / count
                shown = str(min(trips)) if len(trips) == 1 else f"{min(trips)} to {max(trips)}"
                seconds.append(seen.seconds)
                rows.append(
                    Row(
                        f"bare{', slow' if share else ''}: {what}, {forks} forks",
                        count,
                        seen.seconds,
                        f"{busy:.1f} s of a processor a host",
                        round_trips=shown,
                        peak_mb=seen.peak_mb,
                    )
                )
            rows[-1].figure = f"{seconds[1] / seconds[0]:.2f} of apt, {rows[-1].figure}"
            rows[-1].limit = str(RATIO_MAX) if count == HOSTS_OF_GOAL else ""
    return rows


def _variables() -> dict[str, Any]:
    """What the hosts need because they are containers: they have the kernel and the limits of this machine."""
    nofile, memlock = (resource.getrlimit(limit)[1] for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_MEMLOCK))
    limits = {"nofile": min(nofile, 1024000) if nofile > 0 else 1024000, "nproc": 4096, "memlock": memlock}
    conntrack = int(Path("/proc/sys/net/netfilter/nf_conntrack_max").read_text(encoding="utf-8"))
    return {
        "ece_host_version": "3.8.0",
        "ece_host_preparation_device": "/dev/disk/by-id/virtio-ece-data",
        "ece_host_preparation_format": True,
        "ece_host_preparation_engine_source": "system",
        "ece_host_preparation_engine_packages": PACKAGES,
        "ece_host_preparation_docker_settings": {
            "default-ulimits": {name: {"Name": name, "Hard": value, "Soft": value} for name, value in limits.items()}
        },
        # There is no boot loader, and what is swapped to would be this machine's.
        "ece_host_preparation_skip": ["boot", "swap"],
        "ece_host_preparation_sysctls": {"net.netfilter.nf_conntrack_max": conntrack},
    }


def _systems(operator: Operator) -> Path:
    """Write the table of systems without the quotas for XFS that this machine's kernel may lack."""
    known = yaml.safe_load((ROLE / "vars" / "main.yml").read_text(encoding="utf-8"))["__ece_host_preparation_systems"]
    storage = {"options": "defaults,nofail,x-systemd.automount", "passno": "2"}
    known["Ubuntu-20.04"] = {**known["Ubuntu-20.04"], "storage": storage}
    return operator.write("systems.json", {"__ece_host_preparation_systems": known})
