# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings and modules of the kernel."""

from __future__ import annotations

import re

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _preparation_kernel as kernel
from ansible_collections.ece.platform.plugins.module_utils._host_read import read_text
from ansible_collections.ece.platform.plugins.module_utils._preparation_part import marked
from tests.unit.preparation import RHEL, SLES, UBUNTU, facts, options


def read(system=RHEL, *, now=None, at_boot=None, own="", loaded=None, modules_at_boot=(), loadable=True, **given):
    found = facts("kernel", {}, **given.pop("facts", {}))
    wanted = kernel.wanted_settings(found, options(**given), system)
    return {
        "wanted": wanted,
        "at_boot": at_boot or {},
        "own": own,
        "now": {**dict.fromkeys(wanted, "0"), **(now or {})},
        "modules_at_boot": list(modules_at_boot),
        "loadable": loadable,
        "loaded": dict.fromkeys(kernel.modules_for(wanted, options(**given), system), False)
        if loaded is None
        else loaded,
    }


def plan(read, system=RHEL, **given):
    return kernel.plan_kernel(facts("kernel", read), options(**given), system)


def right(system=RHEL):
    wanted = kernel.wanted_settings(facts("kernel", {}), options(), system)
    return read(
        system,
        now=wanted,
        at_boot={key: [(kernel.SYSCTL_FILE, value)] for key, value in wanted.items()},
        loaded=dict.fromkeys(kernel.modules_for(wanted, options(), system), True),
        modules_at_boot=kernel.modules_for(wanted, options(), system),
    )


@pytest.mark.parametrize("system", [RHEL, UBUNTU, SLES], ids=["rhel", "ubuntu", "sles"])
def test_a_bare_host_gets_all_settings_and_a_second_run_none(system):
    found = plan(read(system), system)
    assert found.values["sysctls"] == [f"{key}={value}" for key, value in system["sysctls"].items()]
    assert found.values["block"].splitlines() == found.values["sysctls"] and "content" not in found.values
    assert found.values["sysctl_file"] == kernel.SYSCTL_FILE
    again = plan(right(system), system)
    assert not again.steps
    assert [again.values[name] for name in ("modules", "sysctls", "later_lines")] == [[], [], []]
    assert not {"block", "content"} & set(again.values)


def test_a_value_that_is_better_stays():
    state = right()
    for key, value in (("vm.max_map_count", "2147483642"), ("vm.swappiness", "0")):
        state["now"][key], state["at_boot"][key] = value, [("/usr/lib/sysctl.d/10-map-count.conf", value)]
    assert not plan(state).steps


@pytest.mark.parametrize(("where", "value"), [("now", "262144"), ("at_boot", [("/usr/lib/x.conf", "262144")])])
def test_a_value_that_is_wrong_now_or_at_boot_is_set(where, value):
    state = right()
    state[where]["vm.max_map_count"] = value
    assert plan(state).steps == ["set vm.max_map_count=1048576 in /etc/sysctl.d/zz-ece.conf"]


def test_a_value_that_no_file_sets_is_gone_at_boot():
    state = right()
    del state["at_boot"]["vm.swappiness"]
    assert plan(state).values["sysctls"] == ["vm.swappiness=1"]


def test_the_file_of_the_role_keeps_comments_and_other_settings():
    text = marked("vm.a=1\n# ours\nvm.swappiness=1\n- vm/swappiness = 60\n")
    state = {**right(), "own": text}
    state["at_boot"]["vm.swappiness"] = [(kernel.SYSCTL_FILE, "60")]
    del state["at_boot"][MAP_COUNT]
    found = plan(state)
    assert found.values["content"] == marked(
        "vm.a=1\n# ours\nvm.swappiness=1\nvm.swappiness=1\nvm.max_map_count=1048576\n"
    )
    assert "block" not in found.values and found.values["sysctls"] == [f"{MAP_COUNT}=1048576", "vm.swappiness=1"]


def test_settings_follow_the_lines_of_a_file_without_our_marks():
    assert kernel.text_with("vm.a = 1", {"vm.b": "2"}) == "vm.a = 1\nvm.b=2\n"


def host(tmp_path, **files):
    """Return the state of a host that has these files and right values now."""
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, newline="")
    own = read_text(str(tmp_path / kernel.SYSCTL_FILE.lstrip("/")))
    return {**right(), "at_boot": kernel.settings(str(tmp_path)), "own": own}


