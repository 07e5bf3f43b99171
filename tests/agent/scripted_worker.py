"""A worker that does what the name of its model says, instead of running a model."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "agent"))

from arenascope_agent import lifeline, protocol

EVENTS = int(os.environ[protocol.ENV_EVENT_FD])


def tell(name: str, /, **data: object) -> None:
    write(protocol.encode(protocol.event(name, data)))


def write(data: bytes) -> None:
    while data:
        data = data[os.write(EVENTS, data) :]


def task() -> protocol.Message:
    fd = int(os.environ[protocol.ENV_TASK_FD])
    reader = protocol.FrameReader()
    (payload,) = reader.feed(os.read(fd, 65536))
    return protocol.decode_payload(payload)


def started(phase: str) -> None:
    tell("phase_started", name=phase, t=time.monotonic() - float(os.environ[protocol.ENV_RUN_START]))


def wait_for_the_end() -> None:
    while True:
        signal.pause()


def main(wanted: protocol.Message) -> int:
    what, _, argument = wanted["params"].get("model", wanted["task"]).partition(":")
    if what == "ok":
        started("load")
        tell("phase", name="load", seconds=0.1)
        tell("result")
    elif what == "probe":
        tell("result", runtime="scripted", runtime_version="1", numpy=None, runtime_errors={})
    elif what == "facts":
        facts = {name: os.environ.get(name) for name in argument.split(",")}
        tell("facts", pid=os.getpid(), group=os.getpgid(0), task=wanted, environment=facts, argv=sys.argv)
        tell("result")
    elif what == "refused":
        tell("failure", phase="allocate", kind="refused", message="no memory", error="MemoryError")
        return protocol.EXIT_REPORTED
    elif what == "failed":
        tell("failure", phase="load", kind="failed", message="not a model", error="ValueError")
        return protocol.EXIT_REPORTED
    elif what == "exit":
        started("load")
        print("the library gave up", flush=True)  # noqa: T201
        return int(argument)
    elif what == "silent":  # leaves well, but says nothing
        return 0
    elif what == "signal":
        started("invoke_first")
        os.kill(os.getpid(), getattr(signal, argument))
    elif what == "hang":
        started("allocate")
        wait_for_the_end()
    elif what == "busy":
        started("allocate")
        while True:
            pass
    elif what == "step":  # killed between two phases
        started("allocate")
        tell("phase", name="allocate", seconds=0.1)
        tell("step", name=argument)
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "family":  # one more process, which holds the pipes open
        if os.fork() == 0:
            wait_for_the_end()
        tell("result")
    elif what == "noise":
        os.write(1, b"one \x1b[31mred\xff\x00 line\n" + b"x" * 10000 + b"\n\n")
        os.write(2, b"".join(b"line %d\n" % n for n in range(100)) + b"no line feed")
        tell("result")
    elif what == "garbage":
        started("load")
        write(b"GET / HTTP/1.1\r\n\r\n")
        wait_for_the_end()
    elif what == "json":
        write(protocol.frame(argument.encode()))
        wait_for_the_end()
    elif what == "flood":
        count, size = (int(number) for number in argument.split("x"))
        for index in range(count):
            tell("tensors", index=index, filling="y" * size)
        tell("result")
    elif what == "lines":  # phases from the clock of the run
        for phase in argument.split(","):
            started(phase)
        tell("result")
    return 0


lifeline.tie_to_server()
sys.exit(main(task()))
