# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real module with a real supervisor, against a tiny installer and container engine.

Root runs them as the user "nobody", another user as itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import types
from pathlib import Path
from unittest import mock

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _detached as detached
from ansible_collections.ece.platform.plugins.module_utils import _host_facts as host_facts
from ansible_collections.ece.platform.plugins.module_utils import _host_files as host_files
from ansible_collections.ece.platform.plugins.module_utils import _host_process as host_process
from ansible_collections.ece.platform.plugins.module_utils import _host_session as host_session
from ansible_collections.ece.platform.plugins.module_utils import _install as install
from ansible_collections.ece.platform.plugins.module_utils import _install_files as install_files
from ansible_collections.ece.platform.plugins.module_utils import _install_record as install_record
from ansible_collections.ece.platform.plugins.module_utils import _installer_file as installer_file
from ansible_collections.ece.platform.plugins.modules import ece_install
from tests.unit.host_user import ROOT, USER

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlcyI6WyJhbGxvY2F0b3IiXX0.c2lnbmF0dXJl"
PATIENCE_SECONDS = 60
LIBRARY = "ansible_collections"


def eventually(condition):
    """The condition's first true value; what it waits for takes milliseconds."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.005)
    return condition()


def runs(pid):
    """Whether a process exists and is not a zombie, which may stay for ever in a container."""
    stat = host_facts.read_text(f"/proc/{pid}/stat")
    return bool(stat) and stat.rpartition(")")[2].split()[0] not in "ZX"


def end_all_of(folder):
    """Kill the process groups of all commands that name a folder, except this process's own."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        if str(folder) in host_facts.read_text(f"/proc/{name}/cmdline"):
            with contextlib.suppress(ProcessLookupError):  # it ended meanwhile
                group = os.getpgid(int(name))
                if group != os.getpgid(0):
                    os.killpg(group, signal.SIGKILL)


def spare_reader(supervisor):
    """The pid of the process that reads the installer's output if this supervisor is killed, or None."""
    for pid in Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split():
        if detached.SPARE_READER[-1] in host_facts.read_text(f"/proc/{pid}/cmdline"):
            return int(pid)
    return None


class Box:
    """A folder that is the host: installer, engine and storage path."""

    def __init__(self, folder, run_module):
        self.folder = folder
        self.storage = folder / "elastic"
        self.state = folder / "state"
        self.place = install_files.places(str(self.storage), str(self.state))[0]
        self.lock, self.record, self.output = (
            Path(self.place.path(name)) for name in (install_files.LOCK, install_files.RECORD, install_files.OUTPUT)
        )
        self.script = folder / "elastic-cloud-enterprise.sh"
        self.notes = folder / "notes"
        self.engine_log = self.notes / "engine"
        self._run_module = run_module
        self.notes.mkdir()
        self.engine_log.touch()
        for path in (self.notes, self.engine_log):
            os.chown(path, USER.pw_uid, USER.pw_gid)
        (folder / "bin").mkdir()
        self.engine()
        self.installer("exit 0")

    def engine(self, *containers):
        docker = self.folder / "bin" / "docker"
        listing = "".join(f"{name}|image|Up 2 minutes\n" for name in containers)
        answers = f"[[ $1 == --version ]] && echo Docker version 25.0.5\n[[ $1 == ps ]] && printf '{listing}'\n"
        docker.write_text(f'#!/bin/bash\n{answers}echo "$*" >>{self.engine_log}\n')
        docker.chmod(0o755)

    def installer(self, body, version="3.8.0"):
        """Write the script, whose body may write to $NOTES. It notes each start there."""
        head = (
            f"#!/bin/bash\nCLOUD_ENTERPRISE_VERSION={version}\nNOTES={self.notes}\n"
            "echo $$ >>$NOTES/started\necho $PPID >$NOTES/supervisor\n"
        )
        self.script.write_text(head + body + "\n")
        self.script.chmod(0o755)

    def note(self, name):
        return host_facts.read_text(str(self.notes / name))

    def arguments(self, **more):
        return {
            "coordinator_host": "10.0.0.1",
            "token": TOKEN,
            "version": "3.8.0",
            "user": USER.pw_name,
            "storage_path": str(self.storage),
            "state_path": str(self.state),
            "bin_paths": [str(self.folder / "bin")],
            **more,
        }

    def run(self, check_mode=False, **more):
        """What the module prints, as a controller would read it."""
        return self._run_module(ece_install, check_mode=check_mode, connection={}, **self.arguments(**more))

    def follow(self, limit=PATIENCE_SECONDS):
        """What the wait's question to a host answers."""
        command = [sys.executable, install_files.__file__, str(self.storage), str(self.state), str(limit)]
        return install_record.parse_follow(subprocess.check_output(command, timeout=2 * PATIENCE_SECONDS).decode())

    def make_place(self):
        """Make the folder of lock, record and output, as an earlier install has left it."""
        os.makedirs(self.place.folder, 0o700)

    def is_over(self):
        """Whether the record has an exit code."""
        with contextlib.suppress(OSError, ValueError):
            return json.loads(self.record.read_text()).get("rc") is not None

    def is_locked(self):
        with contextlib.suppress(OSError):  # a test put something else there
            return install_files.lock_state(self.place) == install_files.RUNNING