def write(tmp_path, found):
    """Do what the tasks do: blockinfile or copy for the role's file, and lineinfile for others."""
    own = tmp_path / kernel.SYSCTL_FILE.lstrip("/")
    own.parent.mkdir(parents=True, exist_ok=True)
    if "block" in found.values:
        own.write_text(marked(found.values["block"] + "\n"))
    elif "content" in found.values:
        own.write_text(found.values["content"])
    for item in found.values["later_lines"]:
        path = tmp_path / item["path"].lstrip("/")
        lines = path.read_text().splitlines()
        number = [number for number, line in enumerate(lines) if re.search(item["regexp"], line)][-1]
        lines[number] = item["line"]
        path.write_text("\n".join(lines) + "\n")
    return host(tmp_path)


MAP_COUNT = "vm.max_map_count"
STEP = "set vm.max_map_count=1048576 in /etc/sysctl.d/zz-ece.conf"


@pytest.mark.parametrize("name", ["elasticsearch.conf", "k8s.conf", "docker.conf", "99-zzz.conf", "99-sysctl.conf"])
def test_the_file_of_the_role_outranks_those_of_others(tmp_path, name):
    state = host(tmp_path, **{"usr/lib/sysctl.d/" + name: "vm.max_map_count=262144\n"})
    found = plan(state)
    assert STEP in found.steps and not found.values["later_lines"] and not found.problems
    again = plan(write(tmp_path, found))
    assert not again.steps and not again.problems


@pytest.mark.parametrize("path", ["etc/sysctl.d/zzz.conf", "etc/sysctl.conf"])
def test_a_file_that_is_read_later_is_changed_too(tmp_path, path):
    text = "# ours\n vm.max_map_count = 1048576\nvm.a = 1\n- vm/max_map_count = 262144\n#vm.max_map_count=1\n"
    found = plan(host(tmp_path, **{path: text}))
    line = {"path": "/" + path, "regexp": kernel.line_of(MAP_COUNT), "line": "vm.max_map_count=1048576"}
    assert found.values["later_lines"] == [line] and not found.problems
    assert f"set vm.max_map_count=1048576 in /{path}, which is read later" in found.steps
    again = plan(write(tmp_path, found))
    assert not again.steps and not again.problems
    assert (tmp_path / path).read_text() == text.replace("- vm/max_map_count = 262144", "vm.max_map_count=1048576")


def test_what_systemd_reads_last_counts_beside_what_sysctl_reads_last(tmp_path):
    files = {"usr/lib/sysctl.d/k8s.conf": "vm.max_map_count=262144\n", "etc/sysctl.conf": "vm.max_map_count=1048576\n"}
    found = plan(host(tmp_path, **files))
    assert STEP in found.steps and not found.values["later_lines"]
    assert not plan(write(tmp_path, found)).steps


def test_a_file_of_a_package_that_is_read_later_is_named_unless_it_is_right(tmp_path):
    path = "usr/lib/sysctl.d/zzz.conf"
    (problem,) = plan(host(tmp_path, **{path: "vm.max_map_count=262144\n"})).problems
    assert problem == (
        "/usr/lib/sysctl.d/zzz.conf sets vm.max_map_count=262144 and is read after /etc/sysctl.d/zz-ece.conf, where "
        "1048576 is needed: remove the line from /usr/lib/sysctl.d/zzz.conf, or give vm.max_map_count no value in "
        "ece_host_preparation_sysctls to leave it as it is."
    )
    found = plan(host(tmp_path, **{path: "vm.max_map_count=2000000\n"}))
    assert not found.problems and STEP not in found.steps


def test_the_expression_for_a_line_finds_no_other_key():
    line = kernel.line_of("vm.max_map_count")
    assert re.search(line, "  -vm/max_map_count = 1")
    assert not [
        text for text in ("vm.max_map_counts=1", "#vm.max_map_count=1", "vm.maxXmap_count=1") if re.search(line, text)
    ]


def test_sles_sends_keepalives_earlier_and_a_lower_value_stays():
    key = "net.ipv4.tcp_keepalive_time"
    assert key not in UBUNTU["sysctls"] and {**UBUNTU["sysctls"], key: 1800} == SLES["sysctls"]
    for value, is_right in (("7200", False), ("1800", True), ("300", True)):
        state = right(SLES)
        state["now"][key], state["at_boot"][key] = value, [("/etc/sysctl.d/70-cloudenterprise.conf", value)]
        assert plan(state, SLES).steps == ([] if is_right else [f"set {key}=1800 in {kernel.SYSCTL_FILE}"])


