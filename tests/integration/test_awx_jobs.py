# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs as AWX runs them: surveys, workflows, slices, cancel and relaunch, progress, and what is wrong with a launch."""

from __future__ import annotations

import functools

import asyncssh
import pexpect
import pytest

from tests.integration.awx_job import Awx
from tests.integration.scenarios.scenario import until
from tests.integration.ssh_server import SshServer, listening
from tests.integration.test_bad_input import untouched
from tests.role_names import MINT_TASK, START_TASK, WAIT_TASK
from tests.standin.hosts import INSTALLER_CONTAINER

# Nothing listens there.
DEAD = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9}
RESULTS = ("runner_on_ok", "runner_on_failed", "runner_on_unreachable")


@pytest.fixture
def awx(operator):
    """Yield an AWX whose jobs run with the current ansible-core."""
    with Awx(operator) as found:
        yield found


@pytest.fixture
def any_awx(any_operator):
    """Yield an AWX whose jobs run with the current ansible-core, then one with the oldest."""
    with Awx(any_operator) as found:
        yield found


def add_hosts(awx, count, **knobs):
    """Add hosts h1, h2 ... that have not joined. Return their addresses."""
    addresses = [f"192.0.2.{number}" for number in range(1, count + 1)]
    for number, address in enumerate(addresses, 1):
        awx.operator.new_host(f"h{number}", address, **knobs)
    return addresses


def held(awx):
    """Return a file while which exists the installers of hosts with `hold` do not go on."""
    path = awx.operator.ece.directory / "hold"
    path.touch()
    return path


def hosts_install(awx):
    """Return whether an installer runs on each host."""
    return all(INSTALLER_CONTAINER in host.containers for host in awx.operator.ece.hosts.values())


def has_ended(events, task):
    """Return whether events have a result of a task."""
    return any(event["event"] in RESULTS and event["event_data"]["task"] == task for event in events)


# -- a job -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wire", [False, True], ids=["run", "transmit"])
def test_a_job_joins_its_hosts(any_awx, wire):
    awx, ece = any_awx, any_awx.operator.ece
    addresses = add_hosts(awx, 2)
    ece.platform.add_runner("192.0.2.9")
    awx.operator.hosts["there"] = {"ansible_host": "192.0.2.9"}
    job = awx.job(wire=wire, become_password="what-sudo-asks-for")
    (end,) = awx.run(job)
    assert (end.status, end.rc, end.failed_hosts) == ("successful", "0", []), end.output
    assert ece.joined == addresses and ece.minted == 1
    assert [event["counter"] for event in end.events] == list(range(1, len(end.events) + 1))
    assert "3 hosts: 1 joined, 2 new" in end.text and "2/2 connected" in end.text
    assert "WARNING" not in end.output and "errantly" not in end.output and "what-sudo-asks-for" not in str(end.events)
    assert set(end.artifacts) == {"ece_host", f"ece_host_{job.number}"}
    sums = end.artifacts["ece_host"]
    assert (sums["joined"], sums["failed"], sums["joined_before"]) == (2, 0, 1) and set(sums["hosts"]) == {"h1", "h2"}


def test_a_job_uses_the_key_of_its_machine_credential(awx):
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = SshServer(key=key.export_public_key().decode())
    with listening(server):
        add_hosts(awx, 1)
        awx.operator.hosts["h1"].update(
            ansible_connection="ssh",
            ansible_host="127.0.0.1",
            ansible_port=server.port,
            # The path of a socket has to be short, as it is in AWX.
            ansible_control_path_dir=str(awx.operator.temporary / "cp"),
            ansible_ssh_common_args="-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR",
        )
        (end,) = awx.run(awx.job(wire=True, ssh_key=key.export_private_key("openssh").decode()))
    assert end.status == "successful" and awx.operator.ece.joined == ["192.0.2.1"], end.output


def test_the_jobs_of_a_workflow_check_and_then_join_with_the_statistics_as_variables(awx):
    ece = awx.operator.ece
    addresses = add_hosts(awx, 2)
    (check,) = awx.run(awx.job(check=True, workflow=5))
    assert check.status == "successful" and ece.mutations == [], check.output
    assert check.statistics["changed"] == {"h1": 1, "h2": 1}, "the token of the batch is no change"
    assert (check.artifacts["ece_host"]["would_join"], check.artifacts["ece_host"]["joined"]) == (2, 0)
    (add,) = awx.run(awx.job(survey=check.artifacts, workflow=5))
    assert add.status == "successful" and ece.joined == addresses and "WARNING" not in add.output, add.output
    assert (add.artifacts["ece_host"]["would_join"], add.artifacts["ece_host"]["joined"]) == (0, 2)
    (again,) = awx.run(awx.job(survey={**check.artifacts, **add.artifacts}, workflow=5))
    sums = again.artifacts["ece_host"]
    assert again.status == "successful" and again.statistics["changed"] == {} and ece.minted == 1, again.output
    assert (sums["joined"], sums["joined_before"], sums["hosts"]) == (0, 2, {}), "set where nothing is to do, too"


