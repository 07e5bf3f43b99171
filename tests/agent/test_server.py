"""The server as a process: what it answers, what it refuses, and that nothing outlives it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from arenascope_agent import protocol
from tests.agent.harness import AGENT_MAIN, PATIENCE, Agent, starve, watched_end
from tests.support.pythons import find_python, python


def test_it_greets_and_answers() -> None:
    with Agent() as agent:
        assert agent.hello["protocol"] == protocol.PROTOCOL
        assert agent.hello["pid"] == agent.process.pid
        assert agent.hello["agent"] == "scripted"
        assert agent.answer("ping")["result"] == {}


def test_a_method_that_it_does_not_have() -> None:
    with Agent() as agent:
        error = agent.answer("eval", code="1")
        assert (error["code"], "'eval'" in error["message"]) == (protocol.UNKNOWN_METHOD, True)
        assert agent.answer("ping")["result"] == {}


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("run", {}),
        ("run", {"task": "inspect"}),
        ("run", {"task": "inspect", "params": []}),
        ("run", {"task": "inspect", "params": {"model": ""}}),
        ("run", {"task": "inspect", "params": {"model": "a\0b"}}),
        ("run", {"task": "inspect", "params": {"model": 5}}),
        ("run", {"task": "os.system", "params": {"model": "m"}}),
        ("run", {"task": "probe", "params": {"model": "m"}}),
        ("run", {"task": "inspect", "params": {"model": "m", "threads": 0}}),
        ("run", {"task": "inspect", "params": {"model": "m", "threads": True}}),
        ("run", {"task": "inspect", "params": {"model": "m", "delegate": "gpu"}}),
        ("run", {"task": "inspect", "params": {"model": "m", "invoke": 1}}),
        ("run", {"task": "inspect", "params": {"model": "m", "seed": -1}}),
        ("run", {"task": "inspect", "params": {"model": "m", "inputs": []}}),
        ("run", {"task": "inspect", "params": {"model": "m", "inputs": {"x": [1]}}}),
        ("run", {"task": "inspect", "params": {"model": "m", "inputs": {"0": [1.5]}}}),
        ("run", {"task": "inspect", "params": {"model": "m", "inputs": {"9" * 11: [1]}}}),
        ("run", {"task": "inspect", "params": {"model": "m", "inputs": {"0": [-1]}}}),
        ("run", {"task": "inspect", "params": {"model": "m", "inputs": {"0": [1] * 17}}}),
        ("run", {"task": "inspect", "params": {"model": "m"}, "timeout": 0}),
        ("run", {"task": "inspect", "params": {"model": "m"}, "sample_hz": 0}),
        ("run", {"task": "inspect", "params": {"model": "m"}, "sample_hz": 1e9}),
        ("watch", {"hz": "20"}),
        ("watch", {"hz": 1e400}),
        ("probe", {"runtime": "yes"}),
        ("cancel", {}),
        ("cancel", {"run": "1"}),
        ("file_status", {"sha256": "../../etc/passwd", "bytes": 1}),
        ("file_status", {"sha256": "A" * 64, "bytes": 1}),
        ("file_status", {"sha256": "a" * 64, "bytes": -1}),
        ("file_adopt", {"sha256": "a" * 64, "upload": "/etc/passwd"}),
    ],
)
def test_parameters_are_checked_before_anything_is_done(method: str, params: dict[str, Any]) -> None:
    with Agent() as agent:
        error = agent.answer(method, **_finite(params))
        assert error["type"] == "error"
        assert error["code"] == protocol.INVALID
        assert error["message"]
        assert agent.answer("ping")["result"] == {}


def _finite(params: dict[str, Any]) -> dict[str, Any]:
    return {key: 10**39 if value == float("inf") else value for key, value in params.items()}


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        protocol.HEADER.pack(2**32 - 1),
        protocol.HEADER.pack(protocol.MAX_REQUEST + 1),
        protocol.frame(b"not json"),
        protocol.frame(b"[1,2]"),
        protocol.encode({"type": "response", "id": 1, "result": {}}),
        protocol.encode({"type": "request", "id": "1", "method": "ping", "params": {}}),
        protocol.encode({"type": "request", "id": 1, "method": ["ping"], "params": {}}),
        protocol.encode({"type": "request", "id": 1, "method": "ping", "params": 5}),
        protocol.encode({"type": "request", "id": True, "method": "ping", "params": {}}),
    ],
)
def test_what_is_not_the_protocol_ends_the_connection(data: bytes) -> None:
    with Agent() as agent:
        agent.send(data)
        (error,) = agent.rest()
        assert (error["type"], error["id"], error["code"]) == ("error", None, protocol.MALFORMED)
        assert error["detail"]
        assert agent.process.wait(PATIENCE) == 3


@pytest.mark.parametrize("element", [b"{}", b'{"":0}', b"[0]", b'"ab"', b"1e1"])
def test_a_frame_of_many_small_values_costs_little_memory(element: bytes) -> None:
    start, end = b'{"type":"request","id":1,"method":"ping","params":{"x":[0', b"]}}"
    room = protocol.MAX_REQUEST - len(start) - len(end)
    body = b"".join([b"," + element] * (room // (len(element) + 1)))
    with Agent() as agent:
        agent.send(protocol.frame(start + body + end))
        assert agent.take(lambda m: m["id"] == 1)["result"] == {}
        status = Path(f"/proc/{agent.process.pid}/status").read_text()
        assert int(status.split("VmHWM:")[1].split()[0]) * 1024 < 56_000_000


def test_one_run_at_a_time_and_a_watch_beside_it() -> None:
    with Agent() as agent:
        run = agent.run("hang")
        assert agent.answer("run", task="inspect", params={"model": "ok"})["code"] == protocol.BUSY
        assert agent.answer("probe", runtime=True)["code"] == protocol.BUSY
        watch = agent.answer("watch", hz=50)["result"]["run"]
        assert agent.answer("watch", hz=50)["code"] == protocol.BUSY
        agent.event(watch, "board")
        assert agent.answer("cancel", run=watch)["result"] == {}
        assert agent.event(watch, "ended")["status"] == "cancelled"
        assert agent.answer("cancel", run=run)["result"] == {}
        assert agent.event(run, "ended")["status"] == "cancelled"
        assert agent.events(agent.run("ok"))[-1][1]["status"] == "ok"


def test_cancelling_what_has_ended_is_no_error_and_what_never_was_is_one() -> None:
    with Agent() as agent:
        run = agent.run("ok")
        agent.event(run, "ended")
        assert agent.answer("cancel", run=run)["result"] == {}
        assert agent.answer("cancel", run=run + 1)["code"] == protocol.NOT_FOUND


def test_a_watch_tells_of_the_board_and_of_its_own_cost() -> None:
    with Agent() as agent:
        watch = agent.answer("watch", hz=100)["result"]["run"]
        first, second = agent.event(watch, "board"), agent.event(watch, "board")
        assert first["t"] < second["t"]
        assert first["top"]
        assert "top" not in second
        assert 0 < second["available"] <= second["ram_total"]
        assert second["agent_rss"] > 1_000_000
        assert second["agent_cpu"] >= 0


def test_a_probe_of_the_runtime_asks_a_worker() -> None:
    with Agent() as agent:
        facts = agent.answer("probe", runtime=True)["result"]
        assert (facts["runtime"], facts["runtime_version"]) == ("scripted", "1")
        assert facts["machine"] == os.uname().machine
        assert "runtime" not in agent.answer("probe")["result"]


def test_a_probe_of_the_runtime_says_what_the_worker_said_when_it_failed() -> None:
    with Agent(worker=(sys.executable, "-c", "raise SystemExit('no such package')")) as agent:
        facts = agent.answer("probe", runtime=True)["result"]
        assert facts["runtime"] is None
        assert "no such package" in facts["runtime_errors"]["worker"]


def test_a_worker_that_cannot_be_started_is_a_failed_run() -> None:
    with Agent(worker=("/nonexistent/python",)) as agent:
        name, end = agent.events(agent.run("ok"))[-1]
        assert (name, end["status"]) == ("ended", "failed")
        assert "No such file" in end["message"]
        assert agent.answer("probe", runtime=True)["code"] == protocol.IO_FAILED
        assert agent.answer("ping")["result"] == {}


def test_it_leaves_when_its_client_has_gone() -> None:
    with Agent() as agent:
        run = agent.run("facts:")
        agent.event(run, "ended")
        worker = _hanging_worker(agent)
        with watched_end(worker) as ended:
            assert agent.process.stdin is not None
            agent.process.stdin.close()
            assert agent.process.wait(PATIENCE) == 0
            assert ended()


def test_it_leaves_on_shutdown_with_an_answer() -> None:
    with Agent() as agent:
        worker = _hanging_worker(agent)
        with watched_end(worker) as ended:
            assert agent.answer("shutdown")["result"] == {}
            assert agent.process.wait(PATIENCE) == 0
            assert ended()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_it_takes_its_worker_along_on_a_signal(number: signal.Signals) -> None:
    with Agent() as agent, watched_end(_hanging_worker(agent)) as ended:
        agent.process.send_signal(number)
        assert agent.process.wait(PATIENCE) == 0
        assert ended()


def test_its_worker_dies_with_it_even_when_it_is_killed() -> None:
    with Agent() as agent, watched_end(_hanging_worker(agent)) as ended:
        agent.process.kill()
        assert ended()


def test_hashing_dies_with_it_and_holds_nothing_of_its_client(private_home: Path) -> None:
    name = "a" * 64
    with Agent() as agent:
        upload = Path(agent.answer("file_status", sha256=name, bytes=1)["result"]["upload"])
        with upload.open("wb") as file:
            file.truncate(1 << 40)  # a sparse file that takes hours to hash
        agent.ask("file_adopt", sha256=name, upload=str(upload))
        agent.answer("ping")
        children = Path(f"/proc/{agent.process.pid}/task/{agent.process.pid}/children")
        (pid,) = children.read_text().split()
        with watched_end(int(pid)) as ended:
            while f" {upload}" not in _open_files(pid):
                assert agent.answer("ping")["result"] == {}
            files = _open_files(pid)
            agent.process.kill()
            agent.process.wait()
            assert ended()
    assert files.count("pipe:") == 1, files


def _open_files(pid: str) -> str:
    names = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed in between
            names.append(os.readlink(entry))
    return " " + " ".join(names)


def _hanging_worker(agent: Agent) -> int:
    run = agent.run("hang")
    agent.event(run, "phase_started")  # from here on it is tied to its server
    (worker,) = Path(f"/proc/{agent.process.pid}/task/{agent.process.pid}/children").read_text().split()
    return int(worker)


def test_a_client_that_does_not_read_costs_no_memory_and_loses_nothing() -> None:
    with Agent() as agent:
        number = agent.ask("run", task="inspect", params={"model": "flood:400x200000"})
        # 80 MB wait in the worker, not here: the answer to a request stays behind a few frames.
        assert agent.take(lambda m: m.get("id") == number)["result"]["run"] == 1
        status = Path(f"/proc/{agent.process.pid}/status")
        found = []
        while len(found) < 400:
            message = agent.next()
            if message.get("name") == "tensors":
                found.append(message["data"]["index"])
                assert message["run"] == 1
        assert found == list(range(400))
        peak = int(status.read_text().split("VmHWM:")[1].split()[0]) * 1024
        assert peak < 32_000_000
        assert agent.event(1, "ended")["status"] == "ok"


def test_prints_of_a_library_cannot_break_the_protocol() -> None:
    script = f"""if True:
        import os, sys
        sys.path.append({str(AGENT_MAIN.parents[1])!r})
        from arenascope_agent import stdio
        streams = stdio.take()
        print("chatter", flush=True)
        os.write(1, b"native chatter")
        from arenascope_agent import server
        sys.exit(server.serve(streams, {str(AGENT_MAIN)!r}))"""
    with Agent(sys.executable, "-I", "-S", "-c", script) as agent:
        assert agent.hello["agent"] == "source"
        assert agent.answer("ping")["result"] == {}
        assert agent.process.stdin is not None
        agent.process.stdin.close()
        assert agent.stderr() == "chatter\nnative chatter"


def test_the_real_agent_without_a_runtime_in_sight() -> None:
    with Agent(sys.executable, "-I", "-S", str(AGENT_MAIN), "serve") as agent:
        assert agent.answer("probe")["result"]["page_size"] == os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.12", "3.13"])
def test_it_serves_under_other_pythons(version: str) -> None:
    with Agent(python(version), "-I", "-S", str(AGENT_MAIN), "serve") as agent:
        assert agent.hello["python"].startswith(version)
        assert agent.answer("probe")["result"]["bits"] in (32, 64)
        watch = agent.answer("watch", hz=20)["result"]["run"]
        assert agent.event(watch, "board")["available"] > 0


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.8"])
def test_a_python_that_is_too_old_is_told_in_words(version: str) -> None:
    if find_python(version) is None:
        pytest.skip(f"there is no Python {version} on this computer")
    done = subprocess.run([python(version), str(AGENT_MAIN), "serve"], capture_output=True, check=False)
    assert done.returncode == 96
    assert b"needs Python 3.9 or newer" in done.stderr
    assert b"Traceback" not in done.stderr


def test_probe_on_the_command_line_prints_json() -> None:
    done = subprocess.run([sys.executable, str(AGENT_MAIN), "probe"], capture_output=True, check=True)
    assert protocol.decode_payload(done.stdout)["machine"] == os.uname().machine


def test_an_unknown_word_on_the_command_line() -> None:
    done = subprocess.run([sys.executable, str(AGENT_MAIN), "dance"], capture_output=True, check=False)
    assert done.returncode == 2
    assert b"usage" in done.stderr


@pytest.mark.parametrize("method", ["ping", "eval"])
def test_a_client_that_asks_and_takes_no_answers_is_let_go(method: str) -> None:
    with Agent() as agent:
        assert starve(agent, agent.process.pid, method) < 40_000_000
