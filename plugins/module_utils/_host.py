# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts of a host that is to join, and the rules by which ECE's installer would refuse it.

Gathering (everything that touches the host) and judging (pure) are apart. Python 3.6 and the standard library: this runs on hosts.
"""

import errno
import fcntl
import grp
import json
import os
import platform
import pwd
import re
import shutil
import socket
import stat
import subprocess
import sys
import time

from ansible_collections.ece.platform.plugins.module_utils._ece import (
    CONTAINER_PREFIXES,
    DEFAULT_SOCKET,
    SCRIPT_NAME,
    release,
)

INSTALLER_PORTS = (20000, 21000, 22000)
UID_MIN = 1000
MEMORY_MIN_MB = 8192
# With less than this, not even what comes before the installer can be written.
DISK_FULL_GB = 1
DISK_MIN_GB = {"allocator": 10, "coordinator": 10, "director": 10, "proxy": 15}
MAP_COUNT_MIN = 262144
SYSTEM_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
CHECKS = (
    "disk",
    "engine",
    "firewalld",
    "host_ip",
    "installer",
    "memory",
    "os",
    "ports",
    "selinux",
    "socket",
    "storage",
    "user",
)
COMMAND_TIMEOUT_SECONDS = 60
SHELLS = frozenset(("ash", "bash", "dash", "ksh", "sh", "zsh"))
# Arguments by which the script is known where it has no name, and its actions that are not install.
JOIN_FLAGS = frozenset(("--coordinator-host", "--roles-token"))
OTHER_ACTIONS = frozenset(("add-stack-version", "configure-selinux-settings", "reset-adminconsole-password", "upgrade"))

# Operating system and engine that the installer accepts, by release; a release without an entry uses the nearest lower one.
# Docker is compared on major.minor, Podman on major.
MATRIX = {
    (4, 0): {
        "RHEL-8": {"podman": ("4",)},
        "RHEL-9": {"podman": ("4", "5")},
        "RockyLinux-8": {"podman": ("4",)},
        "RockyLinux-9": {"podman": ("5",)},
        "Ubuntu-20.04": {"docker": ("25.0", "26.0", "27.0")},
        "Ubuntu-22.04": {"docker": ("25.0", "26.0", "27.0")},
        "Ubuntu-24.04": {"docker": ("26.0", "27.0")},
        "SLES-12": {"docker": ("25.0",)},
        "SLES-15": {"docker": ("25.0",)},
    },
    (3, 8): {
        "RHEL-8": {"podman": ("4",)},
        "RHEL-9": {"podman": ("4", "5")},
        "RockyLinux-8": {"podman": ("4",)},
        "RockyLinux-9": {"podman": ("5",)},
        "Ubuntu-20.04": {"docker": ("20.10", "24.0", "25.0")},
        "Ubuntu-22.04": {"docker": ("24.0", "25.0")},
        "SLES-12": {"docker": ("24.0", "25.0")},
        "SLES-15": {"docker": ("24.0", "25.0")},
    },
    (3, 7): {
        "RHEL-8": {"podman": ("4",)},
        "RHEL-9": {"podman": ("4",)},
        "RockyLinux-8": {"podman": ("4",)},
        "Ubuntu-20.04": {"docker": ("20.10", "24.0")},
        "Ubuntu-22.04": {"docker": ("24.0",)},
        "SLES-12": {"docker": ("18.09", "24.0")},
        "SLES-15": {"docker": ("20.10", "24.0")},
    },
    (3, 4): {
        "CentOS-7": {"docker": ("20.10",)},
        "CentOS-8": {"docker": ("20.10",)},
        "RHEL-7": {"docker": ("20.10",)},
        "RHEL-8": {"docker": ("20.10",), "podman": ("4",)},
        "Ubuntu-18.04": {"docker": ("19.03",)},
        "Ubuntu-20.04": {"docker": ("20.10",)},
        "SLES-12": {"docker": ("18.09",)},
        "SLES-15": {"docker": ("20.10",)},
    },
    (3, 3): {
        "CentOS-7": {"docker": ("20.10",)},
        "CentOS-8": {"docker": ("19.03", "20.10")},
        "RHEL-7": {"docker": ("20.10",)},
        "RHEL-8": {"docker": ("19.03", "20.10"), "podman": ("4",)},
        "Ubuntu-18.04": {"docker": ("19.03",)},
        "Ubuntu-20.04": {"docker": ("20.10",)},
        "SLES-12": {"docker": ("18.09",)},
        "SLES-15": {"docker": ("20.10",)},
    },
    (2, 13): {
        "CentOS-7": {"docker": ("20.10",)},
        "CentOS-8": {"docker": ("19.03", "20.10")},
        "RHEL-7": {"docker": ("20.10",)},
        "RHEL-8": {"docker": ("19.03", "20.10")},
        "Ubuntu-16.04": {"docker": ("19.03",)},
        "Ubuntu-18.04": {"docker": ("19.03",)},
        "SLES-12": {"docker": ("18.09",)},
    },
}
_OS_NAMES = {
    "rhel": "RHEL",
    "rocky": "RockyLinux",
    "centos": "CentOS",
    "ubuntu": "Ubuntu",
    "sles": "SLES",
    "sles_sap": "SLES",
}


# -- running things as the install user ----------------------------------------------------------------------------------


def clean_environment(user, home, paths):
    """All that the installer gets: it takes unset options from the environment and forwards some of it into containers."""
    return {
        "PATH": ":".join(list(paths) + list(SYSTEM_PATH)),
        "HOME": home,
        "USER": user,
        "LOGNAME": user,
        "SHELL": "/bin/bash",
        "LANG": "C",
    }


def become_user(user):
    """For Popen's preexec_fn: drop root's rights for those of the user, groups included. None where nobody is to be dropped."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam(user)
    groups = os.getgrouplist(entry.pw_name, entry.pw_gid)

    def drop():
        os.setgroups(groups)
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)

    return drop


