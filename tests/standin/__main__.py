# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""python -m tests.standin: a platform to try one's inventory on, until Ctrl-C."""

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

from tests.standin.server import StandIn

HEADER = "# Made by the stand-in ECE of ece.platform\n"


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.standin", description=__doc__)
    parser.add_argument(
        "--directory", help="where everything is kept; a new one that is removed at the end, when not given"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port of the API; 0: a free one")
    parser.add_argument("--join-port", type=int, default=0, help="port of the inner door; 0: a free one")
    parser.add_argument(
        "--control-port", type=int, default=0, help="port of the control surface on 127.0.0.1; 0: a free one"
    )
    parser.add_argument("--advertise", help="name or address under which hosts reach it")
    parser.add_argument("--version", default="3.8.0", help="version of the platform")
    parser.add_argument("--allocators", type=int, default=3, help="hosts that are in the platform already")
    parser.add_argument("--new-hosts", type=int, default=2, help="hosts on this machine to be added")
    parser.add_argument("--install-seconds", type=float, default=2.0)
    parser.add_argument("--connect-seconds", type=float, default=1.0)
    parser.add_argument("--index-lag", type=float, default=0.0)
    parser.add_argument("--sparse", action="store_true", help="leave out what recorded replies of the product lack")
    parser.add_argument("--spec", help="OpenAPI file that requests and replies are judged by")
    parser.add_argument(
        "--inventory-only", metavar="FILE", help="write the inventory there and end; nothing is started for longer"
    )
    parser.add_argument(
        "--ready-file", metavar="FILE", help="JSON with the addresses, written when connections are accepted"
    )
    return parser.parse_args(argv)


def write_private(path: Path, text: str) -> None:
    """Readable by its owner from the first byte on, and never half there."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as target:
        target.write(text)
    new.replace(path)


def page(standin: StandIn, inventory: Path, credentials: Path) -> str:
    """What the user sees."""
    return f"""Stand-in ECE {standin.platform.version}, {len(standin.platform.current_runners())} hosts joined, {len(standin.hosts)} new

  API          {standin.url}
  CA           {standin.ca_path}
  inventory    {inventory}
  control      {standin.control_url}   (GET /state /joins /requests)

Try it in another terminal:

  . {shlex.quote(str(credentials))}
  ansible-playbook ece.platform.add_allocators -i {shlex.quote(str(inventory))}

Ctrl-C ends it.
"""


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_args: stop.set())
    standin = StandIn(
        directory=options.directory,
        host=options.host,
        port=options.port,
        advertise=options.advertise,
        version=options.version,
        allocators=options.allocators,
        connect_seconds=options.connect_seconds,
        index_lag=options.index_lag,
        spec=options.spec,
        sparse=options.sparse,
        control_port=options.control_port,
        join_port=options.join_port,
        install_seconds=options.install_seconds,
    )
    try:
        standin.start()
    except OSError as error:
        print(f"The stand-in cannot start: {error}", file=sys.stderr)
        return 1
    try:
        hosts: dict[str, Any] = standin.existing_hosts()
        for number in range(1, options.new_hosts + 1):
            hosts[f"new-{number}"] = standin.add_host(f"new-{number}", f"10.200.{number // 250}.{number % 250 + 1}")
        text = HEADER + yaml.safe_dump(standin.inventory(hosts), sort_keys=False)
        if options.inventory_only:
            write_private(Path(options.inventory_only), text)
            return 0
        inventory, credentials = standin.directory / "inventory.yml", standin.directory / "credentials"
        write_private(inventory, text)
        export = {"ECE_USERNAME": standin.username, "ECE_PASSWORD": standin.password}
        write_private(credentials, "".join(f"export {name}={shlex.quote(value)}\n" for name, value in export.items()))
        print(page(standin, inventory, credentials), flush=True)
        if options.ready_file:
            ready = {name: getattr(standin, name) for name in ("url", "ca_path", "control_port", "join_port")}
            write_private(
                Path(options.ready_file),
                json.dumps({**ready, "directory": str(standin.directory), "pid": os.getpid()}) + "\n",
            )
        stop.wait()
        return 0
    except ValueError as error:
        print(f"The stand-in cannot start: {error}", file=sys.stderr)
        return 1
    finally:
        standin.close()


if __name__ == "__main__":
    sys.exit(main())