def test_no_secret_is_in_a_job_at_any_verbosity(awx):
    """What AWX keeps of a job, events and statistics, is searched as well as all files and processes."""
    operator = awx.operator
    operator.group_vars["ece_host_token_persistent"] = True
    awx.credential.update(api_key=operator.ece.api_key, username="", password="")
    add_hosts(awx, 5)
    operator.ece.hosts["h5"].configure(fail=1)
    ends = awx.run(*(awx.job(verbosity=number, limit=f"h{number + 1}") for number in range(5)))
    assert [end.status for end in ends] == [*["successful"] * 4, "failed"], ends[-1].output
    assert all(has_ended(end.events, task) for end in ends for task in (MINT_TASK, START_TASK, WAIT_TASK))
    assert operator.ece.minted == 5 and operator.ece.tokens == []


# -- surveys ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("any_operator", "roles"),
    [("core", ["allocator", "proxy"]), ("oldest", "allocator\nproxy")],
    indirect=["any_operator"],
    ids=["choices", "lines"],
)
def test_the_answers_to_a_survey_are_text(any_awx, roles):
    awx, ece = any_awx, any_awx.operator.ece
    addresses = add_hosts(awx, 3)
    for variables in awx.operator.hosts.values():
        del variables["ece_host_zone"]
    answers = {
        "ece_host_zone": "ece-zone-2",
        "ece_host_roles": roles,
        "ece_host_batch": "2",
        "ece_host_allocator_tags": "ssd=true\nrack=r7",
        "ece_host_capacity": "16384",
        "ece_host_token_persistent": "false",
        "ece_host_force": "false",
    }
    blanks = ("ece_target", "ece_host_version", "ece_host_installer_checksum", "ece_host_max_fail_percentage")
    (end,) = awx.run(awx.job(survey={**answers, **dict.fromkeys(blanks, "")}))
    assert end.status == "successful" and ece.joined == addresses and ece.minted == 2, end.output
    assert "token: ephemeral, allocator, proxy only" in end.text and ece.tokens == []
    arguments = ece.hosts["h1"].last_arguments
    pairs = dict(zip(arguments, arguments[1:]))
    assert pairs["--availability-zone"] == "ece-zone-2" and pairs["--roles"] == "allocator,proxy"
    assert pairs["--allocator-tags"] == "ssd:true,rack:r7" and pairs["--capacity"] == "16384"
    assert "--force" not in arguments


def test_a_question_without_an_answer_does_not_erase_what_the_inventory_sets(any_awx):
    awx, ece = any_awx, any_awx.operator.ece
    add_hosts(awx, 2)
    (end,) = awx.run(awx.job(survey={"ece_host_zone": "", "ece_host_roles": ""}))
    sentence = "host h1: the extra variable ece_host_zone is empty, and takes away the value that is set for the host"
    assert end.status == "failed" and sentence in end.text and ece.requests == [], end.output
    assert end.failed_hosts == ["h1", "h2"]


@pytest.mark.parametrize("variable", ["ece_host_zone", "ece_host_capacity"])
def test_an_answer_is_never_a_template(any_awx, variable):
    awx = any_awx
    add_hosts(awx, 1)
    template = "{{ lookup('ansible.builtin.env', 'ECE_PASSWORD') }}"
    (end,) = awx.run(awx.job(survey={variable: template}))
    assert end.status == "failed" and untouched(awx.operator), end.output
    assert variable in end.text and "lookup(" in end.text


