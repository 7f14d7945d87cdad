# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How users run the preparation, as far as nothing is changed.

The hosts are this machine. So all runs are check mode, or leave out all parts.
"""

from __future__ import annotations

import json
import platform
import re
import subprocess

import pytest

from ansible_collections.ece.platform.plugins.plugin_utils._variable_types import role_spec
from tests.integration.operator import COLLECTIONS, Operator, Run
from tests.integration.test_callbacks import OTHERS
from tests.integration.test_verdicts import add_ece_containers
from tests.unit.preparation import SYSTEMS, UBUNTU

PREPARE = "ece.platform.prepare_hosts"
PARTS = (
    "user",
    "storage",
    "engine",
    "kernel",
    "boot",
    "limits",
    "swap",
    "selinux",
    "firewalld",
    "services",
    "registry",
)
# Rules on what this machine has, whatever a test says of its hosts.
OF_THE_MACHINE = ["os", "memory", "disk", "ports", "kernel", "limits"]
PASSWORD = "Sesam-0ffne-d1ch"


def this_system() -> str:
    """Return this machine's name in the table of systems."""
    here = platform.freedesktop_os_release()
    return f"{here['NAME']}-{here['VERSION_ID']}"


class Preparer(Operator):
    """An operator who prepares hosts."""

    def only(self, *parts: str, systems: bool = True, **variables: object) -> None:
        """Have the role look at these parts alone, on a machine that it takes for Ubuntu."""
        skipped = [part for part in PARTS if part not in parts]
        self.group_vars.update(
            {"ece_host_preparation_skip": skipped, "ece_host_skip_checks": OF_THE_MACHINE, **variables}
        )
        for host in self.hosts.values():  # what the stand-in sets for each host outranks the group
            host.update({name: value for name, value in variables.items() if name in host})
        if systems:
            table = {**SYSTEMS, this_system(): UBUNTU}
            self.options += ["-e", json.dumps({"__ece_host_preparation_systems": table})]

    def prepare(self, *options: str, **more: bool) -> Run:
        """Run the playbook in check mode."""
        return self.play("--check", "--diff", *options, playbook=PREPARE, **more)


@pytest.fixture
def preparer(ece, tmp_path, operator):
    """An operator with two bare hosts, of which nothing may be changed."""
    preparer = Preparer(ece, tmp_path, operator.core)
    preparer.environment["ANSIBLE_COLLECTIONS_PATH"] = f"{COLLECTIONS}:{OTHERS}"
    for number in (1, 2):
        preparer.new_host(f"host-{number}", f"192.0.2.{number}")
    return preparer


@pytest.fixture
def any_preparer(ece, tmp_path, any_operator):
    """The same with the current ansible-core, then with the oldest."""
    preparer = Preparer(ece, tmp_path, any_operator.core)
    for number in (1, 2):
        preparer.new_host(f"host-{number}", f"192.0.2.{number}")
    return preparer


def sums_of(run: Run, key: str = "ece_host_preparation") -> dict[str, int]:
    """Return the sums in the last line for scripts."""
    found: dict[str, int] = json.loads(re.findall(rf"^{key}: (.*)$", run.output, re.MULTILINE)[-1])
    return found


def test_check_mode_shows_plan_steps_and_table_and_changes_nothing(any_preparer):
    preparer = any_preparer
    preparer.only("user", "limits", ece_host_user="ece-test")
    run = preparer.prepare()
    assert run.rc == 0, run.output
    assert "ECE preparation - 2 hosts: 2 to prepare, 0 prepared" in run.output
    # The hosts are alike, so that they share the lines of their steps.
    assert run.output.count("create user ece-test in group elastic") == 1
    assert re.search(r"^  host-1, host-2:\n    - create groups? ", run.output, re.MULTILINE)
    assert len(re.findall(r"^  host-[12] +would prepare +\d", run.output, re.MULTILINE)) == 2
    assert sums_of(run) == {
        "failed": 0,
        "left_alone": 0,
        "prepared": 0,
        "prepared_before": 0,
        "to_reboot": 0,
        "would_prepare": 2,
    }
    assert subprocess.run(["getent", "passwd", "ece-test"], check=False, capture_output=True).returncode == 2


def test_a_prepared_host_costs_one_round_trip_and_changes_nothing(preparer):
    preparer.only()
    run = preparer.play(playbook=PREPARE)
    assert run.rc == 0, run.output
    assert "2 hosts: 0 to prepare, 2 prepared" in run.output
    assert sums_of(run)["prepared_before"] == 2 and run.total("changed") == 0
    # The plan and the verdict; what runs once counts for one host.
    assert sorted(counts["ok"] for counts in run.recap.values()) == [2, 4]


