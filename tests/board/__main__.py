"""``make board``: boot an emulated board for a person and say how to connect.

make board ARCH=armhf|arm64|armhf-on-arm64 BARE=1 PORT=2222 MEMORY=1024 CLOCK=2027-06-01T00:00:00
"""

from __future__ import annotations

import argparse
import signal
import sys
import time

from .build import build
from .machine import MEMORY_MIB, BoardError, EmulatedBoard, emulated_board
from .recipe import KINDS
from .workshop import BoardBuildError


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="make board", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arches = ("armhf", "arm64", "armhf-on-arm64")
    made.add_argument("--arch", choices=arches, default="armhf", help="armhf: 32 bits, by default. "
                      "arm64: 64 bits. armhf-on-arm64: 32-bit programs on a 64-bit kernel")  # fmt: skip
    made.add_argument("--bare", action="store_true", help="without NumPy and without a runtime")
    made.add_argument("--port", type=int, default=2222, help="of 127.0.0.1, for SSH (2222)")
    made.add_argument("--memory", type=int, default=MEMORY_MIB, help=f"MiB of RAM ({MEMORY_MIB})")
    made.add_argument(
        "--clock", help="what its clock says at the start, UTC; this computer's time by default"
    )
    return made


def main() -> int:
    given = parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # the board goes with whoever ends this
    kind = KINDS[given.arch + ("-bare" if given.bare else "")]
    try:
        build([kind])
        made = emulated_board(kind, memory_mib=given.memory, port=given.port, clock=given.clock)
        with made as board:
            _run(board)
    except (BoardBuildError, BoardError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        print()
    return 0


def _run(board: EmulatedBoard) -> None:
    began = time.monotonic()
    print(f"Booting the emulated board {board.kind.name} ...", flush=True)
    board.boot()
    print(f"It answers after {time.monotonic() - began:.0f} s (emulated; no time on it is a Pi's).\n")
    print(directions(board), flush=True)
    board.wait_until_off()
    print("The board was switched off.")


def directions(board: EmulatedBoard) -> str:
    """How a person connects, by ssh and by ArenaScope."""
    user, port, key = board.user, board.port, board.key
    return f"""\
by ssh, as root or as an ordinary user (password: {user})
  ssh -p {port} -i {key} root@127.0.0.1
  ssh -p {port} -i {key} {user}@127.0.0.1

by ArenaScope, which asks for the password
  arenascope devices add {user}@127.0.0.1:{port} --name emulated --fingerprint {board.fingerprint()}
  arenascope inspect resources/examples/lstm.tflite --device emulated

without a question, also as root: add the key to ~/.ssh/config
  Host emulated-board
    HostName 127.0.0.1
    Port {port}
    User {user}
    IdentityFile {key}

What is written there lasts until it is switched off. It reaches no network. Ctrl+C switches it off.
"""


if __name__ == "__main__":
    sys.exit(main())
