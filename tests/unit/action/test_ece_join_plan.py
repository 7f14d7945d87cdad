# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan: what it reads of each host's variables, what it refuses, and how often it asks the platform."""

from __future__ import annotations

import pytest
from ansible import constants as C

from ansible_collections.ece.platform.plugins.action import ece_join_plan
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError, PlatformError
from ansible_collections.ece.platform.plugins.plugin_utils._run_notes import read_notes, runner_notes


class Client:
    """A platform with one runner that is an allocator."""

    url = "https://ece.example.com:12443"
    warnings: list = []

    def __init__(self):
        self.asked = []

    def platform(self):
        self.asked.append("platform")
        zone = {"zone_id": "z", "total_allocators": 2}
        return {
            "version": "3.8.0",
            "regions": [{"allocators": {"zone_summaries": [zone]}, "runners": {"total_runners": 1}}],
        }

    def runners(self):
        self.asked.append("runners")
        return [
            {"runner_id": "10.0.0.1", "host_ip": "10.0.0.1", "connected": True, "roles": [{"role_name": "allocator"}]}
        ]

    listed = True

    def iter_allocators(self, total):
        self.asked.append("allocators")
        return [{"allocator_id": "10.0.0.1", "status": {"connected": True}}] if self.listed else []

    def allocator(self, allocator_id):
        self.asked.append(allocator_id)
        return self.there


@pytest.fixture
def planning(bare, shown, role_variables, environment):
    """Plan for hosts: name -> variables. Returns the result, the client and the lines shown."""

    def plan(hosts, outside=None, *, target=None, strategy="linear", extra=(), inventory=None, **common):
        action, client, lines = bare(ece_join_plan), Client(), shown(ece_join_plan)
        action.connect = lambda task_vars: (client, [])
        action._task._parent._play.strategy = strategy
        role_variables(
            ece_join_plan,
            {name: {**common, **variables} for name, variables in hosts.items()},
            extra,
            outside,
            inventory,
        )
        task_vars = {"ansible_play_batch": list(hosts), "ansible_forks": 5}
        return action.act({"target": target}, task_vars), client, lines

    return plan


def test_joined_hosts_are_counted_and_new_hosts_are_shown(planning):
    result, client, lines = planning(
        {"old": {"ansible_host": "10.0.0.1"}, "new": {"ansible_host": "10.0.0.2", "ece_host_zone": "z"}}
    )
    assert result["joined"] == 1 and list(result["hosts"]) == ["new"]
    assert result["hosts"]["new"]["version"] == "3.8.0" and result["hosts"]["new"]["coordinator"] == "ece.example.com"
    assert lines == [
        "ECE 3.8.0 at https://ece.example.com:12443 - 2 hosts: 1 joined, 1 new",
        "new: new, joins as allocator with runner id 10.0.0.2, z",
    ]
    assert result["changed"] is False


def test_each_host_is_told_the_directors_that_it_has_to_reach(planning, monkeypatch):
    director = {"runner_id": "d", "host_ip": "10.0.0.9", "connected": True, "roles": [{"role_name": "director"}]}
    monkeypatch.setattr(Client, "runners", lambda _client: [director])
    result = planning({"a": {}, "b": {}})[0]
    assert [entry["directors"] for entry in result["hosts"].values()] == [["10.0.0.9"]] * 2


def test_requests_do_not_depend_on_the_number_of_hosts(planning):
    _result, client, _lines = planning({f"h{number}": {"ansible_host": f"10.1.0.{number}"} for number in range(1, 200)})
    assert client.asked == ["platform", "runners", "allocators"]