def run(argv, user=None, paths=(), timeout=COMMAND_TIMEOUT_SECONDS):
    """(rc, output, errors) of a command that is only looked at. rc 127 when it is not there, 124 when it does not end."""
    home = pwd.getpwnam(user).pw_dir if user else "/"
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=clean_environment(user or "root", home, paths),
            cwd="/",
            preexec_fn=become_user(user) if user else None,
            check=False,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired:
        return 124, "", "no answer within {0} s".format(timeout)
    except OSError as error:
        return 127, "", str(error)
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def find_command(name, paths=()):
    """Where a command is, on the search path that the installer will have."""
    return shutil.which(name, path=":".join(list(paths) + list(SYSTEM_PATH)))


_REMEDIES = {
    errno.ENOSPC: "make room on its disk and run this again",
    errno.EDQUOT: "give its owner more disk quota and run this again",
    errno.EROFS: "mount its disk for writing, after a look for disk errors in the kernel's log",
    errno.EACCES: "let the user that this runs as read and write it",
    errno.EPERM: "let the user that this runs as read and write it",
}


def refusal(error):
    """An OSError as a sentence: which file, what is wrong with it, and the remedy where there is a usual one."""
    place = "the host refused" if error.filename is None else "the host refused {0}".format(error.filename)
    reason = error.strerror or str(error)
    remedy = _REMEDIES.get(error.errno)
    return "{0}: {1}{2}".format(place, reason, "; " + remedy if remedy else "")


# -- gathering -----------------------------------------------------------------------------------------------------------