# -- slices ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [2, 5])
def test_the_slices_of_a_job_join_at_the_same_time(awx, count):
    operator, ece = awx.operator, awx.operator.ece
    hold = held(awx)
    addresses = add_hosts(awx, 4, hold=str(hold))
    # The last of five slices has this host alone, which is no allocator.
    awx.others = {"web": {"ansible_host": "192.0.2.99"}}
    operator.group_vars["ece_host_token_persistent"] = count == 5
    jobs = awx.slices(count, wire=count == 2)
    for job in jobs:
        job.start()
    busy = jobs[:4]
    for job in busy:
        job.wait_for_output("connected, ")
    until(functools.partial(hosts_install, awx))
    hold.unlink()
    ends = [job.wait() for job in jobs]
    awx.scan(*ends)
    assert [end.status for end in ends] == ["successful"] * count, "\n".join(end.output for end in ends)
    assert ece.joined == addresses and ece.minted == len(busy) and ece.tokens == []
    names = sorted([*operator.hosts, "web"])
    kept = {}
    for number, (job, end) in enumerate(zip(busy, ends)):
        mine = end.artifacts[f"ece_host_{job.number}"]
        assert list(mine["hosts"]) == [name for name in names[number::count] if name != "web"]
        assert mine["joined"] == len(mine["hosts"])
        kept.update(end.artifacts)
    assert set(kept) == {"ece_host", *(f"ece_host_{job.number}" for job in busy)}
    for end in ends[4:]:
        assert end.artifacts == {} and "nothing to do: ece_target 'allocators' has no host here" in end.text


def test_a_slice_that_a_limit_leaves_without_hosts_fails_as_ansible_fails(any_awx):
    awx = any_awx
    add_hosts(awx, 2)
    (end,) = awx.run(awx.job(slice_number=2, slice_count=2, limit="h1"))
    assert end.status == "failed" and "leaves us with no hosts to target" in end.text, end.output
    assert awx.operator.ece.requests == []


# -- cancel and relaunch ---------------------------------------------------------------------------------------------


def stop_and_relaunch(awx, stop, **launch):
    """Stop a job that waits, by `stop`, and relaunch it."""
    operator, ece = awx.operator, awx.operator.ece
    operator.group_vars["ece_host_token_persistent"] = True
    hold = held(awx)
    addresses = add_hosts(awx, 2, hold=str(hold))
    job = awx.job(**launch)
    job.start()
    job.wait_for_output("waiting for h1, h2")
    until(functools.partial(hosts_install, awx))
    stop(job)
    (left,) = ece.tokens
    again = awx.relaunch(job)
    again.start()
    again.wait_for_output("waiting for h1, h2")
    hold.unlink()
    end = again.wait()
    awx.scan(end)
    assert end.status == "successful" and ece.joined == addresses, end.output
    assert ece.minted == 1 and len(ece.joins) == 2, "no installer was started a second time"
    assert f"token {left}, which an earlier run left, is revoked" in end.text and ece.tokens == []


@pytest.mark.parametrize(
    ("any_operator", "wire"),
    [("core", True), ("oldest", False)],
    indirect=["any_operator"],
    ids=["core-transmit", "oldest-run"],
)
def test_a_relaunch_after_a_cancel_goes_on_and_revokes_the_token_of_the_cancelled_job(any_awx, wire):
    def cancel(job):
        end = job.cancel()
        assert end.status == "canceled" and not has_ended(end.events, WAIT_TASK), end.output

    stop_and_relaunch(any_awx, cancel, wire=wire)


def test_a_relaunch_after_the_node_was_lost_goes_on_and_revokes_the_token_of_the_lost_job(awx):
    stop_and_relaunch(awx, lambda job: job.kill())


def relaunch_on_failed_hosts(awx, expected, repair, **launch):
    """Run a job in which hosts fail, repair that, and relaunch the job on failed hosts."""
    job = awx.job(**launch)
    (end,) = awx.run(job)
    assert end.status == "failed" and end.failed_hosts == expected, end.output
    repair()
    before = len(awx.operator.ece.joined)
    (again,) = awx.run(awx.relaunch(job, end.failed_hosts))
    assert again.status == "successful", again.output
    assert len(awx.operator.ece.joined) == before + len(expected)
    return end


def test_a_relaunch_on_failed_hosts_takes_those_that_failed_or_were_not_reached(awx):
    add_hosts(awx, 3)
    awx.operator.ece.hosts["h1"].configure(fail=1)
    reached = dict(awx.operator.hosts["h3"])
    awx.operator.hosts["h3"].update(DEAD)

    def repair():
        awx.operator.ece.hosts["h1"].configure(fail=None)
        awx.operator.hosts["h3"] = reached

    end = relaunch_on_failed_hosts(awx, ["h1", "h3"], repair)
    assert list(end.statistics["dark"]) == ["h3"] and end.artifacts["ece_host"]["failed"] == 2