def test_a_list_that_is_cut_is_a_warning_with_both_numbers(planning):
    result, _client, _lines = planning({"old": {"ansible_host": "10.0.0.1"}})
    assert len(result["warnings"]) == 1 and "has 1 entries but GET /platform counts 2" in result["warnings"][0]


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"ece_host_zone": "a b"}, "host new: ece_host_zone 'a b'"),
        ({"ece_host_version": "3.7.0"}, "leave ece_host_version out"),
        ({"ece_host_connect_timeout": "soon"}, "host new: ece_host_connect_timeout 'soon' is not a time"),
        ({"ece_host_wait_interval": -1}, "ece_host_wait_interval -1 is not a time"),
        ({"ece_host_install_timeout": 10**400}, " is not a time: use seconds"),
        (
            {"ece_host_installer_url": ["https://example.com/x"]},
            "host new: ece_host_installer_url \"['https://example.com/x']\" is not an address",
        ),
        ({"ece_host_installer_checksum": 5}, "host new: ece_host_installer_checksum '5' is not a checksum"),
        ({"ece_host_installer_src": ["x"]}, "host new: ece_host_installer_src ['x'] is not a file on the controller"),
        ({"ece_host_installer_url": "http://example.com/x"}, "is not encrypted"),
        (
            {"ece_host_batch": 0},
            "host new: ece_host_batch 0 is not a batch of hosts: use a number of hosts or a percentage, 1 or more",
        ),
        ({"ece_host_batch": [1, "0%"]}, "ece_host_batch [1, '0%'] is not a batch of hosts"),
        (
            {"ece_host_max_fail_percentage": 101},
            "host new: ece_host_max_fail_percentage 101 is not a percentage: use 0 to 100",
        ),
        ({"ece_host_debug": "maybe"}, "The value 'maybe' is not a valid boolean"),
        ({"ece_host_skip_checks": ["everything"]}, "Got no match for: everything"),
        (
            {"ece_host_container_engine": "rkt"},
            "host new: value of ece_host_container_engine must be one of: docker, podman, got: rkt",
        ),
    ],
)
def test_bad_options_of_a_host_that_would_join(planning, variables, sentence):
    with pytest.raises(OptionError) as error:
        planning({"new": {"ansible_host": "10.0.0.2", **variables}})
    assert sentence in str(error.value)


@pytest.mark.parametrize("version", ["", "3.8", "three\nfour"])
def test_no_host_joins_a_platform_whose_version_is_not_a_version(planning, monkeypatch, version):
    monkeypatch.setattr(Client, "platform", lambda self: {"version": version})
    assert planning({"old": {"ansible_host": "10.0.0.1"}})[0]["joined"] == 1
    with pytest.raises(OptionError, match="host new: cannot join a platform that reports version"):
        planning({"new": {"ansible_host": "10.0.0.2"}})


def test_options_of_a_joined_host_are_not_checked(planning):
    result, _client, _lines = planning({"old": {"ansible_host": "10.0.0.1", "ece_host_zone": "a b"}})
    assert result["hosts"] == {}


def test_an_unknown_role_is_refused_for_joined_hosts_too(planning):
    with pytest.raises(OptionError, match="host old: ece_host_roles 'alocator' is not a role"):
        planning({"old": {"ansible_host": "10.0.0.1", "ece_host_roles": ["alocator"]}})


@pytest.mark.parametrize("value", [False, "false", "no", True, "true"])
def test_selinux_may_be_text(planning, value):
    variables = {"ansible_host": "10.0.0.2", "ece_host_selinux": value}
    assert list(planning({"new": variables})[0]["hosts"]) == ["new"]
    if value in (True, "true"):
        with pytest.raises(OptionError, match="podman"):
            planning({"new": {**variables, "ece_host_container_engine": "docker"}})


@pytest.mark.parametrize("value", [30, "30%", None])
def test_the_limit_of_failures_is_in_the_plan(planning, value):
    hosts = {name: {"ansible_host": name, "ece_host_max_fail_percentage": value} for name in ("10.0.0.2", "10.0.0.3")}
    assert planning(hosts)[0]["max_fail_percentage"] == value


@pytest.mark.parametrize(
    ("batch", "persistent", "sizes"),
    [(None, False, [900, 100]), (None, True, [1000]), ("25%", False, [250] * 4), (950, "true", [950, 50])],
)
def test_a_batch_has_no_more_hosts_than_can_start_with_one_token(planning, batch, persistent, sizes):
    hosts = {f"h{number}": {"ece_host_batch": batch} for number in range(1000)}
    assert planning(hosts, ece_host_token_persistent=persistent)[0]["batch"] == sizes


def test_two_hosts_that_want_different_batches_are_an_error(planning):
    with pytest.raises(OptionError, match="^host b: ece_host_batch is 2 for host a and not set for host b: a play"):
        planning({"a": {"ansible_host": "10.0.0.2", "ece_host_batch": 2}, "b": {"ansible_host": "10.0.0.3"}})