@pytest.fixture
def box(run_module, monkeypatch):
    monkeypatch.setattr(host_facts, "only_address", lambda: "10.0.0.7")  # instead of this machine's own
    monkeypatch.setattr(detached, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(detached, "GRACE_SECONDS", 0.2)
    folder = Path(tempfile.mkdtemp(prefix="ece-"))
    folder.chmod(0o755)
    made = Box(folder, run_module)
    yield made
    end_all_of(folder)
    eventually(lambda: not made.is_locked())
    shutil.rmtree(folder)


# -- a run -----------------------------------------------------------------------------------------------------------


def test_the_installer_gets_its_arguments_and_nothing_of_our_environment(box, monkeypatch):
    for name in (
        *("API_BASE_URL", "CAPACITY", "CLOUD_FEATURE_X", "DOCKER_HOST", "HOST_IP", "RUNNER_ENVIRONMENT_METADATA_JSON"),
        *("RUNNER_EXTERNAL_HOSTNAME", "RUNNER_ID", "RUNNER_ROLES", "RUNNER_ROLES_TOKEN"),
    ):
        monkeypatch.setenv(name, "spoiled")
    box.installer(
        """env >$NOTES/env; pwd >$NOTES/cwd; printf '%s\\n' "$@" >$NOTES/arguments
        read -r || echo nothing to read >$NOTES/stdin"""
    )
    result = box.run(
        roles=["allocator", "proxy"], zone="zone-1", memory_settings={"runner": {"xms": "1G", "xmx": "1G"}}
    )
    assert (result["rc"], result["changed"], result.get("failed", False)) == (0, True, False)
    environment = dict(line.split("=", 1) for line in box.note("env").splitlines())
    assert {key: value for key, value in environment.items() if key not in ("PWD", "SHLVL", "_", "OLDPWD")} == {
        "PATH": f"{box.folder}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": USER.pw_dir,
        "USER": USER.pw_name,
        "LOGNAME": USER.pw_name,
        "SHELL": "/bin/bash",
        "LANG": "C",
    }
    expected = (
        f"install --coordinator-host 10.0.0.1 --roles-token {TOKEN} --roles allocator,proxy"
        f" --cloud-enterprise-version 3.8.0 --host-storage-path {box.storage}"
        " --host-docker-host /var/run/docker.sock --host-ip 10.0.0.7 --availability-zone zone-1"
        ' --memory-settings {"runner":{"xms":"1G","xmx":"1G"}}'
    )
    assert box.note("arguments").split() == expected.split()
    assert box.note("stdin") == "nothing to read\n"


def test_the_installer_has_a_private_working_folder_that_is_removed(box):
    box.installer("pwd >$NOTES/cwd; stat -c '%a %u' . >$NOTES/mode; mkdir sub; touch ece.mod sub/ece.pp")
    assert box.run()["rc"] == 0
    folder = Path(box.note("cwd").strip())
    assert (folder.parent, box.note("mode").split()) == (Path("/tmp"), ["700", str(USER.pw_uid)])
    assert not folder.exists() and os.listdir(box.storage) == ([] if ROOT else ["logs"])


def test_a_user_that_is_not_known_for_a_moment_makes_no_failure_of_a_success(box, monkeypatch):
    # As where a directory service has the users: the folder is removed after the installer has ended.
    known = host_process.pwd.getpwnam
    users = types.SimpleNamespace(getpwnam=lambda name: {}[name] if box.is_over() else known(name))
    monkeypatch.setattr(host_process, "pwd", users)
    box.installer("pwd >$NOTES/cwd")
    result = box.run()
    assert (result["rc"], result["msg"].startswith("installed in")) == (0, True), result
    Path(box.note("cwd").strip()).rmdir()


def test_without_room_for_a_working_folder_the_installer_runs_all_the_same(box, monkeypatch):
    monkeypatch.setattr(detached, "WORK_PARENTS", (str(box.folder / "missing"),))
    box.installer("pwd >$NOTES/cwd")
    assert (box.run()["rc"], box.note("cwd")) == (0, "/\n")


@pytest.mark.skipif(not ROOT, reason="only root can become another user")
def test_root_drops_to_the_install_user_for_good(box):
    box.installer(
        "grep -E '^(Uid|Gid|Groups):' /proc/$$/status >$NOTES/status; id -G >$NOTES/groups\n"
        "[[ -w /etc/shadow ]] || echo no >$NOTES/root"
    )
    box.run()
    status = dict(line.split(":\t", 1) for line in box.note("status").splitlines())
    assert set(status["Uid"].split()) == {str(USER.pw_uid)}
    assert set(status["Gid"].split()) == {str(USER.pw_gid)}
    assert {int(group) for group in box.note("groups").split()} == set(os.getgrouplist(USER.pw_name, USER.pw_gid))
    assert box.note("root") == "no\n"


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (0, "installed"),
        (1, "general failure"),
        (2, "unknown command"),
        (3, "unknown or empty argument"),
        (4, "bad user"),
        (5, "precondition"),
        (42, "exit code 42, which the installer does not document"),
        (137, "killed by signal 9"),
    ],
)
def test_the_exit_code_is_the_result(box, code, meaning):
    box.installer(f"echo first; echo why >&2; exit {code}")
    result = box.run()
    assert (result["rc"], result.get("failed", False), result["changed"]) == (code, code != 0, True)
    assert result["meaning"].startswith(meaning)
    assert result["output"] == ["first", "why"]
    assert (result["log"], result["record"]) == (str(box.output), str(box.record))
    assert code == 0 or f"installer exit {code} ({result['meaning']}): first. why." in result["msg"]
    assert bool(result["remedy"]) == (code != 0)


def test_an_installer_that_is_killed_is_reported_with_its_signal(box):
    box.installer("kill -KILL $$")
    assert (box.run()["rc"], box.follow()["rc"]) == (-9, -9)


def test_all_output_is_kept_and_the_last_lines_are_shown(box):
    logs = box.storage / "logs/bootstrap-logs"
    box.installer(
        f"mkdir -p {logs}; printf 'a\\nb\\n' >{logs}/bootstrap.log\n"
        "for ((i = 0; i < 100; i++)); do echo line $i; done\nprintf '\\377 and no end of line'"
    )
    result = box.run()
    assert result["output"] == [f"line {number}" for number in range(61, 100)] + ["\ufffd and no end of line"]
    assert result["bootstrap_log"] == ["a", "b"]
    assert host_facts.read_text(str(box.output)).splitlines() == [f"line {number}" for number in range(100)] + [
        "\ufffd and no end of line"
    ]


def test_colours_and_control_characters_of_the_installer_are_kept_nowhere(box):
    box.installer("printf '\\033[0;31mno daemon.\\033[0m\\r\\n\\033[2J\\033]0;t\\007step 1\\rstep 2\\n'; exit 5")
    result = box.run()
    assert result["output"] == ["no daemon.", "step 1", "step 2"]
    assert box.output.read_text() == "no daemon.\nstep 1\nstep 2\n"
    assert "): step 1. step 2. " in result["msg"] and "\\u001b" not in result.printed + box.record.read_text()


def test_only_what_this_installer_wrote_to_its_logs_is_its_own(box):
    logs = box.storage / "logs/bootstrap-logs"
    logs.mkdir(parents=True)
    for name in ("bootstrap.log", "elastic-cloud-enterprise.log"):
        (logs / name).write_text("[2026-11-26][ERROR][x] the cause of yesterday\n")
        (logs / name).chmod(0o666)
    result = box.run()
    assert (result["bootstrap_log"], result["errors"]) == ([], [])
    box.installer(f"echo '[2026-11-27][ERROR][x] the clock is wrong' >>{logs}/elastic-cloud-enterprise.log; exit 1")
    result = box.run()
    assert (result["bootstrap_log"], result["errors"]) == ([], ["the clock is wrong"])
    assert result["msg"] == (
        "installer exit 1 (general failure): the clock is wrong. Correct this and run this again. "
        f"Log: {logs}/elastic-cloud-enterprise.log, {box.output}"
    )
    box.installer(f"rm -f {logs}/bootstrap.log; echo new >{logs}/bootstrap.log; exit 1")
    logs.chmod(0o777)
    assert box.run()["bootstrap_log"] == ["new"]


def test_failed_checks_in_the_output_are_the_cause_however_much_follows(box):
    box.installer(
        "echo ' Checking vm.max_map_count... FAILED'; echo '   The value 65530 is too low'\n"
        "for ((i = 0; i < 100; i++)); do echo line $i; done; exit 1"
    )
    result = box.run()
    assert result["errors"] == ["Checking vm.max_map_count failed: The value 65530 is too low"]
    assert "(general failure): Checking vm.max_map_count failed: The value 65530 is too low. Set the" in result["msg"]


def test_output_after_the_script_of_something_it_left_behind_does_not_hold_the_end_up(box):
    box.installer("(while [[ ! -e $NOTES/go ]]; do sleep 0.01; done) & exit 0")
    assert box.run()["rc"] == 0


def test_a_closed_output_is_not_the_end(box):
    box.installer("exec >&- 2>&-; sleep 0.05; exit 4")
    assert box.run()["rc"] == 4