def read(path):
    """Content of a file, or an empty string where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as source:
            return source.read()
    except OSError:
        return ""


def os_facts(os_release):
    """id, version and the name in ECE's support matrix, from the text of /etc/os-release."""
    values = dict(re.findall(r'^([A-Z_]+)=["\']?([^"\'\n]*)', os_release, re.MULTILINE))
    name, version = values.get("ID", ""), values.get("VERSION_ID", "")
    label = _OS_NAMES.get(name, values.get("NAME", name) or "unknown")
    return {
        "id": name,
        "version": version,
        "matrix_name": label + "-" + (version if name == "ubuntu" else version.split(".")[0]),
    }


def user_facts(name):
    """uid, gid and group names of the install user; None when there is no such user."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    groups = []
    for gid in os.getgrouplist(name, entry.pw_gid):
        try:
            groups.append(grp.getgrgid(gid).gr_name)
        except KeyError:
            groups.append(str(gid))
    return {"name": name, "uid": entry.pw_uid, "gid": entry.pw_gid, "home": entry.pw_dir, "groups": sorted(groups)}


def socket_facts(path):
    """Whether the engine's socket is there."""
    try:
        there = stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        there = False
    return {"path": path, "is_socket": there}


def find_engine(engine, paths):
    """(name, its command, what that says of its version) of the container engine; no command where there is none.

    engine: C(docker), C(podman) or None to take what is there, docker first.
    """
    for name in [engine] if engine else ["docker", "podman"]:
        command = find_command(name, paths)
        if command:
            rc, out, _err = run([command, "--version"], paths=paths)
            # RHEL has a docker command that only hands on to podman.
            return ("podman" if "podman" in out.lower() else name), command, out if rc == 0 else ""
    return engine, None, ""


def engine_client(name, paths, socket_path):
    """The words with which to ask the engine behind the socket, which is the one that the installer will use.

    Without the socket it is the docker command as it is, also where podman is the engine, as the script itself does it.
    """
    docker, own = find_command("docker", paths), find_command(name, paths)
    if not socket_path or not socket_facts(socket_path)["is_socket"]:
        return [docker or own]
    if name == "podman":
        return [own or docker, "--remote", "--url", "unix://" + socket_path]
    return [own or docker, "-H", "unix://" + socket_path]


def _complaint(rc, out, err):
    """The first line of what a command said, but for what podman's wrapper says each time it is called."""
    lines = [
        line.strip()
        for line in (err + "\n" + out).splitlines()
        if line.strip() and not line.startswith("Emulate Docker CLI")
    ]
    return lines[0] if lines else "exit code {0}".format(rc)


def engine_facts(engine, user, paths, socket_path=None):
    """The container engine: which, version of its client, whether the install user may use it, and its containers.

    engine: as of find_engine. socket_path: socket of the engine whose containers count; where it is not there, or not given, they are
    those of the user's own engine. C(containers_known) is false where nobody told them: then no containers does not mean none.
    """
    name, found, said = find_engine(engine, paths)
    facts = {
        "name": name,
        "version": None,
        "usable": False,
        "error": None,
        "docker_command": bool(find_command("docker", paths)),
    }
    facts.update(containers=[], containers_known=False, containers_error=None)
    if not found:
        facts["error"] = "no command {0} on {1}".format(
            engine or "docker or podman", ":".join(list(paths) + list(SYSTEM_PATH))
        )
        facts["containers_error"] = facts["error"]
        # Nothing that could run containers, so there are none; but a socket is somebody's whose command was not found.
        facts["containers_known"] = not (socket_path and os.path.exists(socket_path))
        return facts
    version = re.search(r"(\d+\.\d+(?:\.\d+)*)", said)
    facts["version"] = version.group(1) if version else None
    words = ["ps", "--all", "--no-trunc", "--format", "{{.Names}}|{{.Image}}|{{.Status}}"]
    # The user check of the script is a plain `docker ps`, also where podman is the engine.
    plain, client = engine_client(name, paths, None), engine_client(name, paths, socket_path)
    rc, out, err = run(plain + words, user=user, paths=paths)
    facts["usable"] = rc == 0
    if rc != 0:
        facts["error"] = _complaint(rc, out, err)
    # Best asked as root: whoever may not use the engine must not be told that it has no containers.
    if rc != 0 or client != plain:
        rc, out, err = run(client + words, paths=paths)
    facts["containers_known"] = rc == 0
    if rc != 0:
        facts["containers_error"] = _complaint(rc, out, err)
        return facts
    for line in out.splitlines():
        parts = line.split("|")
        if len(parts) == 3:
            facts["containers"].append({"name": parts[0], "image": parts[1], "status": parts[2]})
    return facts