def test_of_many_new_hosts_some_are_shown_and_all_are_counted(planning):
    result, _client, lines = planning(
        {f"h{number:03}": {"ansible_host": f"10.1.0.{number}"} for number in range(1, 120)}, ece_host_zone="z"
    )
    assert len(result["hosts"]) == 119 and len(lines) == 1 + 20 + 1
    assert lines[-1] == "... and 99 more; the report names them all"


def test_hosts_keep_the_plays_order_which_is_that_of_batches(planning):
    hosts = {
        "z-canary": {"ansible_host": "10.0.0.4"},
        "old": {"ansible_host": "10.0.0.1"},
        "a": {"ansible_host": "10.0.0.3"},
    }
    assert list(planning(hosts)[0]["hosts"]) == ["z-canary", "a"]


@pytest.mark.parametrize(
    ("there", "joined"), [({"allocator_id": "10.0.0.1", "status": {"connected": True}}, 1), (None, 0)]
)
def test_an_allocator_that_the_list_lacks_is_asked_for_by_its_id(planning, monkeypatch, there, joined):
    monkeypatch.setattr(Client, "listed", False)
    monkeypatch.setattr(Client, "there", there, raising=False)
    result, client, _lines = planning({"a": {"ece_host_ip": "10.0.0.1"}})
    assert client.asked == ["platform", "runners", "allocators", "10.0.0.1"]
    assert result["joined"] == joined


@pytest.mark.parametrize("outside", ["vm-1", "vm-2"])
def test_two_hosts_behind_one_address_are_refused_also_where_one_is_outside_the_batch(planning, outside):
    gateway = {"ansible_host": "gateway.example.com"}
    hosts = {"vm-1": {**gateway, "ansible_port": 2222}, "vm-2": {**gateway, "ansible_port": 2200}}
    other = {outside: hosts.pop(outside)}
    with pytest.raises(PlatformError, match="have the same identity gateway.example.com, and the platform may know"):
        planning(hosts, other)


def test_a_host_that_cannot_have_the_runner_id_that_its_variables_give_is_refused(planning):
    with pytest.raises(OptionError, match="host a: ansible_host 127.0.0.1 is a loopback address"):
        planning({"a": {"ansible_host": "127.0.0.1", "ansible_port": 2222}})


@pytest.mark.parametrize(("host", "set_here"), [("10.0.0.1", True), ("10.0.0.2", False)])
def test_statistics_are_set_where_nothing_is_to_do_and_no_report_follows(bare, shown, role_variables, host, set_here):
    action, client = bare(ece_join_plan), Client()
    lines = shown(ece_join_plan)
    action.connect = lambda task_vars: (client, [])
    role_variables(ece_join_plan, {host: {}})
    task_vars = {"ansible_play_batch": [host], "ansible_forks": 5, "awx_job_id": 9}
    result = action.act({"target": None}, task_vars)
    assert ("ansible_stats" in result) is set_here
    assert lines[-1].startswith("ece_host: ") is set_here
    if set_here:
        none = dict.fromkeys(("changed", "joined", "would_change", "would_join", "failed"), 0)
        sums = {"hosts": {}, "joined_before": 1, **none}
        assert result["ansible_stats"]["data"] == {"ece_host": sums, "ece_host_9": sums}


