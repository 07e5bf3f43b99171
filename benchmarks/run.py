"""Runs every ``bench_*.py`` and prints what was promised beside what was measured.

    python benchmarks/run.py [PART OF A NAME ...]

Exits with 1 when a bound does not hold or a benchmark fails. On a busy machine, run it again alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

HERE = Path(__file__).resolve().parent


def main(parts: list[str]) -> int:
    table = Table("figure", "bound", "measured", "ok")
    good = True
    for script in sorted(HERE.glob("bench_*.py")):
        if parts and not any(part in script.name for part in parts):
            continue
        print(f"{script.name} ...", file=sys.stderr, flush=True)
        done = subprocess.run(
            [sys.executable, script],
            capture_output=True,
            text=True,
            check=False,
            env={"QT_QPA_PLATFORM": "offscreen", **os.environ},
        )
        for row in rows(done.stdout):
            good &= bool(row["ok"])
            verdict = Text("yes", "green") if row["ok"] else Text("NO", "bold red")
            table.add_row(Text(str(row["figure"])), str(row["bound"]), str(row["measured"]), verdict)
        if done.returncode != 0:
            good = False
            sys.stderr.write(done.stderr)
            table.add_row(Text(script.name), "", f"ended with {done.returncode}", Text("NO", "bold red"))
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    return 0 if good else 1


def rows(text: str) -> list[dict[str, object]]:
    """The figures among the lines that a benchmark printed; other lines go on to stderr."""
    found: list[dict[str, object]] = []
    for line in text.splitlines():
        if line.startswith("{"):
            found.append(json.loads(line))
        else:
            print(line, file=sys.stderr)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