def test_a_relaunch_on_failed_hosts_after_a_failed_plan_takes_all_hosts(awx):
    add_hosts(awx, 2)
    awx.credential["password"] = "not-the-password"
    repair = functools.partial(awx.credential.update, password=awx.operator.ece.password)
    end = relaunch_on_failed_hosts(awx, ["h1", "h2"], repair)
    assert "the credentials were refused" in end.text


def test_a_relaunch_on_failed_hosts_takes_the_hosts_of_batches_that_did_not_begin(awx):
    add_hosts(awx, 4)
    awx.operator.group_vars.update(ece_host_batch=2, ece_host_max_fail_percentage=0)
    awx.operator.ece.hosts["h1"].configure(fail=1)
    repair = functools.partial(awx.operator.ece.hosts["h1"].configure, fail=None)
    end = relaunch_on_failed_hosts(awx, ["h1", "h3", "h4"], repair)
    assert "which is more than ece_host_max_fail_percentage 0 allows" in end.text


def test_hosts_of_batches_after_one_that_failed_as_a_whole_are_named_for_a_relaunch_on_all_hosts(awx):
    """Ansible ends the play with that batch, and has the others in no recap."""
    addresses = add_hosts(awx, 2)
    awx.operator.group_vars["ece_host_batch"] = 1
    awx.operator.ece.hosts["h1"].configure(fail=1)
    job = awx.job()
    (end,) = awx.run(job)
    assert end.failed_hosts == ["h1"] and end.artifacts["ece_host"]["failed"] == 2, end.output
    assert "not begun: h2; " in end.text and "run the same again for all hosts" in end.text
    awx.operator.ece.hosts["h1"].configure(fail=None)
    (again,) = awx.run(awx.relaunch(job))
    assert again.status == "successful" and awx.operator.ece.joined == addresses, again.output


# -- progress --------------------------------------------------------------------------------------------------------


def test_lines_of_the_wait_are_in_the_events_while_it_waits(any_awx):
    """The installer ends after its lines were seen: that is an order, whatever the machine's load."""
    awx = any_awx
    hold = held(awx)
    add_hosts(awx, 1, hold=str(hold))
    job = awx.job(shown=True)
    job.start()
    job.read_until("waiting for h1")
    job.wait_for_output("waiting for h1")
    assert not has_ended(job.events(), WAIT_TASK)
    hold.unlink()
    end = job.wait()
    awx.scan(end)
    assert end.status == "successful" and has_ended(end.events, WAIT_TASK), end.output


def test_lines_of_the_wait_are_on_a_terminal_while_it_waits(any_operator):
    operator = any_operator
    hold = operator.ece.directory / "hold"
    hold.touch()
    operator.new_host("h1", "192.0.2.1", hold=str(hold))
    (program, *arguments), environment = operator.command()
    with operator.processes.watching():
        play = pexpect.spawn(
            program, arguments, env=environment, cwd=str(operator.folder), encoding="utf-8", timeout=120
        )
        play.expect("waiting for h1")
        shown = play.before
        assert "1/1 connected" not in shown
        hold.unlink()
        play.expect(pexpect.EOF)
        play.close()
    operator.scan(shown + play.before)
    assert play.exitstatus == 0 and "1/1 connected" in play.before, play.before


# -- what is wrong with a launch -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({"url": ""}, "ece_url is not set: give the coordinator's address"),
        ({"api_key": "some-key"}, "are both set: set one kind of credentials"),
        ({"username": "", "password": ""}, "no credentials: set ece_api_key (ECE_API_KEY), or ece_username"),
        ({"ca": ""}, "is not signed by a known CA; set ece_ca_path"),
    ],
    ids=["no address", "both logins", "no login", "no CA"],
)
def test_what_is_wrong_with_a_credential_is_one_sentence(awx, inputs, sentence):
    add_hosts(awx, 1)
    awx.credential.update(inputs)
    (end,) = awx.run(awx.job())
    assert end.status == "failed" and sentence in end.text and untouched(awx.operator), end.output


@pytest.mark.parametrize("others", [{}, {"web": {"ansible_host": "192.0.2.99"}}], ids=["no host", "other hosts"])
def test_a_job_without_allocators_says_that_nothing_is_to_do(any_awx, others):
    awx = any_awx
    awx.others = others
    (end,) = awx.run(awx.job())
    assert end.status == "successful" and awx.operator.ece.requests == [], end.output
    assert end.output.count("nothing to do: ece_target 'allocators' has no host here") == 1, end.output