# -- what a play has one value of ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "one", "other", "sentence"),
    [
        (
            "ece_url",
            "https://a:1",
            ["https://b:1"],
            "ece_url is ['https://a:1'] for host a and ['https://b:1'] for host b",
        ),
        ("ece_username", "ann", "bob", "ece_username is 'ann' for host a and 'bob' for host b"),
        ("ece_password", "first-secret", "other-secret", "ece_password of host b is not that of host a"),
        ("ece_api_key", None, "other-secret", "ece_api_key of host b is not that of host a"),
        ("ece_url", "https://u:first-secret@a", "https://b", "ece_url of host b is not that of host a"),
        ("ece_ca_path", "/a.pem", None, "ece_ca_path is '/a.pem' for host a and not set for host b"),
        ("ece_validate_certs", "no", "yes", "ece_validate_certs is False for host a and True for host b"),
        ("ece_timeout", "7", 8, "ece_timeout is 7 for host a and 8 for host b"),
        ("ece_retries", 1, None, "ece_retries is 1 for host a and 3 for host b"),
        (
            "ece_host_token_persistent",
            "true",
            False,
            "ece_host_token_persistent is True for host a and False for host b",
        ),
        ("ece_host_wait_interval", 1, None, "ece_host_wait_interval is 1.0 for host a and 5.0 for host b"),
        ("ece_host_max_fail_percentage", 1, 2, "ece_host_max_fail_percentage is 1 for host a and 2 for host b"),
    ],
)
def test_two_values_of_a_variable_of_the_play_are_an_error_before_any_request(planning, variable, one, other, sentence):
    hosts = {"a": {"ansible_host": "10.0.0.1", variable: one}, "b": {"ansible_host": "10.0.0.2", variable: other}}
    with pytest.raises(OptionError) as error:
        planning(hosts)
    assert f"host b: {sentence}: a play has one value for all its hosts" in str(error.value)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("variable", "one", "other"),
    [
        ("ece_url", "https://a:1, https://b:1", ["https://a:1", "https://b:1"]),
        ("ece_validate_certs", "yes", None),
        ("ece_host_token_persistent", "false", None),
        ("ece_host_wait_interval", "5", ""),
        ("ece_timeout", 30, "30"),
        ("ece_host_batch", "[1, '25%']", [1, "25%"]),
    ],
)
def test_equal_values_may_be_written_in_different_ways(planning, variable, one, other):
    hosts = {"a": {"ansible_host": "10.0.0.1", variable: one}, "b": {"ansible_host": "10.0.0.2", variable: other}}
    assert list(planning(hosts)[0]["hosts"]) == ["b"]


def test_later_steps_find_the_common_values_in_the_plan(planning):
    result = planning({"a": {}}, ece_host_token_persistent="yes", ece_host_wait_interval="2")[0]
    assert result["token_persistent"] is True and result["wait_interval"] == 2.0
    result = planning({"a": {}})[0]
    assert result["token_persistent"] is False and result["wait_interval"] == 5.0


# -- the play --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["free", "host_pinned", "ansible.builtin.free", "mitogen_linear", "mitogen_free"])
def test_a_strategy_without_tasks_that_run_once_is_refused(planning, strategy):
    with pytest.raises(OptionError) as error:
        planning({"a": {}}, strategy=strategy)
    assert str(error.value) == (
        f"the strategy of the play is {strategy}: set strategy: linear in it, because steps of role ece_host run once "
        "for all hosts, and no strategies are supported but linear and debug"
    )


@pytest.mark.parametrize("strategy", ["linear", "debug", "ansible.builtin.linear", "ansible.legacy.linear"])
def test_the_strategies_in_which_a_task_can_run_once(planning, strategy):
    assert planning({"a": {}}, strategy=strategy)[0]["hosts"]


def test_a_target_that_only_the_inventory_has_is_refused(planning):
    assert planning({"a": {}}, target="allocators")[0]["hosts"]
    with pytest.raises(OptionError, match="^ece_target is 'all:!old' in the inventory, .* like -e ece_target=GROUP$"):
        planning({"a": {}}, target="all:!old")


def test_hosts_that_a_condition_leaves_out_of_the_role_are_not_planned(planning):
    result, _client, lines = planning({"a": {}, "b": {"left": True, "ece_url": "https://elsewhere"}})
    assert list(result["hosts"]) == ["a"] and "1 hosts: 0 joined, 1 new" in lines[0]


def test_an_error_names_the_host_whose_variable_it_is(planning):
    with pytest.raises(
        OptionError, match="^host b: ece_host_zonee is not a variable of role ece_host; did you mean ece_h"
    ):
        planning({"a": {"ansible_host": "10.0.0.1"}, "b": {"ece_host_zonee": "z"}})


# -- roles of joined hosts -------------------------------------------------------------------------------------------


def with_runners(monkeypatch, count):
    runners = [
        {"runner_id": f"10.0.0.{n}", "connected": True, "roles": [{"role_name": "allocator"}]} for n in range(count)
    ]
    allocators = [{"allocator_id": runner["runner_id"], "status": {"connected": True}} for runner in runners]
    monkeypatch.setattr(Client, "runners", lambda self: runners)
    monkeypatch.setattr(Client, "iter_allocators", lambda self, total: allocators)
    return {f"h{n:02}": {"ansible_host": f"10.0.0.{n}", "ece_host_roles": ["allocator", "proxy"]} for n in range(count)}