def test_hosts_with_ece_are_left_alone_and_others_are_not(preparer, ece):
    preparer.new_host("joined-1", "192.0.2.3")
    add_ece_containers(ece.hosts["joined-1"])
    preparer.only("limits")
    run = preparer.prepare()
    assert run.rc == 0, run.output
    assert "3 hosts: 2 to prepare, 0 prepared, 1 left alone" in run.output
    assert re.search(r"^  joined-1: it runs containers of ECE \(.*\), and is left as it is$", run.output, re.MULTILINE)
    assert sums_of(run)["left_alone"] == 1
    assert run.recap["joined-1"]["changed"] == 0


@pytest.mark.parametrize("strategy", ["free", "host_pinned"])
def test_each_host_reports_itself_where_tasks_cannot_run_once(preparer, strategy):
    preparer.only("limits")
    play = {"hosts": "all", "gather_facts": False, "strategy": strategy, "roles": ["ece.platform.ece_host_preparation"]}
    run = preparer.play("--check", playbook=preparer.write("play.yml", [play]), warnings=True)
    assert run.rc == 0, run.output
    assert len(re.findall(r"^  host-[12] +would prepare +\d", run.output, re.MULTILINE)) == 2
    assert sums_of(run)["would_prepare"] == 2


def test_batches_have_a_table_each_and_sums_of_all(preparer):
    preparer.only("limits")
    play = {"hosts": "all", "gather_facts": False, "serial": 1, "roles": ["ece.platform.ece_host_preparation"]}
    run = preparer.play("--check", playbook=preparer.write("play.yml", [play]))
    assert run.rc == 0, run.output
    assert [line.count("would prepare") for line in run.output.splitlines() if line.startswith("  host-")] == [
        0,
        1,
        0,
        1,
    ]
    assert sums_of(run)["would_prepare"] == 2


def test_a_host_that_is_unreachable_is_in_the_table_and_holds_up_no_other(preparer):
    preparer.hosts["host-2"].update(ansible_connection="ssh", ansible_port=9, ansible_host="127.0.0.1")
    preparer.only("limits")
    run = preparer.prepare()
    assert run.rc == 4, run.output
    assert "2 hosts: 1 to prepare, 0 prepared, 1 failed" in run.output
    assert re.search(r"^  host-2 +failed +- +it cannot be reached", run.output, re.MULTILINE)
    assert run.recap["host-2"]["unreachable"] == 1 and sums_of(run)["would_prepare"] == 1


@pytest.mark.parametrize("parts", [("limits",), ()])
def test_output_that_is_json_stays_json(preparer, parts):
    preparer.only(*parts)
    preparer.environment |= {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_SHOW_CUSTOM_STATS": "1"}
    command, environment = preparer.command(PREPARE, "--check")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=preparer.folder)
    stats = json.loads(done.stdout)["global_custom_stats"]["ece_host_preparation"]
    assert set(stats["hosts"]) == {"host-1", "host-2"} and "ece_host_preparation: {" in done.stderr


# -- bad input -------------------------------------------------------------------------------------------------------

UNKNOWN = "is not a variable of role ece_host_preparation; did you mean"


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"ece_host_preparation_device": "sdb"}, "ece_host_preparation_device 'sdb' is not an absolute path"),
        ({"ece_host_preparation_skip": ["disk"]}, "ece_host_preparation_skip 'disk' is unknown: use user, storage"),
        ({"ece_host_preparation_format": "maybe"}, "ece_host_preparation_format 'maybe' is not true or false"),
        ({"ece_host_preparation_swap_mb": "4G"}, "ece_host_preparation_swap_mb '4G' is not a whole number"),
        ({"ece_host_preparation_sysctls": [1]}, "ece_host_preparation_sysctls [1] is not a mapping"),
        ({"ece_host_preparation_uid": -5}, "ece_host_preparation_uid -5 is negative"),
        ({"ece_host_preparation_reboot": "later"}, "ece_host_preparation_reboot 'later' is not true or false"),
        ({"ece_host_preparation_engine_source": "mirror"}, "ece_host_preparation_engine_source 'mirror' is unknown"),
        ({"ece_host_preparation_firewalld": "off"}, "ece_host_preparation_firewalld 'off' is unknown: use opened"),
        ({"ece_host_skip_checks": ["network", "diskk"]}, "ece_host_skip_checks 'diskk' is unknown"),
        ({"ece_host_roles": ["allocater"]}, "ece_host_roles 'allocater' is unknown: use allocator"),
        ({"ece_host_container_engine": "cri-o"}, "ece_host_container_engine 'cri-o' is unknown: use docker, podman"),
        ({"ece_host_preparation_devise": "/dev/sdb"}, f"{UNKNOWN} ece_host_preparation_device?"),
        ({"ece_host_prepare_device": "/dev/sdb"}, f"{UNKNOWN} ece_host_preparation_device?"),
        ({"ece_host_swap_mb": 512}, f"{UNKNOWN} ece_host_preparation_swap_mb?"),
        ({"ece_host_zones": "z"}, f"{UNKNOWN} ece_host_zone?"),
    ],
)
def test_bad_input_is_one_sentence_before_the_host_is_asked(preparer, variables, sentence):
    preparer.only(**variables)
    run = preparer.prepare("--limit", "host-1")
    assert run.rc == 2
    assert sentence in run.text
    # The message of the plan, the table and the verdict.
    assert "Show the plan" not in run.output and sums_of(run)["failed"] == 1