def ece_containers(engine):
    """Names of the containers of ECE among those of engine_facts(): its own services, and the instances of deployments."""
    return sorted(
        container["name"] for container in engine["containers"] if container["name"].startswith(CONTAINER_PREFIXES)
    )


def container_runs(engine, name):
    """Whether a container of engine_facts() is there and running."""
    return any(
        container["name"] == name and container["status"].lower().startswith("up") for container in engine["containers"]
    )


def memory_facts(meminfo):
    """Total and available memory in MB, from the text of /proc/meminfo."""
    values = dict(re.findall(r"^(MemTotal|MemAvailable):\s+(\d+) kB", meminfo, re.MULTILINE))
    return {
        "total_mb": int(values.get("MemTotal", 0)) // 1024,
        "available_mb": int(values.get("MemAvailable", 0)) // 1024,
    }


def existing_parent(path):
    """The nearest folder above (or at) path that is there."""
    while not os.path.isdir(path) and path != os.path.dirname(path):
        path = os.path.dirname(path)
    return path


def storage_facts(path, user, mounts):
    """Free space (GB), file system, and whether the install user can write where the storage path is or will be."""
    parent = existing_parent(path)
    space = os.statvfs(parent)
    rc = run(["test", "-r", parent, "-a", "-w", parent, "-a", "-x", parent], user=user)[0] if user else 1
    best, filesystem = "", ""
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) > 2 and len(fields[1]) >= len(best) and (parent + "/").startswith(fields[1].rstrip("/") + "/"):
            best, filesystem = fields[1], fields[2]
    return {
        "path": path,
        "existing_parent": parent,
        "free_gb": space.f_bavail * space.f_frsize // 10**9,
        "filesystem": filesystem,
        "read_only": bool(space.f_flag & os.ST_RDONLY),
        "writable": rc == 0,
    }


def listening_ports(*tables):
    """TCP ports that something listens on, from the texts of /proc/net/tcp and tcp6."""
    return {
        int(port, 16)
        for text in tables
        for port in re.findall(r"^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:0000 0A ", text, re.MULTILINE)
    }


def open_files(folder):
    """What the descriptors of a process (C(/proc/PID/fd)) lead to; those that go meanwhile are left out, and those of others, too."""
    found = set()
    try:
        for name in os.listdir(folder):
            try:
                found.add(os.readlink(os.path.join(folder, name)))
            except OSError:
                continue
    except OSError:
        pass
    return found


def port_users(ports, *tables, proc="/proc"):
    """Who listens on these TCP ports, like C(python3 (pid 812)), as far as this process may see it. Texts as for listening_ports()."""
    line = r"^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:0000 0A \S+ \S+ \S+ +\d+ +\d+ (\d+) "
    sockets = {
        "socket:[{0}]".format(inode)
        for text in tables
        for port, inode in re.findall(line, text, re.MULTILINE)
        if int(port, 16) in ports
    }
    users = []
    for pid in sorted(int(name) for name in os.listdir(proc) if name.isdigit()):
        held = open_files(os.path.join(proc, str(pid), "fd"))
        if held & sockets:
            # Its children may hold it, too; the first one is who to stop.
            sockets -= held
            users.append("{0} (pid {1})".format(read(os.path.join(proc, str(pid), "comm")).strip(), pid))
    return users


