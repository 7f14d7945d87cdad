# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""elastic-cloud-enterprise.sh install: options to a checked argument list, exit codes to words, output without secrets.

Pure functions; Python 3.6 and the standard library, because this runs on the hosts.

Why an allow-list and not quoting: the script hands its values on unquoted and evaluates them once more. A blank cuts the value
there, silently, and a quote ends up in an eval. So nothing of that kind may reach it, however well it is quoted on the way.
"""

import json
import re

from ansible_collections.ece.platform.plugins.module_utils._ece import DEFAULT_STORAGE_PATH, ROLES
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._text import MASK

MEMORY_SERVICES = ("admin-console", "allocator", "constructor", "director", "runner", "zookeeper")
CAPACITY_MIN_MB = 8192
TAIL_LINES = 40

_WORD = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_OCTET = r"(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
# Digits are 0 to 9 in all of these; to Python every script's digits are.
_VERSION = re.compile(r"^[0-9]+\.[0-9]+\.[0-9]+([-._][A-Za-z0-9]+)*\Z")
_SCRIPT_VERSION = re.compile(r"^CLOUD_ENTERPRISE_VERSION=[\"']?([0-9]+\.[0-9]+\.[0-9]+)", re.MULTILINE)
_HEAP = re.compile(r"^[1-9][0-9]*[kKmMgG]\Z")
_FLAG = re.compile(r"^--[a-z][a-z0-9-]*\Z")
# Brackets only within JSON: anywhere else the shell would take them for a file pattern.
_EXTRA_VALUE = re.compile(r'^(?:[A-Za-z0-9/][A-Za-z0-9._:/,@+=-]*|\{[A-Za-z0-9._:/,@+={}\[\]"-]*\})\Z')
_TAG_PART = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._/+-]*\Z")


def _matching(pattern, right):
    expression = re.compile("^(?:" + pattern + r")\Z")

    def check(name, value):
        text = str(value)
        if not expression.match(text):
            raise OptionError("{0} {1!r} cannot be given to the installer: use {2}".format(name, text, right))
        return text

    return check


_zone = _matching(_WORD, "letters, digits, '.', '_' and '-', starting with a letter or digit")
_runner_id = _matching(
    r"[A-Za-z0-9][A-Za-z0-9._:-]*", "letters, digits, '.', '_', ':' and '-', starting with a letter or digit"
)
_host = _matching(r"[A-Za-z0-9][A-Za-z0-9.:-]*", "a host name or IP address")
_ip = _matching(_OCTET + r"(\." + _OCTET + "){3}", "an IPv4 address like 10.0.0.7")
_path = _matching(r"/[A-Za-z0-9._/+@-]*", "an absolute path of letters, digits, '.', '_', '-', '+', '@' and '/'")
_registry = _matching(
    r"[A-Za-z0-9][A-Za-z0-9._:/-]*", "a registry like registry.example.com:5000, without blanks and quotes"
)
_url = _matching(r"https?://[A-Za-z0-9\[][A-Za-z0-9._:/\[\]-]*", "an address like https://ece.example.com:12343")
_user = _matching(r"[A-Za-z_][A-Za-z0-9._-]*", "a user name")


def _token(name, value):
    # No word of the value: what stands here by mistake may be another secret.
    if not re.match(r"^[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]*)*\Z", str(value)):
        raise OptionError(
            "{0} is not an enrollment token: it holds blanks, quotes or other characters that no token has".format(name)
        )
    return str(value)


def is_version(text):
    """Whether the script can be given this as a version."""
    return bool(_VERSION.match(text))


def _version(name, value):
    if not is_version(str(value)):
        raise OptionError("{0} {1!r} is no version: use three numbers like 3.8.0".format(name, str(value)))
    return str(value)


def _roles(name, value):
    if not isinstance(value, (list, tuple)) or not value:
        raise OptionError("{0} {1!r} is no list of roles: use some of {2}".format(name, value, ", ".join(ROLES)))
    for role in value:
        if role not in ROLES:
            raise OptionError("{0} {1!r} is not a role of ECE: use some of {2}".format(name, role, ", ".join(ROLES)))
    return ",".join(value)


def _capacity(name, value):
    try:
        number = int(str(value))
    except ValueError:
        raise OptionError("{0} {1!r} is no whole number of MB".format(name, value)) from None
    if number < CAPACITY_MIN_MB:
        raise OptionError(
            "{0} {1} is too small: the installer takes {2} MB or more".format(name, number, CAPACITY_MIN_MB)
        )
    return str(number)


def _timeout_factor(name, value):
    try:
        number = float(str(value))
    except ValueError:
        number = 0
    if not 0 < number < 1000:
        raise OptionError("{0} {1!r} is no factor: use a number above 0, like 2.0".format(name, value))
    return str(number)


def _memory_settings(name, value):
    """Service to heap sizes, as JSON without a blank: the script keeps what stands before the first one."""
    if not isinstance(value, dict):
        raise OptionError("{0} {1!r} is not a mapping: use {{runner: {{xms: 1G, xmx: 1G}}}}".format(name, value))
    for service, sizes in value.items():
        if service not in MEMORY_SERVICES:
            raise OptionError(
                "{0} names {1!r}, which is no service with memory settings: use some of {2}".format(
                    name, service, ", ".join(MEMORY_SERVICES)
                )
            )
        if not isinstance(sizes, dict) or not sizes or not set(sizes) <= {"xms", "xmx"}:
            raise OptionError(
                "{0} for {1} is {2!r}: use xms and xmx, like {{xms: 1G, xmx: 1G}}".format(name, service, sizes)
            )
        for size in sizes.values():
            if not _HEAP.match(str(size)):
                raise OptionError(
                    "{0} for {1} has the size {2!r}: use a number with K, M or G, like 4G".format(name, service, size)
                )
    plain = {
        str(service): {str(key): str(size) for key, size in sorted(sizes.items())}
        for service, sizes in sorted(value.items())
    }
    return json.dumps(plain, separators=(",", ":"))


def _tags(name, value):
    if not isinstance(value, dict):
        raise OptionError("{0} {1!r} is not a mapping: use {{ssd: 'true'}}".format(name, value))
    pairs = {}
    for key, content in value.items():
        if content is None:
            raise OptionError("{0} has {1!r} without a value: give it one, like 'true'".format(name, str(key)))
        if str(key) in pairs:
            raise OptionError("{0} has {1!r} twice, as text and as something else: use it once".format(name, str(key)))
        # A YAML boolean is meant as the word: the platform's tags are strings, and lower case is what its documents use.
        content = str(content).lower() if isinstance(content, bool) else str(content)
        for part in (str(key), content):
            if not _TAG_PART.match(part) or part != part.strip():
                raise OptionError(
                    "{0} has {1!r}: keys and values are letters, digits, '.', '_', '/', '+' and '-', starting with a letter or digit".format(
                        name, part
                    )
                )
        pairs[str(key)] = content
    return ",".join(key + ":" + content for key, content in pairs.items())


# option -> (argument of the script, check). Order is the order on the command line.
VALUE_OPTIONS = (
    ("coordinator_host", "--coordinator-host", _host),
    ("token", "--roles-token", _token),
    ("roles", "--roles", _roles),
    ("version", "--cloud-enterprise-version", _version),
    ("storage_path", "--host-storage-path", _path),
    ("docker_socket", "--host-docker-host", _path),
    ("docker_registry", "--docker-registry", _registry),
    ("docker_repository", "--ece-docker-repository", _registry),
    ("runner_id", "--runner-id", _runner_id),
    ("host_ip", "--host-ip", _ip),
    ("zone", "--availability-zone", _zone),
    ("capacity", "--capacity", _capacity),
    ("memory_settings", "--memory-settings", _memory_settings),
    ("timeout_factor", "--timeout-factor", _timeout_factor),
    ("allocator_tags", "--allocator-tags", _tags),
    ("external_hostname", "--external-hostname", _host),
    ("api_base_url", "--api-base-url", _url),
)
SWITCH_OPTIONS = (
    ("overwrite_existing_image", "--overwrite-existing-image"),
    ("debug", "--debug"),
    ("force", "--force"),
    ("selinux", "--selinux"),
)
_TYPED_FLAGS = {"--podman": "container_engine"}
_TYPED_FLAGS.update({option[1]: option[0] for option in VALUE_OPTIONS + SWITCH_OPTIONS})
# Options that do not end on the command line but are as much the operator's words.
OTHER_CHECKS = (("user", _user), ("installer_path", _path))


def _extra_args(name, values):
    if not isinstance(values, (list, tuple)):
        raise OptionError(
            "{0} {1!r} is no list: give each word of its own, like ['--proxy-tags', 'ssd:true']".format(name, values)
        )
    for position, value in enumerate(values):
        text = str(value)
        if _FLAG.match(text):
            if text in _TYPED_FLAGS:
                raise OptionError("{0} has {1}: use the option {2} for it".format(name, text, _TYPED_FLAGS[text]))
        elif position == 0 or not _FLAG.match(str(values[position - 1])) or not _EXTRA_VALUE.match(text):
            raise OptionError(
                "{0} has {1!r}: use arguments like --proxy-tags, each followed by a value without blanks and quotes".format(
                    name, text
                )
            )
    return [str(value) for value in values]


def arguments(options, prefix=""):
    """Options (as of ece_install) to the script's argument list after C(install). Raises OptionError.

    prefix: what stands before an option's name in messages, C(ece_host_) where the role's variables are checked.
    Options that are None, empty or absent are left to the script's own default.
    """
    argv = []
    for name, flag, check in VALUE_OPTIONS:
        value = options.get(name)
        if value is None or value == "" or value == {}:
            continue
        argv += [flag, check(prefix + name, value)]
    for name, flag in SWITCH_OPTIONS:
        if options.get(name):
            argv.append(flag)
    if options.get("container_engine") == "podman":
        argv.append("--podman")
    if options.get("selinux") and options.get("container_engine") != "podman":
        raise OptionError(
            "{0}selinux goes with container_engine podman only: drop it, or set {0}container_engine: podman".format(
                prefix
            )
        )
    for name, check in OTHER_CHECKS:
        if options.get(name):
            check(prefix + name, options[name])
    return argv + _extra_args(prefix + "extra_args", options.get("extra_args") or [])


def without_token(argv):
    """The argument list for showing."""
    return [MASK if position and argv[position - 1] == "--roles-token" else word for position, word in enumerate(argv)]


def script_version(text):
    """Version of ECE that a copy of the script installs by itself (a line of its head), or None."""
    found = _SCRIPT_VERSION.search(text)
    return found.group(1) if found else None


_EXIT_CODES = {
    0: ("installed", ""),
    1: (
        "general failure",
        "The cause may be the storage path, the host IP, operating system and engine, the version, or that the platform refused the host.",
    ),
    2: (
        "unknown command",
        "The script does not know 'install': check that the installer file is elastic-cloud-enterprise.sh.",
    ),
    3: (
        "unknown or empty argument",
        "This script does not know an argument that it was given: use the script of the platform's version, or check extra_args.",
    ),
    4: (
        "bad user",
        "The install user needs a UID and GID of 1000 or more and must be able to run docker: add it to the engine's group.",
    ),
    5: ("precondition", "Start the container engine or set the socket's path; stop firewalld or open its ports."),
}


def explain_exit(code):
    """(meaning, remedy) of the installer's exit code, as its documentation has them."""
    if code is not None and (code < 0 or 128 < code < 193):  # there are 64 signals
        number = -code if code < 0 else code - 128
        return "killed by signal {0}".format(
            number
        ), "Look for out-of-memory kills in the host's journal, then run this again."
    return _EXIT_CODES.get(
        code,
        ("exit code {0}, which its documentation does not know".format(code), "Read the last lines of its output."),
    )


