"""``make board``: boot an emulated board for a person and say how to connect."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from .machine import running_board
from .recipe import ARM64, ARMHF


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", choices=("armhf", "arm64"), default="armhf")
    parser.add_argument("--bare", action="store_true", help="without NumPy and without a runtime")
    parser.add_argument("--port", type=int, default=2222)
    parser.add_argument("--memory", type=int, default=1024, help="MiB of RAM")
    given = parser.parse_args()
    architecture = ARM64 if given.arch == "arm64" else ARMHF
    with (
        tempfile.TemporaryDirectory() as folder,
        running_board(
            Path(folder),
            architecture=architecture,
            disk="bare" if given.bare else "runtime",
            memory_mib=given.memory,
            port=given.port,
        ) as board,
    ):
        print(f"The board answers (emulated: its times are not a Pi's). Key: {board.key}")
        print(f"  ssh -p {board.port} -i {board.key} {board.user}@127.0.0.1     (password: {board.user})")
        print(f"  arenascope devices add {board.user}@127.0.0.1:{board.port}")
        print("Ctrl+C switches it off.")
        try:
            board.process.wait()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