def test_an_unknown_system_is_named_with_those_that_are_known(preparer):
    preparer.only(systems=False)
    run = preparer.prepare("--limit", "host-1")
    assert run.rc == 2 and "This role does not know" in run.text and "Ubuntu-24.04" in run.text


def test_variables_of_the_other_role_are_said_once_with_ours(preparer):
    preparer.only(force_xfc=True, device_name="sdb", capacity=204800)
    run = preparer.prepare(warnings=True)
    assert run.rc == 0, run.output
    assert run.text.count("variables of Elastic's role are set") == 1
    for pair in (
        "ece_host_preparation_device in place of device_name",
        "ece_host_preparation_format in place of force_xfc",
        "ece_host_capacity in place of capacity",
    ):
        assert pair in run.text


def test_a_variable_of_the_users_own_is_theirs(preparer):
    preparer.only(capacity=7, memory="much")
    assert preparer.prepare().rc == 0


# -- empty variables --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("empty", ["", None])
def test_variables_that_are_empty_have_their_defaults(any_preparer, empty):
    preparer = any_preparer
    preparer.only("user", "limits")
    kept = ("ece_host_preparation_skip", "ece_host_skip_checks")
    for host in preparer.hosts.values():
        host.update({name: empty for name in role_spec("ece_host_preparation") if name not in kept})
    run = preparer.prepare()
    assert run.rc == 0, run.output
    assert "set limits of users" in run.output and sums_of(run)["would_prepare"] == 2


def test_an_extra_variable_that_is_empty_counts_where_nothing_is_set(preparer):
    preparer.only("limits")
    preparer.hosts["host-2"]["ece_host_preparation_mount_path"] = "/data"
    run = preparer.prepare("-e", "ece_host_preparation_mount_path=")
    assert run.rc == 2 and sums_of(run)["would_prepare"] == 1, run.output
    assert "the extra variable ece_host_preparation_mount_path is empty, and takes away the value" in run.text
    assert re.search(r"^  host-2 +failed", run.output, re.MULTILINE)


# -- secrets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [{}, {"ANSIBLE_DEBUG": "1"}, {"ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "yes"}],
    ids=["plain", "debug", "arguments"],
)
def test_passwords_of_a_registry_and_a_proxy_are_in_no_output(preparer, settings):
    preparer.environment.update(settings)
    preparer.only(
        "registry",
        ece_host_docker_registry="registry.example.com",
        ece_host_docker_registry_username="ece",
        ece_host_docker_registry_password=PASSWORD,
        ece_host_preparation_docker_settings={"proxies": {"http-proxy": f"http://ece:{PASSWORD}@proxy.example.com"}},
        ece_host_user="root",
    )
    run = preparer.prepare("-vvvv", warnings=True)
    assert "registry" in run.output and PASSWORD not in run.output
    for path in preparer.records.rglob("*"):
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes(), path


# -- in the join -----------------------------------------------------------------------------------------------------

JOIN = ("--check", "--diff", "-e", "ece_host_prepare=true")


@pytest.mark.parametrize("standin_options", [{"allocators": 20}])
def test_the_join_would_prepare_new_hosts_alone(preparer, ece):
    preparer.hosts.update(ece.existing_hosts())
    preparer.only("user", "limits", ece_host_user="ece-test")
    run = preparer.play(*JOIN)
    assert run.rc == 0, run.output
    assert "ECE preparation - 2 hosts: 2 to prepare, 0 prepared" in run.output
    assert (
        len(re.findall(r"^  host-[12] +ece-zone-1 +would join .*once it is prepared$", run.output, re.MULTILINE)) == 2
    )
    assert sums_of(run, "ece_host")["would_join"] == 2
    joined = [name for name in ece.existing_hosts() if name in run.recap]
    assert sum(run.recap[name]["ok"] + run.recap[name]["skipped"] for name in joined) <= 1, "the plan, once"


def test_without_the_variable_the_join_skips_one_task(preparer):
    run = preparer.play("--check", "--diff")
    assert run.rc == 0, run.output
    assert "ECE preparation" not in run.output and "would join" in run.output


def test_a_host_whose_preparation_fails_fails_alone(preparer):
    preparer.only("limits")
    preparer.hosts["host-2"]["ece_host_preparation_device"] = "sdb"
    run = preparer.play(*JOIN)
    assert run.rc == 2, run.output
    assert re.search(
        r"^  host-2 +ece-zone-1 +failed .*its preparation failed: ece_host_preparation_device", run.output, re.M
    )
    assert re.search(r"^  host-1 +ece-zone-1 +would join", run.output, re.M)
    none = dict.fromkeys(("changed", "joined", "joined_before", "would_change"), 0)
    assert sums_of(run, "ece_host") == {**none, "failed": 1, "would_join": 1}