def tail(text, lines=TAIL_LINES):
    """The last lines, as a list."""
    return text.splitlines()[-lines:]


def log_paths(storage_path):
    """Where things are on a host: the installer's own bootstrap.log, and the folder this collection keeps its record in."""
    logs = (storage_path or DEFAULT_STORAGE_PATH).rstrip("/") + "/logs"
    folder = logs + "/ece-install"
    return {
        "bootstrap": logs + "/bootstrap-logs/bootstrap.log",
        "folder": folder,
        "output": folder + "/output.log",
        "record": folder + "/record.json",
        "lock": folder + "/lock",
    }


# Runs on the host as `python -c`, where no module is left to import from: says within a while how the installer stands.
# The lock is held as long as the installer is watched over, so a record that says "running" under a free lock was interrupted.
FOLLOW_SOURCE = """
import fcntl, json, sys, time
record, lock, limit = sys.argv[1], sys.argv[2], float(sys.argv[3])
end = time.time() + limit
while True:
    state = "absent"
    try:
        with open(lock) as held:
            try:
                fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
                state = "over"
            except OSError:
                state = "running"
    except OSError:
        pass
    if state != "running" or time.time() >= end:
        break
    time.sleep(0.5)
content = {}
try:
    with open(record) as source:
        content = json.load(source)
except (OSError, ValueError):
    pass
content["lock"] = state
content["now"] = time.time()
print("ECE-RECORD " + json.dumps(content))
"""