def default_interface(route):
    """Name of the interface of the default route, from the text of /proc/net/route; None without one."""
    for line in route.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 7 and fields[1] == "00000000" and fields[7] == "00000000":
            return fields[0]
    return None


def lock_is_held(path):
    """Whether an installer that this collection started is being watched over right now."""
    try:
        with open(path) as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


def _is_installer(words):
    """Whether a command line is that of a shell that runs the script to install, under its name or from C(<(curl ...))."""
    name = os.path.basename(words[0]).lstrip("-")
    script = next((index for index, word in enumerate(words[:3]) if os.path.basename(word) == SCRIPT_NAME), None)
    if name not in SHELLS and script != 0:
        return False
    for option in words[1:]:
        if not option.startswith(("-", "+")):
            break
        # `sh -c '...'`, as Ansible and cron call it: the words are not its own, and what it starts is seen by itself.
        if "c" in option and not option.startswith("--"):
            return False
    # No action at all means install.
    return (script is not None or not JOIN_FLAGS.isdisjoint(words)) and OTHER_ACTIONS.isdisjoint(words)


def installer_processes(storage_path, default_storage_path, proc="/proc"):
    """Pids of installers for this storage path, whoever started them. A watcher is none: it is still the module's Python."""
    pids = []
    for name in os.listdir(proc):
        if not name.isdigit():
            continue
        words = read(os.path.join(proc, name, "cmdline")).split("\0")
        if not _is_installer(words):
            continue
        given = (
            words[words.index("--host-storage-path") + 1]
            if "--host-storage-path" in words[:-1]
            else default_storage_path
        )
        if given.rstrip("/") == storage_path.rstrip("/"):
            pids.append(int(name))
    return sorted(pids)


def last_install(record_path, running=False, now=None):
    """What the record of this collection's last install here says: rc and how long ago it ended; None without one.

    running: whether that install is still under watch.
    """
    try:
        record = json.loads(read(record_path) or "{}")
    except ValueError:
        return None
    if not isinstance(record, dict) or not record.get("started"):
        return None
    finished = record.get("finished")
    age = max(0, (now or time.time()) - finished) if finished else None
    return {"rc": record.get("rc"), "started": record["started"], "age_seconds": age, "running": running}


def gather(options, log_paths, default_storage_path, installer_container):
    """All facts of a host for a join with these options (those of ece_host_info). Reads, never writes."""
    user = user_facts(options["user"])
    # As an ordinary user nobody else can be asked for; the rules say so.
    run_as = options["user"] if user else None
    paths = options["bin_paths"]
    storage_path = options["storage_path"]
    socket_path = options["docker_socket"] or DEFAULT_SOCKET
    engine = engine_facts(options["container_engine"], run_as, paths, socket_path)
    watched = lock_is_held(log_paths["lock"])
    running = watched or container_runs(engine, installer_container)
    listening = (read("/proc/net/tcp"), read("/proc/net/tcp6"))
    busy = listening_ports(*listening).intersection(INSTALLER_PORTS)
    return {
        "os": os_facts(read("/etc/os-release")),
        "kernel": platform.release(),
        "hostname": socket.gethostname(),
        "python": {"version": platform.python_version(), "executable": sys.executable},
        "user": user,
        "effective_uid": os.geteuid(),
        "engine": engine,
        "socket": socket_facts(socket_path),
        "containers": [container["name"] for container in engine["containers"]],
        "containers_known": engine["containers_known"],
        "ece_containers": ece_containers(engine),
        "installer_running": bool(running or installer_processes(storage_path, default_storage_path)),
        "last_install": last_install(log_paths["record"], watched),
        "busy_ports": sorted(busy),
        "port_users": port_users(busy, *listening) if busy else [],
        "memory": memory_facts(read("/proc/meminfo")),
        "storage": storage_facts(storage_path, run_as, read("/proc/mounts")),
        "default_interface": default_interface(read("/proc/net/route")),
        "firewalld_active": run(["systemctl", "is-active", "firewalld"])[1].strip() == "active",
        "selinux_enforcing": read("/sys/fs/selinux/enforce").strip() == "1",
        "cgroup_version": 2 if os.path.exists("/sys/fs/cgroup/cgroup.controllers") else 1,
        "max_map_count": int(read("/proc/sys/vm/max_map_count").strip() or 0),
    }