def test_a_few_joined_hosts_get_the_roles_that_they_lack(planning, monkeypatch):
    result, _client, lines = planning(with_runners(monkeypatch, 10))
    assert {entry["state"] for entry in result["hosts"].values()} == {"missing-roles"} and len(result["hosts"]) == 10
    assert "10 missing a role" in lines[0]


@pytest.mark.parametrize(
    ("count", "extra", "sentence"),
    [
        (
            11,
            (),
            "11 joined hosts (h00, h01, h02, h03, h04 and 6 more) would get the role proxy, more than 10 in one play: "
            "set ",
        ),
        (
            1,
            ("ece_host_roles",),
            "1 joined host (h00) would get the role proxy, as ece_host_roles is an extra variable: set ",
        ),
    ],
)
def test_many_joined_hosts_get_a_role_only_if_a_variable_says_so(planning, monkeypatch, count, extra, sentence):
    hosts = with_runners(monkeypatch, count)
    with pytest.raises(OptionError) as error:
        planning(hosts, extra=extra)
    assert str(error.value).startswith(sentence + "ece_host_assign_roles to true")
    assert len(planning(hosts, extra=extra, ece_host_assign_roles="yes")[0]["hosts"]) == count


def test_joined_hosts_keep_their_roles_where_a_variable_says_so(planning, monkeypatch):
    hosts = {**with_runners(monkeypatch, 11), "new": {"ansible_host": "10.1.0.1"}}
    result, _client, lines = planning(hosts, extra=("ece_host_roles",), ece_host_assign_roles=False, ece_host_zone="z")
    assert list(result["hosts"]) == ["new"] and "12 hosts: 11 joined, 1 new" in lines[0]
    assert "h00 (it lacks the role proxy, and ece_host_assign_roles is false)" in " ".join(result["warnings"])


@pytest.fixture
def in_batches(bare, shown, role_variables, environment, monkeypatch, tmp_path):
    """Plan a play in batches. The function returns the plan of one batch, and which other hosts it has read."""
    monkeypatch.setattr(C, "DEFAULT_LOCAL_TMP", str(tmp_path))

    def play(hosts, *, extra=(), outside=None):
        shown(ece_join_plan)
        found = role_variables(ece_join_plan, hosts, extra, {**hosts, **(outside or {})})

        def plan(*batch):
            action = bare(ece_join_plan)
            action.connect = lambda task_vars: (Client(), [])
            del found.read[:]
            task_vars = {"ansible_play_batch": list(batch), "ansible_play_hosts_all": list(hosts), "ansible_forks": 5}
            return action.act({"target": None}, task_vars), list(found.read)

        return plan

    return play


def test_the_first_batch_of_a_play_shows_how_many_joined_hosts_get_roles(in_batches, monkeypatch):
    plan = in_batches(with_runners(monkeypatch, 11))
    with pytest.raises(OptionError, match="^11 joined hosts .* would get the role proxy, more than 10 in one play"):
        plan("h00")


def test_a_role_from_an_extra_variable_ends_the_play_before_a_batch_without_such_hosts(in_batches, monkeypatch):
    plan = in_batches({"new": {}, **with_runners(monkeypatch, 1)}, extra=("ece_host_roles",))
    with pytest.raises(OptionError, match=r"^1 joined host \(h00\) would get the role proxy, as ece_host_roles is"):
        plan("new")


def test_batches_count_together_where_the_first_one_cannot_tell(in_batches, monkeypatch):
    hosts = with_runners(monkeypatch, 11)
    later = {name: variables.pop("ece_host_roles") for name, variables in hosts.items() if name != "h00"}
    plan = in_batches(hosts)
    plan("h00")
    for name, roles in later.items():
        hosts[name]["ece_host_roles"] = roles  # as set_fact does before the role
    plan = in_batches(hosts)
    plan(*sorted(hosts)[1:10])
    with pytest.raises(OptionError, match="^11 joined hosts"):
        plan("h10")


def test_hosts_of_other_batches_that_were_decided_on_do_not_count(in_batches, monkeypatch):
    hosts = with_runners(monkeypatch, 12)
    for name in ("h10", "h11"):
        hosts[name]["ece_host_assign_roles"] = True
    plan = in_batches(hosts)
    assert list(plan(*sorted(hosts)[:6])[0]["hosts"]) == sorted(hosts)[:6]
    assert list(plan(*sorted(hosts)[6:])[0]["hosts"]) == sorted(hosts)[6:]