# -- secrets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 1])
@pytest.mark.parametrize("token", [TOKEN, "no-jwt-but-secret"])
def test_the_token_is_nowhere_but_on_the_installers_command_line(box, token, code):
    logs = box.storage / "logs/bootstrap-logs"
    box.installer(
        f'printf %s "$5" >$NOTES/token; mkdir -p {logs}; echo "token=$5" >{logs}/bootstrap.log\n'
        f'echo "$*"; printf %s "--env RUNNER_ROLES_TOKEN=$5"; exit {code}'
    )
    result = box.run(token=token)
    assert box.note("token") == token
    assert "--roles-token ********" in result["output"][0] and "--roles-token ********" in result["diff"]["after"]
    assert (result["output"][1], result["bootstrap_log"]) == ("--env RUNNER_ROLES_TOKEN=********", ["token=********"])
    assert (logs / "bootstrap.log").read_text() == "token=" + "*" * len(token) + "\n"
    for text in (result.printed, host_facts.read_text(str(box.output)), host_facts.read_text(str(box.record))):
        assert text and token not in text and token.split(".")[-1] not in text


def test_the_logs_of_an_interrupted_installer_are_masked_by_the_next_one(box):
    logs = box.storage / "logs/bootstrap-logs"
    logs.mkdir(parents=True)
    (logs / "bootstrap.log").write_text(f"of the first one: {TOKEN}\n")
    box.run()
    assert (logs / "bootstrap.log").read_text() == f"of the first one: {'*' * len(TOKEN)}\n"


def test_another_token_in_the_output_is_masked_too(box):
    other = "eyJ0eXAiOiJKV1QifQ.eyJzdWIiOiJvdGhlciJ9.b3RoZXItc2lnbmF0dXJl"
    box.installer(f"echo emergency token: {other}")
    assert box.run()["output"] == ["emergency token: ********"]
    assert other not in host_facts.read_text(str(box.output)) + host_facts.read_text(str(box.record))


def test_files_and_folders_are_private_whatever_the_umask(box):
    mask = os.umask(0)
    try:
        box.run()
    finally:
        os.umask(mask)
    paths = {"folder": Path(box.place.folder), "output": box.output, "record": box.record, "lock": box.lock}
    found = {name: (path.stat().st_mode & 0o777, path.stat().st_uid) for name, path in paths.items()}
    ours = os.geteuid()
    # The group of the install user reads what root did; no other user can hold root's lock.
    modes = (0o750, 0o640) if ROOT else (0o700, 0o600)
    assert found == {
        "folder": (modes[0], ours),
        "output": (modes[1], ours),
        "record": (modes[1], ours),
        "lock": (0o600, ours),
    }
    assert not ROOT or {path.stat().st_gid for name, path in paths.items() if name != "lock"} == {USER.pw_gid}
    assert (box.storage.stat().st_mode & 0o777, box.storage.stat().st_uid) == (0o700, USER.pw_uid)
    assert sorted(os.listdir(box.place.folder)) == ["lock", "output.log", "record.json"]


@pytest.mark.skipif(not ROOT, reason="without root the files are below the storage path")
def test_root_keeps_its_files_where_the_install_user_cannot_plant_any(box):
    box.run()
    assert box.place.base == str(box.state) and os.listdir(box.storage) == []
    assert (box.state.stat().st_mode & 0o777, os.listdir(box.state)) == (0o711, [os.path.basename(box.place.folder)])


@pytest.mark.skipif(not ROOT, reason="only root goes where another user may have planted something")
@pytest.mark.parametrize("planted", ["logs", "logs/bootstrap-logs", "logs/ece-install", "bootstrap.log", "lock"])
def test_what_the_install_user_planted_is_neither_followed_nor_changed(box, planted):
    private = box.folder / "private"
    for name in ("bootstrap-logs", "ece-install"):
        (private / name).mkdir(parents=True)
    for path in (private / "token", private / "bootstrap-logs" / "bootstrap.log", private / "bootstrap.log"):
        path.write_text(f"[2026-11-27] ERROR of root {TOKEN}\n")
    (private / "ece-install" / "record.json").write_text(json.dumps({"started": 1e10, "rc": 0}))
    place = {"bootstrap.log": "logs/bootstrap-logs/bootstrap.log", "lock": "logs/ece-install/lock"}.get(
        planted, planted
    )
    target = {
        "logs": private,
        "bootstrap.log": private / "bootstrap.log",
        "lock": private / "token",
    }.get(planted, private / os.path.basename(planted))
    (box.storage / place).parent.mkdir(parents=True, exist_ok=True)
    (box.storage / place).symlink_to(target)
    before = {path: path.stat() for path in private.rglob("*")}
    box.installer("exit 1")
    result = box.run()
    assert (result["rc"], result["bootstrap_log"], result["errors"]) == (1, [], []), result
    assert {path: path.stat().st_mtime_ns for path in private.rglob("*")} == {
        path: found.st_mtime_ns for path, found in before.items()
    }
    assert TOKEN in (private / "token").read_text()
    assert box.follow()["rc"] == 1


@pytest.mark.skipif(not ROOT, reason="without root it is the user's own pipe")
@pytest.mark.parametrize("name", ["lock", "record.json"])
def test_a_pipe_of_the_install_user_hangs_nothing(box, name):
    folder = box.storage / "logs" / "ece-install"
    folder.mkdir(parents=True)
    os.mkfifo(folder / name)
    assert (box.follow(0)["lock"], box.run()["rc"], box.follow(0)["rc"]) == ("absent", 0, 0)


@pytest.mark.parametrize("name", ["output.log", "lock"])
def test_a_link_in_the_place_of_an_own_file_is_not_followed(box, name):
    box.make_place()
    victim = box.folder / "victim"
    victim.write_text("precious")
    os.symlink(victim, box.place.path(name))
    box.run()
    assert victim.read_text() == "precious"
    assert box.note("started") == ""