# -- judging -------------------------------------------------------------------------------------------------------------


def accepted(version):
    """The part of the matrix for a version of ECE; None where it is older than all that is known."""
    lower = [key for key in MATRIX if key <= release(version)]
    return MATRIX[max(lower)] if lower else None


def judge(facts, options):
    """(problems, warnings): what makes the installer refuse this host, with what to do, and what it only warns of.

    options: C(version), C(roles), C(user), C(container_engine), C(force), C(selinux), C(host_ip), C(skip_checks) as of ece_host_info.
    """
    problems, warnings = [], []
    skip = set(options["skip_checks"])

    def problem(check, text):
        if check not in skip and "all" not in skip:
            problems.append(text)

    def warning(check, text):
        if check not in skip and "all" not in skip:
            warnings.append(text)

    _judge_user(facts, options, problem)
    _judge_engine(facts, options, problem, warning)
    _judge_system(facts, options, problem, warning)
    return problems, warnings


def _judge_user(facts, options, problem):
    user, name = facts["user"], options["user"]
    if user is None:
        problem(
            "user",
            "There is no user {0}: create it with a UID and GID of {1} or more and put it into the engine's group.".format(
                name, UID_MIN
            ),
        )
        return
    for kind in ("uid", "gid"):
        if user[kind] < UID_MIN:
            problem(
                "user",
                "User {0} has {1} {2}; the installer wants {3} or more.".format(
                    name, kind.upper(), user[kind], UID_MIN
                ),
            )
    if facts["effective_uid"] not in (0, user["uid"]):
        problem(
            "user",
            "The task runs as UID {0}, neither root nor {1}: connect with become, or as {1}.".format(
                facts["effective_uid"], name
            ),
        )


def _judge_engine(facts, options, problem, warning):
    engine = facts["engine"]
    if not engine["version"] and not engine["usable"]:
        problem(
            "engine",
            "The container engine cannot be used ({0}): install docker or podman, or set container_engine and bin_paths.".format(
                engine["error"]
            ),
        )
        return
    if not facts["socket"]["is_socket"]:
        problem(
            "socket",
            "There is no socket {0}: start the container engine, or set docker_socket.".format(facts["socket"]["path"]),
        )
    # One cause, one sentence: whether the user may ask an engine is seen once it has a socket.
    if facts["user"] and not engine["usable"] and (facts["socket"]["is_socket"] or "socket" in options["skip_checks"]):
        problem(
            "engine",
            "User {0} cannot run {1} ({2}): start the engine, and add the user to the group {1}.".format(
                options["user"], engine["name"], engine["error"]
            ),
        )
    if engine["name"] == "podman" and not engine["docker_command"] and not options["force"]:
        problem(
            "engine",
            "There is no docker command: the installer asks it with podman too; install podman's wrapper for it.",
        )
    rows = accepted(options["version"]) if options["version"] else None
    if rows is None:
        if options["version"]:
            warning(
                "os",
                "ECE {0} is older than the support matrix known here; operating system and engine are not checked.".format(
                    options["version"]
                ),
            )
        return
    name, version = facts["os"]["matrix_name"], engine["version"] or "unknown"
    compared = version.split(".")[0] if engine["name"] == "podman" else ".".join(version.split(".")[:2])
    if name not in rows:
        problem(
            "os",
            "ECE {0} does not support {1}; it does support {2}.".format(
                options["version"], name, ", ".join(sorted(rows))
            ),
        )
    elif compared not in rows[name].get(engine["name"], ()):
        right = "; ".join(
            "{0} {1}".format(kind.capitalize(), ", ".join(versions)) for kind, versions in sorted(rows[name].items())
        )
        problem(
            "os",
            "ECE {0} on {1} does not support {2} {3}; install {4}.".format(
                options["version"], name, engine["name"].capitalize(), version, right
            ),
        )


