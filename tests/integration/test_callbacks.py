# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What programs read: callbacks whose output has a form of its own, statistics, and the last line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.integration.operator import COLLECTIONS, PLAYBOOK, ROOT
from tests.role_names import REPORT_TASK, WAIT_TASK

# Where `make` puts the collections of others.
OTHERS = Path(os.environ.get("ECE_OTHER_COLLECTIONS", ROOT / "build" / "others"))
# What only lines of this collection begin with: the plan, the progress, the table, and the line for scripts.
OURS = re.compile(r"  (ECE 3\.8\.0 at |new-1  ece-zone-1  |0:00  |\d+:\d\d  1/1 connected|token: )|ece_host: ", re.M)
BLOCK = re.compile(r"(\S+) \| (SUCCESS|CHANGED|SKIPPED|FAILED!|UNREACHABLE!)(?: => )?")


def run(operator, callback, *options, command=None, **environment):
    """Run the playbook, or another command, with a callback. Return its result with stdout apart from stderr."""
    playbook, settings = operator.command(PLAYBOOK, *options)
    settings.update(
        ANSIBLE_COLLECTIONS_PATH=f"{COLLECTIONS}:{OTHERS}",
        ANSIBLE_SHOW_CUSTOM_STATS="1",
        ANSIBLE_STDOUT_CALLBACK=callback,
        **environment,
    )
    done = subprocess.run(
        command or playbook, env=settings, capture_output=True, text=True, cwd=operator.folder, check=False, timeout=180
    )
    operator.scan(done.stdout + done.stderr)
    return done


def blocks(text):
    """Return (host, state, result) of each block of callbacks minimal and oneline. The text has nothing else."""
    found, position, decoder = [], 0, json.JSONDecoder()
    while position < len(text):
        begin = BLOCK.match(text, position)
        assert begin, text[position : position + 200]
        result, position = None, begin.end()
        if begin[0].endswith("=> "):
            result, position = decoder.raw_decode(text, position)
        assert text[position : position + 1] == "\n"
        position += 1
        found.append((begin[1], begin[2], result))
    return found


def is_json(text):
    document = json.loads(text)
    assert document["global_custom_stats"]["ece_host"]["joined"] == 1
    assert any(task["task"]["name"].endswith(WAIT_TASK) for play in document["plays"] for task in play["tasks"])


def is_json_lines(text):
    events = [json.loads(line) for line in text.splitlines()]
    assert events[-1]["_event"] == "v2_playbook_on_stats"
    assert events[-1]["global_custom_stats"]["ece_host"]["hosts"]["new-1"]["verdict"] == "joined"


def is_nothing(text):
    assert text == ""


def are_blocks(text):
    results = [result for _host, _state, result in blocks(text)]
    assert any(result and result.get("hosts", {}).get("new-1", {}).get("verdict") == "joined" for result in results)


def are_blocks_of_one_line(text):
    are_blocks(text)
    assert all(BLOCK.match(line) for line in text.splitlines())


def is_of_unixy(text):
    assert text.startswith("Executing playbook ") and f"{WAIT_TASK}...\n  new-1 ok" in text and "- Play recap -" in text


def is_of_dense(text):
    assert "PLAY 2: JOIN THEM" in text and "\x1b[2K" in text


FORMS = {
    "ansible.posix.json": is_json,
    "ansible.posix.jsonl": is_json_lines,
    "json": is_json,
    "junit": is_nothing,
    "minimal": are_blocks,
    "oneline": are_blocks_of_one_line,
    "community.general.unixy": is_of_unixy,
    "community.general.dense": is_of_dense,
}


@pytest.mark.parametrize("callback", FORMS)
def test_a_callback_with_a_form_of_its_own_has_stdout_for_itself(any_operator, callback):
    operator = any_operator
    operator.new_host("new-1", "192.0.2.1")
    done = run(operator, callback)
    assert done.returncode == 0, done.stderr
    FORMS[callback](done.stdout)
    assert not OURS.search(done.stdout)
    assert len(OURS.findall(done.stderr)) >= 5 and "1/1 connected" in done.stderr, done.stderr


@pytest.mark.parametrize("callback", ["default", "community.general.yaml"])
def test_lines_are_part_of_what_a_callback_for_people_prints(any_operator, callback):
    operator = any_operator
    operator.new_host("new-1", "192.0.2.1")
    done = run(operator, callback)
    assert done.returncode == 0, done.stderr
    for line in ("ECE 3.8.0 at ", "1/1 connected", "token: ", "ece_host: "):
        assert line in done.stdout and line not in done.stderr
    assert "PLAY RECAP" in done.stdout