@pytest.mark.skipif(not ROOT, reason="without root there is one place")
def test_an_installer_that_was_started_without_root_is_adopted_by_root(box):
    user_place = install_files.places(str(box.storage), str(box.state), is_root=False)[0]
    os.makedirs(user_place.folder)
    Path(user_place.path("record.json")).write_text(json.dumps({"started": 1.0}))
    with open(user_place.path("lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result, record = box.run(wait=False), box.follow(0)
    assert (result["changed"], result["msg"]) == (False, "an installer runs already: not started again")
    assert result["record"] == user_place.path("record.json")
    assert (record["lock"], record["folder"], record["started"]) == ("running", user_place.folder, 1.0)


@pytest.mark.skipif(not ROOT, reason="without root there is one place")
def test_a_record_of_an_earlier_version_is_still_read(box):
    user_place = install_files.places(str(box.storage), str(box.state), is_root=False)[0]
    os.makedirs(user_place.folder)
    Path(user_place.path("record.json")).write_text(json.dumps({"started": 1.0, "finished": 2.0, "rc": 4}))
    Path(user_place.path("lock")).touch()
    assert (box.follow()["rc"], box.run()["rc"], box.follow()["rc"]) == (4, 0, 0)


AS_USER = ["setpriv", "--reuid", USER.pw_name, "--regid", str(USER.pw_gid), "--clear-groups"]


@functools.lru_cache(maxsize=None)
def users_python():
    """A Python that the install user may run. The one of this test may be in a folder of root alone."""
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([*AS_USER, python, "-c", "import json"], check=False).returncode == 0:
            return python
    raise AssertionError(f"{USER.pw_name} may run neither {sys.executable} nor /usr/bin/python3")


@pytest.mark.skipif(not ROOT, reason="only root has files that another user cannot read")
def test_a_record_that_only_root_can_read_is_an_error_and_not_absent(box):
    box.run()
    command = [users_python(), install_files.__file__, str(box.storage), str(box.state), "0"]
    done = subprocess.run(
        ["setpriv", "--reuid", USER.pw_name, "--clear-groups", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        check=False,
    )
    sentence = f"the host refused {box.place.folder}: only root can read the record of this install: become root for"
    assert (done.returncode, done.stdout) == (1, b"") and done.stderr.decode().startswith(sentence), done


def module_as_user(box, **options):
    """The result of the module as the install user, without root."""
    given = json.dumps({"ANSIBLE_MODULE_ARGS": box.arguments(**options)}).encode()
    libraries = [path for path in sys.path if any((Path(path) / name).is_dir() for name in ("ansible", LIBRARY))]
    printed = subprocess.run(
        [*AS_USER, users_python(), "-B", "-m", ece_install.__name__],
        input=given,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(libraries), "HOME": "/", "TMPDIR": "/tmp"},
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return json.loads(printed.stdout)


def record_as_user(box):
    """What the wait's question answers without root."""
    command = [*AS_USER, users_python(), install_files.__file__, str(box.storage), str(box.state), "0"]
    return install_record.parse_follow(subprocess.check_output(command).decode())


@pytest.mark.skipif(not ROOT, reason="only root can become another user")
def test_without_root_a_host_that_root_has_used_is_used_again(box):
    box.run()
    result = module_as_user(box)
    assert (result["rc"], result["record"]) == (0, f"{box.storage}/logs/ece-install/record.json")
    assert record_as_user(box)["folder"] == f"{box.storage}/logs/ece-install"  # the last one, not root's


@pytest.mark.skipif(not ROOT, reason="only root can become another user")
def test_without_root_a_failure_of_roots_installer_is_known(box):
    box.installer("exit 4")
    box.run()
    record = record_as_user(box)
    assert (record["lock"], record["rc"], record["folder"]) == ("over", 4, box.place.folder)


@pytest.mark.skipif(not ROOT, reason="only root can become another user")
def test_without_root_roots_installer_is_known_to_run_before_it_is_a_process(box, monkeypatch):
    def leave(_name):
        eventually((box.notes / "looked").exists)
        return host_session.Session()

    monkeypatch.setattr(detached, "leave_session", leave)
    box.installer("exit 4")
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            box.run(wait=False)
        os._exit(0)
    eventually(box.record.exists)
    record, result = record_as_user(box), module_as_user(box, wait=False)
    assert (record["lock"], box.note("started"), record["folder"]) == ("running", "", box.place.folder)
    assert (result["changed"], result["msg"]) == (False, "an installer runs already: not started again")
    assert result["record"] == str(box.record)
    (box.notes / "looked").touch()
    os.waitpid(child, 0)
    assert (box.follow()["rc"], record_as_user(box)["rc"]) == (4, 4)


@pytest.mark.skipif(not ROOT, reason="without root there is no other's record")
@pytest.mark.parametrize("started", [2e9, 9e10])
def test_a_record_of_the_install_user_never_hides_that_of_root(box, started):
    box.installer("exit 4")
    box.run()
    user_place = install_files.places(str(box.storage), str(box.state), is_root=False)[0]
    os.makedirs(user_place.folder)
    planted = {"started": started, "finished": started, "rc": 0, "token_id": "of-another-host"}
    Path(user_place.path("record.json")).write_text(json.dumps(planted))
    record = box.follow()
    assert (record["rc"], record["folder"], record.get("token_id")) == (4, box.place.folder, None)


# -- timeouts, adoption ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stubborn", ["none", "child", "script"])
def test_a_timeout_ends_the_whole_process_group_and_the_container(box, monkeypatch, stubborn):
    trap = {"none": ("", ""), "child": ("trap '' TERM;", ""), "script": ("", "trap '' TERM;")}[stubborn]
    forever = "while :; do sleep 60 & wait; done"
    child = f"({trap[0]} echo $BASHPID >$NOTES/child; {forever}) & until [[ -s $NOTES/child ]]; do sleep 0.01; done"
    box.installer(f"{trap[1]} echo working; {child}; touch $NOTES/ready; {forever}")
    # The supervisor's clock jumps once the installer is where it is wanted.
    ready = box.notes / "ready"
    clock = types.SimpleNamespace(time=time.time, sleep=time.sleep, monotonic=lambda: 1e6 if ready.exists() else 0.0)
    monkeypatch.setattr(detached, "time", clock)
    result = box.run(timeout=7)
    assert (result["failed"], result["meaning"], result["output"]) == (True, "did not end in time", ["working"])
    assert "did not end within 7 s and was stopped" in result["msg"]
    assert result["rc"] == (-9 if stubborn == "script" else -15)
    for name in ("started", "child"):
        eventually(lambda name=name: not runs(int(box.note(name))))
    assert box.note("engine").splitlines()[-1] == "rm --force elastic-cloud-enterprise-installer"
    record = box.follow()
    assert (install_record.install_state(record), record["timed_out"], record["timeout"]) == ("finished", True, 7)


HELD_UP = "until [[ -e $NOTES/go ]]; do sleep 0.01; done; echo done"


def test_without_wait_it_returns_at_once_and_the_record_gets_the_end(box):
    box.installer(HELD_UP + "; exit 5")
    result = box.run(wait=False)
    assert (result["changed"], result["msg"], "rc" in result) == (True, "the installer runs", False)
    record = box.follow(0)
    assert (install_record.install_state(record), record["roles"], record["timeout"]) == (
        "running",
        ["allocator"],
        1800,
    )
    (box.notes / "go").touch()
    record = box.follow()
    assert (install_record.install_state(record), record["rc"], record["output"]) == ("finished", 5, ["done"])
    assert record["started"] <= record["finished"] <= record["now"]
    assert record["seconds"] == pytest.approx(record["finished"] - record["started"], abs=1)


@pytest.mark.parametrize("step", [-3600, 3600])
def test_a_clock_that_is_set_during_the_install_does_not_change_how_long_it_took(box, monkeypatch, step):
    ready, real = box.notes / "ready", time.time
    clock = types.SimpleNamespace(
        time=lambda: real() + (step if ready.exists() else 0), sleep=time.sleep, monotonic=time.monotonic
    )
    monkeypatch.setattr(detached, "time", clock)
    box.installer("touch $NOTES/ready; sleep 0.3")
    result, record = box.run(), box.follow()
    assert 0.3 <= result["seconds"] < PATIENCE_SECONDS
    assert record["finished"] - record["started"] == pytest.approx(step, abs=PATIENCE_SECONDS)


def test_the_supervisor_outlives_the_module_and_holds_none_of_its_output(box):
    box.installer(HELD_UP)
    module = [sys.executable, "-m", ece_install.__name__]
    given = json.dumps({"ANSIBLE_MODULE_ARGS": box.arguments(wait=False)}).encode()
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}
    # check_output reads to the end of the pipe, so it would not come back before everybody has closed it.
    printed = subprocess.check_output(
        module, input=given, env={**os.environ, **path}, timeout=PATIENCE_SECONDS, start_new_session=True
    )
    assert json.loads(printed)["msg"] == "the installer runs"
    eventually(lambda: box.note("supervisor"))
    assert os.getsid(int(box.note("supervisor"))) not in (os.getsid(0), os.getsid(int(box.note("started"))))
    (box.notes / "go").touch()
    assert box.follow()["rc"] == 0


def test_the_supervisor_keeps_no_folder_busy_and_no_file_of_the_module_open(box):
    box.installer(HELD_UP)
    with open(box.folder / "inherited", "w", encoding="ascii") as inherited:
        os.set_inheritable(inherited.fileno(), True)
        box.run(wait=False)
        supervisor = eventually(lambda: box.note("supervisor")).strip()
        assert os.readlink(f"/proc/{supervisor}/cwd") == "/"

        def is_clean():
            files = {os.readlink(path) for path in Path(f"/proc/{supervisor}/fd").iterdir()}
            pipes = {name for name in files if name.startswith("pipe:")}  # the installer's output
            return len(pipes) == 2 and files - pipes == {"/dev/null", str(box.lock), str(box.output)}

        eventually(is_clean)  # a pipe that starts the installer is there for a moment
    (box.notes / "go").touch()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_supervisor_that_is_asked_to_stop_ends_the_installer_and_says_so(box, number):
    logs = box.storage / "logs/bootstrap-logs"
    box.installer(
        f"mkdir -p {logs}; echo $5 >{logs}/bootstrap.log; echo working; sleep 60 & echo $! >$NOTES/child; wait"
    )
    box.run(wait=False)
    eventually(lambda: box.note("child"))
    os.kill(int(box.note("supervisor")), number)
    record = box.follow()
    assert (record["rc"], record["stopped_by"], record["output"]) == (-15, number, ["working"])
    for name in ("started", "child"):
        eventually(lambda name=name: not runs(int(box.note(name))))
    assert box.note("engine").splitlines()[-1] == "rm --force elastic-cloud-enterprise-installer"
    assert TOKEN not in (logs / "bootstrap.log").read_text()
    message = install_record.outcome(record, str(box.storage))["msg"]
    assert f"the installer was interrupted: its supervisor was stopped by signal {number}, as when" in message


def test_a_shutdown_that_reaches_the_installer_first_is_an_interruption_too(box):
    box.installer("touch $NOTES/ready; sleep 60 & wait")
    box.run(wait=False)
    eventually((box.notes / "ready").exists)
    supervisor, installer = int(box.note("supervisor")), int(box.note("started"))
    os.kill(supervisor, signal.SIGSTOP)
    for pid in (installer, supervisor):
        os.kill(pid, signal.SIGTERM)
    os.kill(supervisor, signal.SIGCONT)
    assert (box.follow()["rc"], box.follow()["stopped_by"]) == (-15, 15)
    assert box.note("engine").splitlines()[-1] == "rm --force elastic-cloud-enterprise-installer"


def test_a_closed_terminal_stops_nothing_and_is_not_ignored_by_the_installer(box):
    box.installer(f"grep SigIgn /proc/$$/status >$NOTES/ignored; {HELD_UP}")
    box.run(wait=False)
    ignored = eventually(lambda: box.note("ignored"))
    os.kill(int(box.note("supervisor")), signal.SIGHUP)
    (box.notes / "go").touch()
    assert (box.follow()["rc"], int(ignored.split()[1], 16) & 1) == (0, 0)


def test_the_id_of_a_persistent_token_is_kept(box):
    box.run(token_id="an-id", wait=False)
    assert box.follow()["token_id"] == "an-id"


@pytest.mark.parametrize(
    ("session", "warning"),
    [
        (host_session.Session(), None),
        (host_session.Session("no bus"), "systemd did not give it a unit of its own: no bus"),
        (host_session.Session(None, True), "a lost connection ends the installer: become root for this task"),
        (host_session.Session("no bus", True), "a lost connection ends the installer: become root for this task"),
    ],
)
def test_an_installer_that_could_not_leave_the_session_is_a_warning(box, monkeypatch, session, warning):
    names = []
    monkeypatch.setattr(detached, "leave_session", lambda name: (names.append(name), session)[1])
    result = box.run()
    assert (len(result.warnings), warning in (result.warnings or [None])[0] if warning else True) == (
        1 if warning else 0,
        True,
    )
    assert box.follow()["in_session"] is session.kills


def test_a_supervisor_that_cannot_begin_starts_no_installer(box, monkeypatch):
    def fail(_name):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(detached, "leave_session", fail)
    result = box.run()
    assert (result["failed"], result["rc"], box.note("started")) == (True, 126, "")
    assert "the process that watched the installer failed and stopped it: OSError: [Errno 5]" in result["msg"]
    assert result.warnings == []


def test_a_second_run_adopts_the_first(box):
    box.installer(HELD_UP)
    box.run(wait=False)
    second = box.run(wait=False)
    assert (second["changed"], second["msg"]) == (False, "an installer runs already: not started again")
    eventually(lambda: box.note("started"))
    # The third waits for the end: it comes after its first look at the lock.
    looks = []
    real = install_files.lock_state

    def look(place):
        looks.append(place)
        if len(looks) > 1:
            (box.notes / "go").touch()
        return real(place)

    with mock.patch.object(install_files, "lock_state", look):
        third = box.run()
    assert (third["changed"], third["rc"], third["output"]) == (False, 0, ["done"])
    assert len(box.note("started").split()) == 1


def test_a_second_run_fails_with_the_first(box):
    box.installer(HELD_UP + "; exit 1")
    box.run(wait=False)
    (box.notes / "go").touch()
    box.follow()
    with mock.patch.object(install, "look", return_value=(box.place, "running", {})):
        result = box.run()
    assert (result["failed"], result["rc"], result["changed"]) == (True, 1, False)


def test_two_runs_that_begin_at_once_start_one_installer(box):
    box.make_place()
    with open(box.lock, "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # The other one took the lock after this one had looked.
        with mock.patch.object(install, "look", return_value=(box.place, "over", {})):
            result = box.run(wait=False)
    assert (result["changed"], result["msg"]) == (False, "an installer runs already: not started again")
    assert (box.note("started"), box.record.exists()) == ("", False)


def test_an_installer_that_this_collection_did_not_start_is_not_touched(box):
    box.installer(HELD_UP)
    by_hand = ["bash", str(box.script), "install", "--host-storage-path", str(box.storage)]
    with subprocess.Popen(by_hand, start_new_session=True, stdout=subprocess.DEVNULL) as foreign:
        eventually(lambda: box.note("started"))
        result = box.run()
        (box.notes / "go").touch()
    assert (result["changed"], result["msg"]) == (
        False,
        f"an installer that this collection does not supervise runs already (pid {foreign.pid}): nothing done",
    )
    assert not box.storage.exists()


def test_an_installer_whose_supervisor_was_killed_runs_until_it_has_ended_and_no_second_one_is_started(box):
    box.installer(HELD_UP)
    box.run(wait=False)
    supervisor = int(eventually(lambda: box.note("supervisor")))
    installer = int(box.note("started"))
    eventually(lambda: json.loads(box.record.read_text()).get("installer"))
    os.kill(supervisor, signal.SIGKILL)
    eventually(lambda: not runs(supervisor))
    record = box.follow(0)
    assert (record["lock"], install_record.install_state(record)) == ("unwatched", "running")
    again = box.run(wait=False)
    assert (again["changed"], again["msg"]) == (
        False,
        "an installer runs already, although the process that watched it was killed: not started again",
    )
    late = install_record.outcome(install_files.follow([box.place], 0), str(box.storage))
    assert (late["rc"], late["meaning"]) == (None, "still running")
    assert late["msg"].startswith(
        f"the installer (pid {installer}) still runs, but the process that watched it was killed."
    )
    (box.notes / "go").touch()
    record = box.follow()
    assert (record["lock"], install_record.install_state(record)) == ("over", "interrupted")
    outcome = install_record.outcome(record, str(box.storage))
    assert outcome["msg"].startswith(
        "the installer was interrupted, or ended unseen: the process that watched it was killed."
    )
    assert (outcome["rc"], outcome["meaning"], len(box.note("started").split())) == (None, "interrupted", 1)


def test_an_installer_whose_supervisor_was_killed_may_print_what_it_likes(box):
    box.installer(f"{HELD_UP}\nhead -c 300000 /dev/zero | tr '\\0' x && echo $5 && touch $NOTES/printed")
    box.run(wait=False)
    supervisor = int(eventually(lambda: box.note("supervisor")))
    installer, spare = int(box.note("started")), spare_reader(supervisor)
    os.kill(supervisor, signal.SIGKILL)
    eventually(lambda: not runs(supervisor))
    (box.notes / "go").touch()
    eventually((box.notes / "printed").exists)
    eventually(lambda: not runs(installer) and not runs(spare))
    assert TOKEN not in box.output.read_text()


def test_the_process_that_would_read_on_ends_with_the_supervisor(box):
    box.installer(f"{HELD_UP}\nsleep 60 &")  # which holds the output open
    box.run(wait=False)
    spare = spare_reader(int(eventually(lambda: box.note("supervisor"))))
    (box.notes / "go").touch()
    assert (box.follow()["rc"], runs(spare)) == (0, False)


def test_a_run_follows_no_longer_than_the_supervisor_may_take(box, monkeypatch):
    monkeypatch.setattr(install, "STOP_SECONDS", -1)
    box.installer(HELD_UP)
    result = box.run(timeout=1)
    (box.notes / "go").touch()
    assert (result["failed"], result["rc"], result["meaning"]) == (True, None, "still running")
    assert "still runs, although its time limit is over. Look at it on the host" in result["msg"]


def test_an_adopted_installer_has_the_time_that_it_was_given(box, monkeypatch):
    limits = []

    def follow(found, limit):
        limits.append(limit)
        return {"lock": "over", "rc": 0}

    monkeypatch.setattr(install, "follow", follow)
    for timeout in (7200, "x"):
        monkeypatch.setattr(install, "look", lambda _found, given=timeout: (box.place, "running", {"timeout": given}))
        assert box.run(timeout=60)["rc"] == 0
    assert limits == [7200 + install.STOP_SECONDS, 60 + install.STOP_SECONDS]


@pytest.mark.skipif(not ROOT, reason="without root there is no other's record")
def test_root_waits_no_longer_than_its_own_option_for_an_installer_that_the_install_user_records(box, monkeypatch):
    limits = []
    user_place = install_files.places(str(box.storage), str(box.state), is_root=False)[0]
    monkeypatch.setattr(install, "follow", lambda _found, limit: limits.append(limit) or {"lock": "over", "rc": 0})
    monkeypatch.setattr(install, "look", lambda _found: (user_place, "running", {"timeout": 2**31 - 1}))
    assert (box.run(timeout=60)["rc"], limits) == (0, [60 + install.STOP_SECONDS])


def test_after_an_interruption_a_new_run_starts_the_installer_again(box):
    box.make_place()
    box.record.write_text(json.dumps({"started": 1.0}))
    assert (box.run()["rc"], box.follow()["rc"]) == (0, 0)


# -- nothing to do, nothing done -------------------------------------------------------------------------------------


def test_an_installed_host_is_not_touched(box):
    box.engine("other", "frc-runners-runner")
    result = box.run()
    assert (result["changed"], result["msg"]) == (
        False,
        "ECE is installed already (container frc-runners-runner): nothing done",
    )
    assert (box.note("started"), box.storage.exists()) == ("", False)


@pytest.mark.skipif(not ROOT, reason="only root can ask in the user's place")
def test_an_installed_host_is_installed_even_if_its_user_cannot_ask_the_engine(box):
    box.engine("frc-runners-runner")
    docker = box.folder / "bin" / "docker"
    docker.chmod(0o700)
    assert box.run()["changed"] is False


@pytest.mark.parametrize("token", [None, TOKEN])
def test_check_mode_runs_nothing_and_needs_no_token(box, token):
    result = box.run(token=token, check_mode=True, capacity=8192)
    assert (result["changed"], result["msg"]) == (True, "would install")
    assert result["diff"]["after"].startswith(
        "joins as allocator: elastic-cloud-enterprise.sh install --coordinator-host 10.0.0.1 "
    )
    assert "--capacity 8192" in result["diff"]["after"]
    assert TOKEN not in result.printed
    assert (box.note("started"), box.storage.exists()) == ("", False)


def test_check_mode_of_an_installed_host_is_no_change(box):
    box.engine("frc-runners-runner")
    assert box.run(token=None, check_mode=True)["changed"] is False


# -- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"zone": "zone 1"}, "zone 'zone 1' cannot be given to the installer"),
        ({"extra_args": ["--roles", "director"]}, "extra_args has --roles: use the option roles for it"),
        ({"capacity": 4096}, "capacity 4096 is too small"),
        ({"memory_settings": '{"runner": {"xms": "1 G"}}'}, "memory_settings"),
        ({"timeout": 0}, "timeout 0 is too small: use seconds, 1 or more"),
        ({"user": "no-such-user-here"}, "user no-such-user-here does not exist on the host: create it"),
        ({"installer_url": "http://mirror/elastic-cloud-enterprise.sh"}, "is not encrypted"),
        ({"installer_checksum": "md5:0"}, "is not a checksum"),
    ],
)
def test_wrong_options_are_refused_before_anything_happens(box, options, message, check_mode):
    result = box.run(**options, check_mode=check_mode)
    assert (result["failed"], message in result["msg"]) == (True, True), result["msg"]
    assert (box.note("started"), box.note("engine"), box.storage.exists()) == ("", "", False)


def test_without_a_token_nothing_is_started(box):
    result = box.run(token=None)
    assert (result["failed"], result["msg"]) == (
        True,
        "token is not set: mint one with ece_enrollment_token for the roles allocator",
    )


@pytest.mark.skipif(ROOT, reason="root can become every user")
def test_an_ordinary_user_cannot_become_another(box):
    result = box.run(user="root")
    assert (result["failed"], "use become to run this as root, or connect as root" in result["msg"]) == (True, True)


@pytest.mark.parametrize(
    ("script", "options", "message"),
    [
        pytest.param(
            "CLOUD_ENTERPRISE_VERSION=3.8.0\n",
            {"installer_checksum": "sha256:" + "0" * 64},
            "instead of sha256:" + "0" * 64,
            id="wrong checksum",
        ),
        pytest.param(
            None,
            {},
            "(option installer_path) is not a file on the host: copy the installer there, or set ece_host_installer_",
            id="missing",
        ),
        pytest.param(
            "CLOUD_ENTERPRISE_VERSION=3.7.2\n", {}, "installs ECE 3.7.2, which is older than 3.8.0", id="older"
        ),
        pytest.param("echo hello\n", {}, "is not elastic-cloud-enterprise.sh", id="something else"),
    ],
)
def test_a_wrong_installer_is_not_run(box, script, options, message):
    box.script.unlink()
    if script:
        box.script.write_text(f"#!/bin/bash\n{script}touch {box.notes}/started\n")
    result = box.run(**options)
    assert (result["failed"], message in result["msg"], str(box.script) in result["msg"]) == (True, True, True), result[
        "msg"
    ]
    assert not (box.notes / "started").exists() and not box.storage.exists()


def test_an_installer_at_a_path_of_its_own(box):
    other = box.folder / "tools"
    other.mkdir()
    box.script = box.script.rename(other / "elastic-cloud-enterprise.sh")
    checksum = "sha256:" + hashlib.sha256(box.script.read_bytes()).hexdigest()
    assert box.run(installer_path=str(box.script), installer_checksum=checksum)["rc"] == 0


@pytest.mark.parametrize("linked", ["file", "folder"])
def test_an_installer_may_be_a_link_in_a_folder_that_no_other_user_can_change(box, monkeypatch, linked):
    # The folder for temporary files, which all users can write, is not above it.
    roots = Path(tempfile.mkdtemp(prefix="ece-", dir="/var/lib" if ROOT else box.folder))
    try:
        roots.chmod(0o755)
        (roots / "4.0.3").mkdir(0o755)
        script = box.script.rename(box.folder / "x.sh")
        (roots / "4.0.3" / "x.sh").write_bytes(script.read_bytes())
        (roots / "4.0.3" / "x.sh").chmod(0o755)
        path = roots / "elastic-cloud-enterprise.sh"
        if linked == "file":
            path.symlink_to("4.0.3/x.sh")
        else:
            (roots / "now").symlink_to("4.0.3")
            path = roots / "now" / "x.sh"
        assert box.run(installer_path=str(path))["msg"].startswith("installed in")
    finally:
        shutil.rmtree(roots)


@pytest.mark.skipif(not ROOT, reason="without root the install user is who reads it")
def test_a_folder_that_the_install_user_cannot_enter_is_named_as_the_cause(box):
    folder = Path(tempfile.mkdtemp(prefix="ece-", dir="/var/lib"))
    try:
        (folder / "x.sh").write_bytes(box.script.read_bytes())
        result = box.run(installer_path=str(folder / "x.sh"))
    finally:
        shutil.rmtree(folder)
    assert result["failed"] and "cannot be read by user" in result["msg"], result["msg"]


@pytest.mark.skipif(not ROOT, reason="without root the install user is who reads it")
def test_an_installer_that_only_root_can_read_is_not_run(box):
    box.script.chmod(0o600)
    os.chown(box.script, 0, 0)
    result = box.run()
    assert result["failed"] and f"cannot be read by user {USER.pw_name}, who runs it" in result["msg"], result["msg"]
    assert box.note("started") == "" and not box.storage.exists()


def test_a_file_with_the_checksum_is_run_without_a_download(box):
    checksum = "sha256:" + hashlib.sha256(box.script.read_bytes()).hexdigest()
    assert box.run(installer_url="https://127.0.0.1:1/x.sh", installer_checksum=checksum)["rc"] == 0


@pytest.mark.skipif(not ROOT, reason="without root it is the user's own file")
@pytest.mark.parametrize("planted", ["link", "folder", "pipe"])
def test_root_reads_no_installer_that_is_a_link_or_a_pipe_in_a_folder_of_another_user(box, planted):
    of_user, private = box.folder / "of-user", box.folder / "private"
    private.mkdir(0o700)
    of_user.mkdir()
    os.chown(of_user, USER.pw_uid, USER.pw_gid)
    box.script.rename(private / box.script.name)
    path = of_user / box.script.name
    if planted == "link":
        path.symlink_to(private / box.script.name)
    elif planted == "pipe":
        os.mkfifo(path)
    else:
        (of_user / "tools").symlink_to(private)
        path = of_user / "tools" / box.script.name
    result = box.run(installer_path=str(path), installer_checksum="sha256:" + "0" * 64)
    sentence = "is not a file on the host" if planted == "pipe" else "in a folder that other users than root can change"
    assert result["failed"] and sentence in result["msg"] and "sha256:" not in result["msg"], result["msg"]


@pytest.mark.skipif(not ROOT, reason="without root it is the user's own folder")
def test_root_writes_no_installer_through_a_link_of_the_install_user(box):
    of_user, private = box.folder / "of-user", box.folder / "private"
    private.mkdir()
    of_user.mkdir()
    os.chown(of_user, USER.pw_uid, USER.pw_gid)
    (of_user / "tools").symlink_to(private)
    result = box.run(installer_path=str(of_user / "tools" / "x.sh"), installer_content=box.script.read_text())
    assert result["failed"] and os.listdir(private) == [] and box.note("started") == "", result


def test_the_installers_text_is_written_and_never_shown(box):
    text = box.script.read_text() + "# \u00e9\r\n\n"
    box.script.write_text("an older one")
    checksum = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    result = box.run(installer_content=text, installer_checksum=checksum)
    assert result["rc"] == 0 and "#!/bin/bash" not in json.dumps(result)
    assert (box.script.stat().st_mode & 0o777, box.script.stat().st_uid) == (0o700, USER.pw_uid)
    assert box.script.read_bytes() == text.encode()


def test_a_wrong_text_replaces_nothing(box):
    before = box.script.read_bytes()
    result = box.run(installer_content="echo hello")
    assert result["failed"] and "installer_content is not elastic-cloud-enterprise.sh" in result["msg"]
    assert box.script.read_bytes() == before


@pytest.mark.parametrize("with_checksum", [True, False])
def test_the_installer_is_downloaded_to_a_private_file_and_again_only_without_a_checksum(box, with_checksum):
    content = box.script.read_bytes()
    box.script.unlink()
    options = {
        "installer_url": "https://downloads.example.com/elastic-cloud-enterprise.sh",
        "installer_ca_path": "/etc/ca.pem",
        "installer_proxy": "http://proxy.example.com:3128",
    }
    if with_checksum:
        options["installer_checksum"] = "sha256:" + hashlib.sha256(content).hexdigest()
    with mock.patch.object(installer_file, "download", return_value=content) as download:
        assert box.run(**options)["rc"] == 0
        assert (box.script.stat().st_mode & 0o777, box.script.stat().st_uid) == (0o700, USER.pw_uid)
        result = box.run(**options)
        assert result["rc"] == 0
    expected = mock.call(options["installer_url"], "/etc/ca.pem", "http://proxy.example.com:3128")
    assert download.mock_calls == [expected] * (1 if with_checksum else 2)
    assert [f"installer_url {options['installer_url']} has no checksum" in warning for warning in result.warnings] == (
        [] if with_checksum else [True]
    )
    assert box.script.read_bytes() == content


def test_a_wrong_download_replaces_nothing(box):
    before = box.script.read_bytes()
    with mock.patch.object(installer_file, "download", return_value=b"<html>Sign in</html>"):
        result = box.run(installer_url="https://downloads.example.com/x")
    assert (
        result["failed"],
        "the installer at https://downloads.example.com/x is not elastic-cloud-enterprise.sh" in result["msg"],
    ) == (True, True)
    assert box.script.read_bytes() == before


def test_a_storage_path_that_cannot_be_made_is_an_error(box):
    box.storage.write_text("a file")
    result = box.run()
    assert result["failed"] and result["msg"].startswith(f"the host refused {box.storage}")
    assert box.note("started") == ""


# -- engines and what is left on them --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["fac-0123-instance-0000000001", "frc-allocators-allocator"])
def test_ece_containers_without_a_runner_are_refused(box, name):
    box.engine(name)
    result = box.run()
    assert (result["failed"], name in result["msg"], box.note("started")) == (True, True, "")


@pytest.mark.parametrize("check_mode", [False, True])
def test_an_engine_that_does_not_answer_is_refused(box, check_mode):
    docker = box.folder / "bin" / "docker"
    docker.write_text(
        "#!/bin/bash\n[[ $1 == --version ]] && { echo Docker version 25.0.5; exit; }\necho no daemon >&2; exit 1\n"
    )
    result = box.run(check_mode=check_mode)
    assert (result.get("failed"), "no daemon" in result["msg"], box.note("started")) == (True, True, "")


@pytest.mark.parametrize(("status", "started"), [("Up 2 minutes", False), ("Exited (1) 2 minutes ago", True)])
def test_only_a_running_container_of_the_installer_is_a_running_installer(box, status, started):
    docker = box.folder / "bin" / "docker"
    docker.write_text(
        docker.read_text().replace("printf ''", f"printf 'elastic-cloud-enterprise-installer|x|{status}\\n'")
    )
    result = box.run()
    assert (result["changed"], bool(box.note("started"))) == (started, started), result


# -- a supervisor in trouble -----------------------------------------------------------------------------------------


def test_a_full_disk_hides_neither_the_end_nor_the_exit_code(box, monkeypatch):
    box.installer("until [[ -e $NOTES/go ]]; do sleep 0.01; done; echo last line; exit 3")
    refused = OSError(28, "No space left on device")

    def write(handle, content):
        if os.readlink(f"/proc/self/fd/{handle}") == str(box.output):
            raise refused
        return os.write(handle, content)

    def make(name, *values, **options):
        if str(name).startswith(".record") and (box.notes / "go").exists():
            raise refused
        return os.open(name, *values, **options)

    names = {name: getattr(os, name) for name in dir(os)}
    monkeypatch.setattr(detached, "os", types.SimpleNamespace(**{**names, "write": write}))
    monkeypatch.setattr(host_files, "os", types.SimpleNamespace(**{**names, "open": make}))
    box.run(wait=False)
    (box.notes / "go").touch()
    record = box.follow()
    assert (install_record.install_state(record), record.get("rc"), record.get("output")) == (
        "finished",
        3,
        ["last line"],
    )


def test_a_supervisor_that_fails_stops_the_installer_before_it_releases_the_lock(box, monkeypatch):
    box.installer("sleep 60 & echo $! >$NOTES/child; echo working; wait")

    def fail(*_words):
        eventually(lambda: box.note("child"))
        raise RuntimeError("broken " + TOKEN)

    monkeypatch.setattr(detached, "collect", fail)
    box.run(wait=False)
    record = box.follow()
    assert (install_record.install_state(record), record["rc"], record["supervisor_error"]) == (
        "finished",
        126,
        "RuntimeError: broken ********",
    )
    for name in ("started", "child"):
        assert not runs(int(box.note(name)))


def test_a_process_that_only_asks_for_the_lock_is_not_a_supervisor(box, monkeypatch):
    box.make_place()
    with open(box.lock, "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)

        def sleep(_seconds):
            with contextlib.suppress(OSError):  # the supervisor has closed this file
                fcntl.flock(lock, fcntl.LOCK_UN)
            time.sleep(0.001)

        clock = types.SimpleNamespace(time=time.time, monotonic=time.monotonic, sleep=sleep)
        monkeypatch.setattr(detached, "time", clock)
        assert box.run()["rc"] == 0


def test_a_registry_login_is_there_when_the_installer_starts_and_is_not_shown(box, monkeypatch):
    home = box.folder / "home"
    home.mkdir()
    os.chown(home, USER.pw_uid, USER.pw_gid)
    real = install._install_user
    monkeypatch.setattr(install, "_install_user", lambda name: real(name)._replace(home=str(home)))
    login = {"docker_registry_username": "ops", "docker_registry_password": "pw-of-registry"}
    box.installer(f'cp {home}/.docker/config.json $NOTES/login; echo "$*" >$NOTES/arguments')
    result = box.run(**login, docker_registry_login_in_containers=True)
    assert result["rc"] == 0 and "docker.elastic.co" in box.note("login")
    assert f"--config-file {box.storage}/registry-login.conf" in box.note("arguments")
    assert "pw-of-registry" not in json.dumps([result, box.note("arguments")])


def test_check_mode_writes_no_login(box, monkeypatch):
    monkeypatch.setattr(install.registry_login, "write_login", None)
    assert box.run(check_mode=True, docker_registry_username="ops", docker_registry_password="pw-of-registry")[
        "changed"
    ]


def test_half_a_login_is_refused(box):
    assert "docker_registry_password is not set" in box.run(docker_registry_username="ops")["msg"]


@pytest.mark.parametrize(("given", "passed"), [(None, "10.0.0.7"), ("10.0.0.8", "10.0.0.8")])
def test_the_script_is_given_the_address_that_it_would_derive(box, monkeypatch, given, passed):
    monkeypatch.setattr(host_facts, "only_address", lambda: "10.0.0.7")
    box.installer('echo "$*" >$NOTES/arguments')
    assert box.run(host_ip=given)["rc"] == 0
    assert f"--host-ip {passed}" in box.note("arguments")


@pytest.mark.parametrize("check_mode", [False, True])
def test_an_address_that_is_not_clear_is_refused_before_the_script_starts(box, monkeypatch, check_mode):
    routes = [{"interface": "eth0", "gateway": "10.0.0.1", "addresses": ["10.0.0.7", "10.0.0.200"]}]
    monkeypatch.setattr(host_facts, "only_address", lambda: None)
    monkeypatch.setattr(host_facts, "_own_network", lambda: (["10.0.0.7", "10.0.0.200"], routes))
    result = box.run(check_mode=check_mode)
    assert (result["failed"], box.note("started")) == (True, "")
    assert result["msg"] == (
        "The address of the host in the platform is not clear, because eth0, the interface of the default route, has "
        "the addresses 10.0.0.200 and 10.0.0.7: set ece_host_ip (option host_ip) to one of 10.0.0.7, 10.0.0.200."
    )
    box.engine("frc-runners-runner")
    assert box.run(check_mode=check_mode)["changed"] is False


def podman_instead_of_docker(box):
    wrapper = "[[ $1 == --version ]] && echo podman version 5.4.0  # of podman-remote"
    (box.folder / "bin" / "docker").write_text(f"#!/bin/bash\n{wrapper}\nexit 0\n")


@pytest.mark.parametrize("selinux", [False, True])
def test_podman_is_passed_where_the_host_has_it(box, selinux):
    podman_instead_of_docker(box)
    box.installer('echo "$*" >$NOTES/arguments')
    assert box.run(selinux=selinux)["rc"] == 0
    assert box.note("arguments").split().count("--podman") == 1
    assert ("--selinux" in box.note("arguments")) is selinux


def test_selinux_is_refused_where_the_host_has_docker(box):
    result = box.run(selinux=True)
    assert (result["failed"], box.note("started")) == (True, "")
    assert "selinux goes with container_engine podman only" in result["msg"]


def test_docker_is_refused_where_its_command_is_podmans(box):
    podman_instead_of_docker(box)
    result = box.run(container_engine="docker")
    assert (result["failed"], box.note("started")) == (True, "")
    assert "the docker command of this host is Podman's: set it to podman" in result["msg"]


@pytest.mark.skipif(not ROOT, reason="only root has a folder of its own")
def test_a_record_in_a_folder_that_another_user_can_change_is_not_read(box):
    base = box.folder / "of-user"
    base.mkdir()
    os.chown(base, USER.pw_uid, USER.pw_gid)
    result = box.run(state_path=str(base / "state"))
    assert result["failed"] and "set state_path (ece_host_state_path) to a folder that only root" in result["msg"]
    assert box.note("started") == "" and not list(base.iterdir())