def _judge_system(facts, options, problem, warning):
    storage, memory = facts["storage"], facts["memory"]
    if storage["read_only"]:
        problem(
            "storage",
            "{0} is mounted read-only: look for disk errors in the kernel's log, then mount it for writing.".format(
                storage["existing_parent"]
            ),
        )
    elif facts["user"] and not storage["writable"]:
        problem(
            "storage",
            "User {0} cannot read and write {1}: give it the folder (mode 0700).".format(
                options["user"], storage["existing_parent"]
            ),
        )
    if not options["host_ip"] and not facts["default_interface"]:
        problem("host_ip", "There is no default route, so the installer finds no address for the host: set host_ip.")
    if facts["busy_ports"]:
        ports, users = ", ".join(str(port) for port in facts["busy_ports"]), facts["port_users"]
        verb, them = ("listen", "them") if len(users) > 1 else ("listens", "it")
        problem(
            "ports",
            "{0} {1} on port {2}, which the installer needs: stop {3}.".format(
                " and ".join(users) or "Something", verb, ports, them
            ),
        )
    # A machine sold as 8 GB shows a little less: kernel and firmware keep some.
    if memory["total_mb"] < MEMORY_MIN_MB * 0.95:
        problem(
            "memory",
            "The host has {0} MB of memory; ECE needs {1} MB to install.".format(memory["total_mb"], MEMORY_MIN_MB),
        )
    elif memory["available_mb"] < MEMORY_MIN_MB:
        warning(
            "memory",
            "Only {0} MB of memory are free; ECE wants {1} MB free to install.".format(
                memory["available_mb"], MEMORY_MIN_MB
            ),
        )
    needed = max(DISK_MIN_GB[role] for role in options["roles"])
    if storage["free_gb"] < DISK_FULL_GB:
        text = "{0} is full ({1} GB free): make room, ECE wants {2} GB or more there."
        problem("disk", text.format(storage["existing_parent"], storage["free_gb"], needed))
    elif storage["free_gb"] < needed:
        warning(
            "disk",
            "{0} has {1} GB free; ECE wants {2} GB or more.".format(
                storage["existing_parent"], storage["free_gb"], needed
            ),
        )
    if "allocator" in options["roles"] and storage["filesystem"] not in ("xfs", ""):
        text = "{0} is on {1}; allocators need XFS with project quotas, or disk usage is wrong."
        warning("disk", text.format(storage["existing_parent"], storage["filesystem"]))
    if facts["firewalld_active"]:
        # Scripts up to 3.5 stop with exit code 5, those of 4.0 only warn; what those between do is not known.
        if options["version"] and release(options["version"]) <= (3, 5) and not options["force"]:
            problem("firewalld", "firewalld is active, which this version's installer refuses: stop and disable it.")
        else:
            warning(
                "firewalld",
                "firewalld is active: open ECE's ports, or the host will not connect; some installers refuse to run.",
            )
    if facts["selinux_enforcing"] and not options["selinux"]:
        warning("selinux", "SELinux is enforcing, but selinux is not set: ECE's containers may be denied their files.")
    if facts["cgroup_version"] == 2:
        warning("os", "The host uses cgroup v2, with which Elasticsearch before 7.17.7 and 8.5 fails.")
    if facts["max_map_count"] < MAP_COUNT_MIN:
        warning(
            "os",
            "vm.max_map_count is {0}; Elasticsearch needs {1} or more.".format(facts["max_map_count"], MAP_COUNT_MIN),
        )
