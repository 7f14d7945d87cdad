# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""python -m tests.standin: a platform to try your own inventory on. It runs until Ctrl-C."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import yaml

from tests.standin.standin import StandIn

# Options of the command line that are not options of StandIn.
COMMAND_OPTIONS = ("new_hosts", "inventory_only", "ready_file")
HEADER = "# Made by the stand-in ECE of ece.platform\n"


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.standin", description=__doc__)
    parser.add_argument("--directory", help="folder for certificate, installer and hosts; by default a temporary one")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port of the API; 0: any free port")
    parser.add_argument("--join-port", type=int, default=0, help="port of the join server; 0: any free port")
    parser.add_argument(
        "--control-port", type=int, default=0, help="port of the control interface on 127.0.0.1; 0: any free port"
    )
    parser.add_argument("--advertise", help="name or address under which hosts reach the stand-in")
    parser.add_argument("--version", default="3.8.0", help="version of the platform")
    parser.add_argument("--allocators", type=int, default=3, help="number of hosts that have joined already")
    parser.add_argument("--new-hosts", type=int, default=2, help="number of new hosts, on this machine")
    parser.add_argument("--install-seconds", type=float, default=2.0, help="how long the installer takes")
    parser.add_argument("--connect-seconds", type=float, default=1.0, help="how long a host takes to connect")
    parser.add_argument("--index-lag", type=float, default=0.0, help="how many seconds lists are behind")
    parser.add_argument("--sparse", action="store_true", help="leave out what recorded replies of the product lack")
    parser.add_argument("--spec", help="OpenAPI file against which requests and replies are checked")
    parser.add_argument("--inventory-only", metavar="FILE", help="write the inventory to this file and exit")
    parser.add_argument(
        "--ready-file", metavar="FILE", help="write the addresses to this file, as JSON, when the stand-in has started"
    )
    return parser.parse_args(argv)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, in one step."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as target:
        target.write(text)
    new.replace(path)


def page(standin: StandIn, inventory: Path, credentials: Path) -> str:
    """Return what the user sees."""
    joined = len(standin.platform.current_runners())
    return f"""Stand-in ECE {standin.platform.version}, {joined} hosts joined, {len(standin.hosts)} new

  API          {standin.url}
  CA           {standin.ca_path}
  inventory    {inventory}
  control      {standin.control_url}   (GET /state /joins /requests)

Try it in another terminal:

  . {shlex.quote(str(credentials))}
  ansible-playbook ece.platform.add_allocators -i {shlex.quote(str(inventory))}

Press Ctrl-C to stop it.
"""


def refuse_used(directory: str) -> None:
    """Raise ValueError if a folder has hosts. ECE is installed on them, but a new platform does not know them."""
    if any(Path(directory, "hosts").glob("*")):
        raise ValueError(
            f"--directory {directory} has the hosts of an earlier stand-in: remove it, or name another one"
        )


def start(standin: StandIn, options: argparse.Namespace) -> bool:
    """Start the stand-in and write the files that the user asks for. Return whether to run until a signal."""
    if options.directory and options.new_hosts:
        refuse_used(options.directory)
    standin.start()
    hosts: dict[str, Any] = standin.existing_hosts()
    for number in range(1, options.new_hosts + 1):
        name = f"new-{number}"
        hosts[name] = standin.add_host(name, f"10.200.{number // 250}.{number % 250 + 1}")
        if os.geteuid() == 0:  # A removal is root's, and root runs no commands of other users.
            hosts[name]["ece_host_bin_paths"] = [standin.hosts[name].give_commands_to_root()]
    text = HEADER + yaml.safe_dump(standin.inventory(hosts), sort_keys=False)
    if options.inventory_only:
        write_private(Path(options.inventory_only), text)
        return False
    inventory, credentials = standin.directory / "inventory.yml", standin.directory / "credentials"
    write_private(inventory, text)
    export = {"ECE_USERNAME": standin.username, "ECE_PASSWORD": standin.password}
    write_private(credentials, "".join(f"export {name}={shlex.quote(value)}\n" for name, value in export.items()))
    print(page(standin, inventory, credentials), flush=True)
    if options.ready_file:
        ready = {name: getattr(standin, name) for name in ("url", "ca_path", "control_port", "join_port")}
        text = json.dumps({**ready, "directory": str(standin.directory), "pid": os.getpid()})
        write_private(Path(options.ready_file), f"{text}\n")
    return True


def main(argv: list[str] | None = None) -> int:
    """Run the stand-in and return the exit code."""
    options = arguments(argv)
    stop = threading.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda *_args: stop.set())
    standin = StandIn(**{name: value for name, value in vars(options).items() if name not in COMMAND_OPTIONS})
    try:
        if start(standin, options):
            stop.wait()
        return 0
    except (OSError, RuntimeError, ValueError) as error:
        print(f"The stand-in cannot start: {error}", file=sys.stderr)
        return 1
    finally:
        standin.close()


if __name__ == "__main__":
    sys.exit(main())
