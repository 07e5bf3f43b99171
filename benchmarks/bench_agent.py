"""The agent's server while it samples a worker at 20 Hz: resident memory and share of a core, by themselves
and beside a bare loop of the standard library that reads the same files at the same rate in the same
seconds. And the time from nothing to the agent's greeting."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from figures import Figure, at_most, report, seconds

from arenascope.remote.bundle import agent_folder
from arenascope.remote.link import AgentLink
from arenascope.remote.local import LocalTransport
from arenascope_agent import protocol

SECONDS = 20.0
SETTLE = 2.0
HZ = 20
STARTS = 15
#: The real server; only the command of its worker is ours, a process that does nothing.
SERVER = f"""
import sys
sys.path.append({str(agent_folder().parent)!r})
from arenascope_agent import stdio
streams = stdio.take()
from arenascope_agent.channel import Channel
from arenascope_agent.loop import Loop
from arenascope_agent.server import Server
loop = Loop()
Server(loop, Channel(loop, *streams), "source", ["/bin/sleep", "600"]).run()
"""
#: The least that reads what the agent reads: statm at 20 Hz, meminfo at 4 Hz.
LOOP = f"""
import os, sys, time
page = os.sysconf("SC_PAGE_SIZE")
statm = os.open("/proc/%s/statm" % sys.argv[1], os.O_RDONLY)
meminfo = os.open("/proc/meminfo", os.O_RDONLY)
due, count = time.monotonic(), 0
while True:
    due += 1 / {HZ}
    time.sleep(max(0.0, due - time.monotonic()))
    rss = int(os.pread(statm, 128, 0).split()[1]) * page
    if count % {HZ // 4} == 0:
        available = int(os.pread(meminfo, 640, 0).split(b"MemAvailable:")[1].split()[0]) * 1024
    count += 1
"""


def main() -> None:
    report([*sampling(), starting()])


def sampling() -> list[Figure]:
    python = [sys.executable, "-I", "-S", "-c"]
    server = subprocess.Popen([*python, SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert server.stdin is not None
    assert server.stdout is not None
    drain = subprocess.Popen(["/bin/cat"], stdin=server.stdout, stdout=subprocess.DEVNULL)
    server.stdin.write(
        protocol.encode(
            protocol.request(1, "run", {"task": "inspect", "params": {"model": "m"}, "sample_hz": HZ})
        )
    )
    server.stdin.flush()
    time.sleep(SETTLE)
    (worker,) = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    bare = subprocess.Popen([*python, LOOP, worker])
    time.sleep(SETTLE)
    before = [cpu(process.pid) for process in (server, bare)]
    began = time.monotonic()
    time.sleep(SECONDS)
    elapsed = time.monotonic() - began
    shares = [
        (cpu(process.pid) - then) / elapsed * 100
        for process, then in zip((server, bare), before, strict=True)
    ]
    sizes = [rss(process.pid) / 1e6 for process in (server, bare)]
    bare.kill()
    bare.wait()
    server.stdin.close()
    server.stdout.close()
    server.wait()
    drain.wait()
    return [
        at_most("agent at 20 Hz: resident memory", sizes[0], 12, " MB", f"bare loop {sizes[1]:.3g} MB"),
        at_most("agent at 20 Hz: memory against the bare loop", sizes[0] / sizes[1], 1.35, " ×"),
        at_most("agent at 20 Hz: share of a core", shares[0], 0.6, " %", f"bare loop {shares[1]:.3g} %"),
        at_most("agent at 20 Hz: CPU against the bare loop", shares[0] / shares[1], 2.4, " ×"),
    ]


def starting() -> Figure:
    """Against an interpreter that only starts, loads json and leaves."""
    bare = [sys.executable, "-I", "-S", "-c", "import json"]
    greeted: list[float] = []
    started: list[float] = []
    for number in range(STARTS + 1):
        link = AgentLink(LocalTransport())
        pair = (seconds(link.open), seconds(lambda: subprocess.run(bare, check=True)))
        link.close()
        if number:  # the first round fills the caches of the disk
            greeted.append(pair[0])
            started.append(pair[1])
    ratio = statistics.median(greeted) / statistics.median(started)
    note = f"{statistics.median(greeted) * 1e3:.3g} ms"
    return at_most("agent here: from nothing to its greeting, against a bare Python", ratio, 2, " ×", note)


def cpu(pid: int) -> float:
    """Seconds on a core so far, to the nanosecond."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def rss(pid: int) -> int:
    """Bytes, exactly: statm is counted in batches."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(text.split("Rss:")[1].split()[0]) * 1024


if __name__ == "__main__":
    main()
