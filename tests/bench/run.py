# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a command and measure its seconds, its peak memory, and when each line of its output arrives."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Measured:
    """A measured run. seconds: wall clock. peak_mb: of the largest process. lines: (Unix time of arrival, line)."""

    seconds: float
    peak_mb: float
    lines: list[tuple[float, str]]

    @property
    def output(self) -> str:
        """All lines as one text."""
        return "".join(line for _time, line in self.lines)


# Linux also counts the memory of a process before it executes the command, so a small process launches the command.
_LAUNCHER = """
import json, resource, subprocess, sys, time
began = time.monotonic()
code = subprocess.call(sys.argv[2:])
seconds = time.monotonic() - began
with open(sys.argv[1], "w") as target:
    json.dump({"seconds": seconds, "peak_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024}, target)
sys.exit(code)
"""


def run(
    command: Sequence[str], environment: Mapping[str, str] | None = None, folder: Path | None = None, expect: int = 0
) -> Measured:
    """Run a command and return its measures.

    Raises RuntimeError with the end of its output if its exit code is not the expected one.
    """
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as figures:
        launched = [sys.executable, "-c", _LAUNCHER, figures.name, *command]
        process = subprocess.Popen(
            launched,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout
        lines = [(time.time(), line) for line in process.stdout]
        if process.wait() != expect:
            raise RuntimeError(
                f"{' '.join(command)[:200]} ended with {process.returncode}:\n"
                + "".join(line for _time, line in lines[-60:])
            )
        process.stdout.close()
        return Measured(**json.load(figures), lines=lines)


def bare_interpreter_mb() -> float:
    """Return the peak memory of a Python that does nothing."""
    return min(run([sys.executable, "-c", "pass"]).peak_mb for _ in range(3))


def exponent(points: Sequence[tuple[int, float]]) -> float:
    """Return k of seconds ~ size^k, by least squares over the logarithms: 1 is linear, 2 quadratic."""
    logs = [(math.log(size), math.log(seconds)) for size, seconds in points]
    mean_x = sum(x for x, _y in logs) / len(logs)
    mean_y = sum(y for _x, y in logs) / len(logs)
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / sum((x - mean_x) ** 2 for x, _y in logs)