def test_what_the_user_gives_is_exact_and_one_without_a_value_is_left_out():
    given = {"ece_host_preparation_sysctls": {"net/ipv4/tcp_keepalive_time": 300, "vm.swappiness": None}}
    state = read(**given)
    assert state["wanted"]["net.ipv4.tcp_keepalive_time"] == "300" and "vm.swappiness" not in state["wanted"]
    exact = {"ece_host_preparation_sysctls": {"vm.max_map_count": 262144}}
    state = read(now={"vm.max_map_count": "1048576"}, **exact)
    assert "vm.max_map_count=262144" in plan(state, **exact).values["sysctls"]


def test_a_setting_that_the_kernel_lacks_is_named_unless_its_module_comes():
    state = read(UBUNTU, now={"net.netfilter.nf_conntrack_max": None, "net.core.somaxconn": None})
    found = plan(state, UBUNTU)
    assert found.notes == ["The kernel has no setting net.core.somaxconn."]
    assert "net.netfilter.nf_conntrack_max=262140" in found.values["sysctls"]
    assert found.values["modules"] == ["nf_conntrack"]
    state["loadable"] = False
    found = plan(state, UBUNTU)
    assert found.values["modules"] == [] and len(found.notes) == 2


def test_a_module_that_is_loaded_is_loaded_at_boot_too():
    state = {**right(), "modules_at_boot": []}
    assert plan(state).steps == ["load the kernel's module overlay now and at boot"]


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        ("1024 65000", "24001 65000"),
        ("1024 20000", "24001 60999"),
        ("1024 24001", "24001 60999"),
        ("1024 60999", "24001 60999"),
        (None, "24001 60999"),
    ],
)
def test_ports_of_ece_are_taken_from_those_for_outgoing_connections(monkeypatch, now, wanted):
    monkeypatch.setattr(kernel, "value_now", lambda key: now)
    found = kernel.wanted_settings(facts("kernel", {}, temporary_ece_ports=True), options(), RHEL)
    assert found[kernel.PORT_RANGE] == wanted
    assert kernel.PORT_RANGE not in kernel.wanted_settings(facts("kernel", {}), options(), RHEL)


def test_ipv6_needs_forwarding():
    assert read(ece_host_preparation_ipv6=True)["wanted"][kernel.IPV6_FORWARDING] == "1"
    assert kernel.IPV6_FORWARDING not in read()["wanted"]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("net.ipv4.ip_forward", "net.ipv4.ip_forward"),
        ("net/ipv4/ip_forward", "net.ipv4.ip_forward"),
        ("net.ipv4.conf.eth0/1.forwarding", "net.ipv4.conf.eth0/1.forwarding"),
    ],
)
def test_a_name_may_be_written_with_slashes(name, key):
    assert kernel.key_of(name) == key


def test_files_are_read_in_the_order_in_which_they_count(tmp_path):
    for path, text in (
        ("usr/lib/sysctl.d/50-default.conf", "vm.swappiness = 60\nvm.a = 1\n"),
        ("etc/sysctl.d/50-default.conf", "# vm.swappiness = 5\n; vm.swappiness = 6\n-vm/swappiness=\t10\r\n"),
        ("etc/sysctl.d/README", "vm.swappiness = 7\n"),
        ("etc/sysctl.conf", "vm.b =\nnet.ipv4.ip_local_port_range = 1  2\nvm.swappiness = 3\nvm.swappiness = 4"),
        ("etc/modules-load.d/a.conf", "# no\noverlay # yes\n; no\n"),
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, newline="")
    assert kernel.settings(str(tmp_path)) == {
        "vm.swappiness": [("/etc/sysctl.d/50-default.conf", "10"), ("/etc/sysctl.conf", "4")],
        "vm.b": [("/etc/sysctl.conf", "")],
        "net.ipv4.ip_local_port_range": [("/etc/sysctl.conf", "1 2")],
    }
    assert kernel.loaded_at_boot(str(tmp_path)) == ["overlay"]


def test_this_machine_can_be_read():
    found = kernel.read_kernel(facts("kernel", {}), options(), UBUNTU)
    assert found["now"]["vm.max_map_count"].isdigit()
    assert kernel.value_now("vm.no_such_setting") is None
