"""On the emulated 32-bit board: what the agent's server costs while it samples a run at 20 Hz, beside a bare
loop of the standard library that reads the same at the same rate in the same seconds, and what a run loses
whose connection is away for a minute.

Needs the emulated board (``make boards`` builds it). Its memory and ratios are real, its speed is not a Pi's.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from figures import Figure, at_most, report

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for tests.board

from arenascope.workflow.connect import connect
from arenascope.workflow.events import LinkAway, LinkBack, SamplesArrived
from tests.board.build import build
from tests.board.endless import running
from tests.board.machine import EmulatedBoard, emulated_board
from tests.board.recipe import KINDS
from tests.support.link_proxy import LinkProxy

HOME = tempfile.TemporaryDirectory(prefix="bench-board-")
os.environ["HOME"] = os.environ["USERPROFILE"] = HOME.name
os.environ["ARENASCOPE_HOME"] = str(Path(HOME.name) / "arenascope")

HZ = 20
SECONDS = 40
AWAY = 60.0
#: The least that reads what the agent reads: statm at 20 Hz, meminfo at 4 Hz, all processes every 5 s.
LOOP = f"""
import os, sys, time, json, struct, threading
page = os.sysconf("SC_PAGE_SIZE")
statm = os.open("/proc/%s/statm" % sys.argv[1], os.O_RDONLY)
meminfo = os.open("/proc/meminfo", os.O_RDONLY)
due, count = time.monotonic(), 0
while count < {SECONDS * HZ}:
    if count == {2 * HZ}:
        before = {{pid: time_of(pid) for pid in ("self", sys.argv[2])}}
    rss = int(os.pread(statm, 128, 0).split()[1]) * page
    if count % {HZ // 4} == 0:
        available = int(os.pread(meminfo, 640, 0).split(b"MemAvailable:")[1].split()[0]) * 1024
    if count % {5 * HZ} == 0:
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    open("/proc/%s/statm" % name, "rb").read()
                except OSError:
                    pass
    count += 1
    due += 1 / {HZ}
    time.sleep(max(0.0, due - time.monotonic()))
for pid in ("self", sys.argv[2]):
    rss = int(open("/proc/%s/smaps_rollup" % pid).read().split("Rss:")[1].split()[0]) * 1024
    print(time_of(pid) - before[pid], rss)
"""
TIME_OF = """
def time_of(pid):
    return int(open("/proc/%s/schedstat" % pid).read().split()[0]) / 1e9
"""


def main() -> None:
    build([KINDS["armhf"]])
    with emulated_board(KINDS["armhf"]) as board:
        board.boot()
        board.introduce(Path(HOME.name))
        report([*cost(board), lost(board)])


def cost(board: EmulatedBoard) -> list[Figure]:
    with connect(board.address()) as device, running(device) as run:
        worker = board.out("pgrep -n -f 'child$'").split()[0]
        server = board.out("pgrep -o -f 'attach [0-9a-f]{32} new$'").split()[0]
        text = board.python(TIME_OF + LOOP, worker, server, timeout=SECONDS + 120)
        run.end()
    (own, own_rss), (theirs, theirs_rss) = (map(float, line.split()) for line in text.splitlines())
    mine, bare = (seconds / (SECONDS - 2) * 100 for seconds in (theirs, own))
    share = f"{mine:.3g} % of an emulated core, the loop {bare:.3g} %"
    return [
        at_most("agent on the 32-bit board at 20 Hz: resident memory", theirs_rss / 1e6, 9, " MB",
                f"bare loop {own_rss / 1e6:.3g} MB"),
        at_most("agent on the 32-bit board at 20 Hz: CPU against a bare loop", theirs / own, 2, " ×", share),
    ]  # fmt: skip


def lost(board: EmulatedBoard) -> Figure:
    with LinkProxy(("127.0.0.1", board.port)) as link:
        board.introduce(Path(HOME.name), link.port)
        with connect(board.address(port=link.port)) as device, running(device) as run:
            link.cut()
            run.wait(LinkAway)
            time.sleep(AWAY)
            link.restore()
            run.wait(LinkBack)
            run.wait(SamplesArrived)
            capture = run.end()
    (note,) = [note for note in capture.notes if "connection was lost" in note]
    missing = 0 if "nothing of the run is missing" in note else float(note.split(";")[1].split()[0])
    words = f"{len(capture.samples.t)} samples over {capture.samples.t[-1]:.0f} s"
    return at_most(f"samples lost in a run whose link is cut for {AWAY:g} s", missing, 0, "", words)


if __name__ == "__main__":
    main()