def parse_follow(stdout):
    """What FOLLOW_SOURCE printed, found among whatever a login shell says; None when it is not there."""
    for line in stdout.splitlines():
        start = line.find("ECE-RECORD ")
        if start >= 0:
            try:
                return json.loads(line[start + len("ECE-RECORD ") :])
            except ValueError:
                return None
    return None


def install_state(record):
    """absent | running | finished | interrupted, of a record as FOLLOW_SOURCE prints it."""
    if record.get("lock") == "running":
        return "running"
    if "rc" in record:
        return "finished"
    return "interrupted" if record.get("started") else "absent"


def outcome(record, storage_path, host=None):
    """What an install came to, of its record: rc, msg, meaning, remedy, output, bootstrap_log, seconds, log. rc 0 alone is success.

    host: its name, to stand before the log's path where that is read elsewhere.
    """
    state = install_state(record)
    paths = log_paths(storage_path)
    log = "Log: {0}".format(host + ":" + paths["output"] if host else paths["output"])
    result = {
        "rc": record.get("rc"),
        "seconds": record.get("seconds"),
        "output": record.get("output") or [],
        "bootstrap_log": record.get("bootstrap_log") or [],
        "log": paths["output"],
    }
    if state == "interrupted":
        result["meaning"] = "interrupted"
        result["remedy"] = (
            "The host was restarted or the installer was killed; remove its ECE containers if there are any, and run this again."
        )
        result["msg"] = "the installer was interrupted. {0} {1}".format(result["remedy"], log)
        return result
    if record.get("timed_out"):
        result["meaning"] = "did not end in time"
        # Both names of each option: who runs a playbook knows those of the role.
        more = "timeout (ece_host_install_timeout) or timeout_factor (ece_host_timeout_factor)"
        result["remedy"] = (
            "Look at its output for what it waited for; give it more time with {0}; then run this again.".format(more)
        )
        result["msg"] = "the installer did not end within {0} s and was stopped. {1} {2}".format(
            record.get("timeout"), result["remedy"], log
        )
        return result
    result["meaning"], result["remedy"] = explain_exit(record.get("rc"))
    if record.get("rc") == 0:
        result["msg"] = "installed in {0} s".format(int(round(record.get("seconds") or 0)))
    else:
        # Two lines: the very last one may only repeat that something failed.
        lines = [line.strip() for line in result["output"] if line.strip()][-2:] or ["it said nothing"]
        said = " ".join(line if line.endswith((".", "!", "?", ":")) else line + "." for line in lines)
        result["msg"] = "installer exit {0} ({1}): {2} {3} {4}".format(
            record.get("rc"), result["meaning"], said, result["remedy"], log
        )
    return result