def test_hosts_of_other_batches_do_not_count_where_the_condition_on_the_role_is_not_known_yet(in_batches, monkeypatch):
    hosts = with_runners(monkeypatch, 12)
    for name in sorted(hosts)[6:]:
        hosts[name]["unclear"] = True
    assert list(in_batches(hosts)(*sorted(hosts)[:6])[0]["hosts"]) == sorted(hosts)[:6]


def test_hosts_outside_a_batch_are_read_once_for_all_batches_of_a_play(in_batches):
    hosts = {f"h{number}": {"ansible_host": f"10.1.0.{number}"} for number in range(4)}
    plan = in_batches(hosts, outside={"away": {"ansible_host": "10.2.0.1"}})
    assert [plan(name)[1] for name in hosts] == [["h1", "h2", "h3", "away"], [], [], []]


def test_a_host_is_compared_with_what_an_earlier_batch_was(in_batches):
    hosts = {"a": {"ansible_host": "10.1.0.1"}, "b": {"ansible_host": "10.1.0.2"}}
    in_batches(hosts)("a")
    hosts["b"] = {"ansible_host": "10.1.0.1", "ansible_port": 2222}  # as set_fact does before the role
    with pytest.raises(PlatformError, match="hosts b and a have the same identity 10.1.0.1"):
        in_batches(hosts)("b")


def test_a_host_that_is_added_between_batches_is_read(in_batches):
    hosts = {name: {"ansible_host": f"10.1.0.{number}"} for number, name in enumerate("ab")}
    in_batches(hosts)("a")
    assert in_batches(hosts, outside={"new": {"ansible_host": "10.2.0.1"}})("b")[1] == ["new"]


@pytest.mark.parametrize("text", ["", "[]", "{", "\x00"])
def test_without_the_notes_of_earlier_batches_the_hosts_are_read_again(in_batches, tmp_path, text):
    hosts = {name: {"ansible_host": f"10.1.0.{number}"} for number, name in enumerate("ab")}
    plan = in_batches(hosts)
    plan("a")
    for path in tmp_path.glob("ece-play-*"):
        path.write_text(text, encoding="utf-8")
    assert plan("b")[1] == ["a"]


def test_the_plan_notes_which_runners_have_an_id_that_is_not_their_address(in_batches, monkeypatch):
    runners = [{"runner_id": "10.0.0.1", "host_ip": "10.0.0.1"}, {"runner_id": "r", "host_ip": "10.0.0.2"}]
    monkeypatch.setattr(Client, "runners", lambda self: runners)
    result, _read = in_batches({"a": {}})("a")
    assert read_notes(runner_notes(result["made_at"])) == {"10.0.0.2": ["r"]}


@pytest.mark.parametrize(("roles", "listed"), [(["director"], True), (["allocator"], False)])
def test_roles_that_a_joined_host_has_beyond_its_variable_are_shown(planning, monkeypatch, roles, listed):
    held = [{"role_name": role} for role in ("director", "proxy", "allocator", "beats-runner")]
    monkeypatch.setattr(Client, "runners", lambda self: [{"runner_id": "10.0.0.1", "connected": True, "roles": held}])
    _result, _client, lines = planning({"a": {"ansible_host": "10.0.0.1", "ece_host_roles": roles}})
    line = "joined with more roles than ece_host_roles has, which stay: a (allocator, proxy); "
    assert (line + "ece_host_roles_exact: true takes them away" in lines) is listed


# -- zones -----------------------------------------------------------------------------------------------------------


def test_a_zone_that_the_platform_does_not_have_yet_is_a_warning(planning):
    result, _client, _lines = planning({"a": {"ece_host_zone": "y"}, "b": {"ece_host_zone": "z"}})
    assert (
        "ece_host_zone y is not a zone of the platform yet, and a would be the first there; the platform has z"
        in (result["warnings"])
    )