@pytest.mark.parametrize(
    "ending", ["check mode", "nothing to do", "installer fails", "unreachable", "wrong password", "no hosts", "-vvvv"]
)
def test_the_output_is_json_however_a_run_ends(any_operator, ending):
    operator, options, sums = any_operator, [], {"failed": 1}
    host = operator.new_host("new-1", "192.0.2.1", fail=1 if ending == "installer fails" else None)
    if ending == "check mode":
        options, sums = ["--check", "--diff"], {"would_join": 1}
    elif ending == "nothing to do":
        operator.ece.platform.add_runner("192.0.2.1")
        sums = {"joined_before": 1}
    elif ending == "unreachable":
        host.update(ansible_connection="ssh", ansible_host="127.0.0.1", ansible_port=1)
    elif ending == "wrong password":
        operator.environment["ECE_PASSWORD"] = "not-the-password"
    elif ending == "no hosts":
        options, sums = ["--limit", "localhost"], {}
    elif ending == "-vvvv":
        # Ansible's own messages at this verbosity are on stdout, unless this is set.
        operator.environment["ANSIBLE_VERBOSE_TO_STDERR"] = "1"
        options, sums = ["-vvvv"], {"joined": 1}
    done = run(operator, "ansible.posix.json", *options)
    if ending == "no hosts":
        assert done.returncode == 1 and done.stdout == ""
        return
    found = json.loads(done.stdout)["global_custom_stats"]["ece_host"]
    found.pop("hosts")
    none = dict.fromkeys(("changed", "failed", "joined", "joined_before", "would_change", "would_join"), 0)
    assert found == {**none, **sums}
    assert (done.returncode == 0) == (not found["failed"]), done.stderr
    assert last_sums(done.stderr) == found


def has_no_task(text):
    document = json.loads(text)
    assert [play["tasks"] for play in document["plays"]] == [[], []]
    assert document["stats"] == {} and document["global_custom_stats"] == {}


def has_no_event_of_a_task(text):
    events = [json.loads(line)["_event"] for line in text.splitlines()]
    assert events == ["v2_playbook_on_play_start", "v2_playbook_on_play_start", "v2_playbook_on_stats"]


FORMS_WITHOUT_HOSTS = {
    "ansible.posix.json": has_no_task,
    "ansible.posix.jsonl": has_no_event_of_a_task,
    "json": has_no_task,
    "minimal": is_nothing,
    "oneline": is_nothing,
}


@pytest.mark.parametrize("callback", FORMS_WITHOUT_HOSTS)
def test_a_target_without_hosts_leaves_stdout_to_its_callback(any_operator, callback):
    done = run(any_operator, callback)
    assert done.returncode == 0, done.stderr
    FORMS_WITHOUT_HOSTS[callback](done.stdout)
    assert "nothing to do: ece_target 'allocators' has no host here" in done.stderr
    assert set(last_sums(done.stderr).values()) == {0}


@pytest.mark.parametrize("options", [[], ["--one-line"]], ids=["minimal", "oneline"])
def test_the_role_run_by_the_command_ansible_leaves_stdout_to_its_callback(any_operator, options):
    operator = any_operator
    operator.new_host("new-1", "192.0.2.1")
    arguments = ["allocators", "-i", str(operator.inventory()), "-m", "ansible.builtin.include_role"]
    role = ["-a", "name=ece.platform.ece_host", *options]
    done = run(operator, "default", command=[str(operator.core / "ansible"), *arguments, *role])
    assert done.returncode == 0 and operator.ece.joined == ["192.0.2.1"], done.stdout + done.stderr
    are_blocks(done.stdout)
    assert "1/1 connected" in done.stderr


def test_the_files_of_callback_junit_name_the_tasks_and_the_reason_of_a_failure(any_operator):
    operator = any_operator
    operator.new_host("new-1", "192.0.2.1", fail=5)
    done = run(operator, "default")
    assert done.returncode == 2
    (path,) = (operator.records / "junit").glob("*.xml")
    cases = ElementTree.parse(path).findall(".//testcase")
    assert any(REPORT_TASK in case.get("name") for case in cases)
    # A result that has a traceback, too, is an error.
    failures = [failure for case in cases for kind in ("failure", "error") for failure in case.iter(kind)]
    assert len(failures) == 1
    assert "installer exit 5 (precondition)" in ElementTree.tostring(failures[0], encoding="unicode")


# -- the last line ---------------------------------------------------------------------------------------------------


def last_sums(output):
    """Return the sums in the last line for scripts, after which the collection prints nothing."""
    lines = output.splitlines()
    last = max(number for number, line in enumerate(lines) if line.startswith("ece_host: "))
    assert not OURS.search("\n".join(lines[last + 1 :]))
    return json.loads(lines[last].removeprefix("ece_host: "))


def test_the_last_line_of_every_run_has_its_sums(any_operator):
    operator = any_operator
    operator.ece.platform.add_runner("192.0.2.9")
    operator.hosts["there"] = {"ansible_host": "192.0.2.9"}
    operator.new_host("new-1", "192.0.2.1")
    operator.new_host("new-2", "192.0.2.2", fail=1)
    none = dict.fromkeys(("changed", "failed", "joined", "would_change", "would_join"), 0)
    assert last_sums(operator.play("--check").output) == {**none, "joined_before": 1, "would_join": 2}
    assert last_sums(operator.play().output) == {**none, "failed": 1, "joined": 1, "joined_before": 1}
    operator.ece.hosts["new-2"].configure(fail=None)
    again = operator.play(warnings=True)  # on parts of the installation that failed
    assert last_sums(again.output) == {**none, "joined": 1, "joined_before": 2}
    assert last_sums(operator.play().output) == {**none, "joined_before": 3}


def test_the_last_line_of_a_run_in_batches_has_the_sums_of_all_of_them(any_operator):
    operator = any_operator
    operator.group_vars = {"ece_host_batch": 1}
    for number in (1, 2, 3):
        operator.new_host(f"new-{number}", f"192.0.2.{number}")
    run_ = operator.play()
    sums = [json.loads(found) for found in re.findall(r"^ece_host: (.*)$", run_.output, re.MULTILINE)]
    assert [found["joined"] for found in sums] == [1, 2, 3]