@pytest.mark.parametrize(
    ("hosts", "extra", "zones", "warned"),
    [
        (2, ("ece_host_zone",), ("y", "z"), True),
        (2, (), ("y", "z"), False),
        (1, ("ece_host_zone",), ("y", "z"), False),
        (2, ("ece_host_zone",), ("z",), False),
    ],
)
def test_a_zone_from_an_extra_variable_for_several_new_hosts_is_a_warning(
    planning, monkeypatch, hosts, extra, zones, warned
):
    summaries = [{"zone_id": zone} for zone in zones]
    platform = {"version": "3.8.0", "regions": [{"allocators": {"zone_summaries": summaries}}]}
    monkeypatch.setattr(Client, "platform", lambda self: platform)
    result, _client, _lines = planning({f"h{n}": {} for n in range(hosts)}, extra=extra, ece_host_zone="z")
    sentence = (
        "ece_host_zone z is an extra variable, which outranks the inventory: all 2 new hosts (h0, h1) join that zone, "
        "and the platform has y, z"
    )
    assert (sentence in result["warnings"]) is warned


@pytest.mark.parametrize(
    ("inventory", "differing"),
    [
        ({}, None),
        ({"h0": "z", "h1": ""}, None),
        ({"h0": "z", "h1": "y", "h2": "x"}, "; the inventory has x for h2, y for h1"),
        ({"h0": "y", "h2": "y"}, "; the inventory has y for h0, h2"),
    ],
)
def test_a_zone_from_an_extra_variable_is_a_warning_with_the_zones_that_it_outranks(planning, inventory, differing):
    hosts = {f"h{n}": {} for n in range(3)}
    result, _client, _lines = planning(hosts, extra=("ece_host_zone",), inventory=inventory, ece_host_zone="z")
    warnings = [sentence for sentence in result["warnings"] if "outranks the inventory" in sentence]
    if differing is None:
        assert warnings == []  # the platform has one zone
    else:
        assert warnings[0].endswith(f"all 3 new hosts (h0, h1, h2) join that zone, and the platform has z{differing}")


def test_an_extra_variable_that_gives_each_host_its_own_zone_is_no_warning(planning, monkeypatch):
    platform = {
        "version": "3.8.0",
        "regions": [{"allocators": {"zone_summaries": [{"zone_id": "y"}, {"zone_id": "z"}]}}],
    }
    monkeypatch.setattr(Client, "platform", lambda self: platform)
    hosts = {"h0": {"ece_host_zone": "y"}, "h1": {"ece_host_zone": "z"}}
    warnings = planning(hosts, extra=("ece_host_zone",))[0]["warnings"]
    assert not [sentence for sentence in warnings if "ece_host_zone" in sentence]


def test_a_new_host_without_a_zone_is_shown_with_the_installers_default(planning):
    _result, _client, lines = planning({"a": {}, "b": {"ece_host_zone": "z"}})
    assert lines[-1] == "ece_host_zone is not set for a: ece-zone-1, the installer's default"


# -- the coordinator -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["localhost", "127.0.0.1", "[::1]"])
def test_the_controllers_own_address_is_no_coordinator_for_other_hosts(planning, monkeypatch, address):
    monkeypatch.setattr(Client, "url", f"https://{address}:12443")
    with pytest.raises(
        OptionError, match="^host a: ece_host_coordinator is not set, and .*, the host in ece_url, is the"
    ):
        planning({"a": {}})
    assert planning({"a": {"ece_host_coordinator": "10.0.0.9"}})[0]["hosts"]["a"]["coordinator"] == "10.0.0.9"


def test_the_controller_itself_may_join_its_own_address(planning, monkeypatch):
    monkeypatch.setattr(Client, "url", "https://127.0.0.1:12443")
    assert planning({"a": {"ansible_connection": "local"}})[0]["hosts"]["a"]["coordinator"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"ece_host_ip": "10.0.0.7/24"}, "host x: ece_host_ip '10.0.0.7/24' cannot be given to the installer"),
        ({"ansible_host": "10.0.0.7 "}, "host x: ansible_host '10.0.0.7 ' cannot be the host's runner id: correct it"),
    ],
)
def test_a_derived_runner_id_is_refused_with_the_variable_that_it_comes_from(planning, variables, sentence):
    with pytest.raises(OptionError) as error:
        planning({"x": variables})
    assert str(error.value).startswith(sentence)


def test_an_inventory_name_that_cannot_be_a_runner_id_is_named(planning):
    with pytest.raises(OptionError, match="^host a b: the inventory name 'a b' cannot be the host's runner id"):
        planning({"a b": {}})
