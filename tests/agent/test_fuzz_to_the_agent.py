"""Ten thousand frames that no honest client sends, to the real agent over pipes and over its sessions.

What is well framed is answered once each, with a result or an error of the protocol, and the connection goes
on; what is no frame is answered with "malformed" and ends it. Afterwards the server has not grown, has
started nothing but what it is there for, has run nothing of what it was sent, and has written nowhere but
in its own folder. A frame is found again by its chunk, connection and number: they seed the generator.
"""

from __future__ import annotations

import os
import random
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from arenascope_agent import protocol
from tests.agent.harness import AGENT_MAIN, PATIENCE, Agent, watched_end
from tests.agent.sessions import made
from tests.support.frames import any_text, any_value, malformed, raw

if sys.platform != "linux":
    pytest.skip("the agent runs on Linux", allow_module_level=True)

CHUNKS, CONNECTIONS, FRAMES = 10, 20, 50

#: Bytes that the server may ever take: what one request of MAX_REQUEST bytes decodes to, over what it is.
PEAK = 56_000_000

CODES = {
    protocol.UNKNOWN_METHOD, protocol.INVALID, protocol.BUSY, protocol.NOT_FOUND, protocol.HASH_MISMATCH, protocol.NO_SPACE,
    protocol.IO_FAILED,
}  # fmt: skip

#: Programs that nothing of this may start, by their names on PATH.
CANARIES = ("sh", "bash", "touch", "python3", "python", "env", "cat", "gpg", "dpkg", "apt", "kill", "sudo")

SHA256 = "5e" * 32

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def world(tmp_path: Path, private_home: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, private_home, monkeypatch)


class World:
    """All that could be touched: home, working directory, temporary folder, a file of somebody's, PATH."""

    def __init__(self, folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.home = folder, home
        self.canary = folder / "canary"
        self.cache = home / ".cache" / "arenascope"
        work, programs, victims = folder / "work", folder / "programs", folder / "victims"
        for made_here in (work, programs, victims, folder / "tmp"):
            made_here.mkdir()
        for name in CANARIES:
            program = programs / name
            program.write_text(f"#!/bin/sh\necho {name} >> {self.canary}\n")
            program.chmod(0o755)
        self.victim = victims / "victim"
        self.victim.write_text("mine")
        (home / ".profile").write_text("mine")
        monkeypatch.chdir(work)
        monkeypatch.setenv("TMPDIR", str(folder / "tmp"))
        monkeypatch.setenv("PATH", str(programs))
        self._plant_links()
        self.before = self.snapshot()

    def _plant_links(self) -> None:
        """Links out of the cache, where the agent looks for models, uploads and archives."""
        models = self.cache / "models"
        models.mkdir(parents=True, mode=0o700)
        self.cache.chmod(0o700)
        (models / SHA256).symlink_to(self.victim)
        (models / f"{SHA256}.0123456789abcdef.part").symlink_to(self.victim)
        (models / ("6f" * 32)).symlink_to(self.victim.parent)

    def snapshot(self) -> dict[str, tuple[int, int, int]]:
        """Everything outside the agent's own folder."""
        found = {}
        for root in (self.folder, self.home):
            for path in root.rglob("*"):
                if not path.is_relative_to(self.cache):
                    facts = path.lstat()
                    found[str(path)] = (facts.st_mode, facts.st_size, facts.st_mtime_ns)
        for path in (self.home / ".cache", self.home):  # it may be used, not changed
            found.pop(str(path), None)
        return found

    def check(self) -> None:
        assert not self.canary.exists(), self.canary.read_text()
        assert self.snapshot() == self.before
        assert self.victim.read_text() == "mine"
        strange = [path for path in self.cache.rglob("*") if not self._may_be_there(path)]
        assert strange == []

    def _may_be_there(self, path: Path) -> bool:
        parts = path.relative_to(self.cache).parts
        if parts[0] == "models":
            name = parts[-1].split(".")[0]
            return len(parts) == 1 or (len(parts) == 2 and len(name) == 64)
        return parts[0] in ("agent", "env") and len(parts) <= 3


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_whatever_a_client_sends(chunk: int, world: World) -> None:
    seen = Counter[str]()
    for connection in range(CONNECTIONS):
        rng = random.Random(f"to the agent {chunk} {connection}")
        with _serving(chunk % 2 == 1) as (agent, pid):
            talk = _Talk(agent, pid, rng, world, seen, workers=chunk % 2 == 1)
            try:
                talk.well_framed(FRAMES - 1)
                talk.end_with(malformed(rng, protocol.MAX_REQUEST))
            except BaseException as error:
                error.add_note(f"chunk {chunk}, connection {connection}, {talk.what}")
                raise
    world.check()
    assert seen["frames"] == CONNECTIONS * FRAMES
    assert {*CODES, protocol.MALFORMED, "response"} - {protocol.HASH_MISMATCH, protocol.NO_SPACE} <= {
        *seen
    }, seen


@contextmanager
def _serving(in_a_session: bool) -> Iterator[tuple[Agent, int]]:
    """The real server: of a session with the scripted worker, or over pipes with the real one."""
    if not in_a_session:
        with Agent(sys.executable, "-I", "-S", str(AGENT_MAIN), "serve") as agent:
            yield agent, agent.process.pid
        return
    with made(30, 60) as session, session.begin() as agent:
        yield agent, session.pid


class _Talk:
    """One connection. ``workers``: whether frames may start tasks (the scripted worker is cheap)."""

    def __init__(
        self, agent: Agent, pid: int, rng: random.Random, world: World, seen: Counter[str], *, workers: bool
    ) -> None:
        self._agent, self._pid, self._rng, self._seen = agent, pid, rng, seen
        self._canary, self._world = str(world.canary), world
        self._workers = workers
        self._runs: set[int] = set()
        self._watch: int | None = None
        self.what = ""

    def well_framed(self, count: int) -> None:
        """Frames with a number each, so that each has its answer, in groups of a few at once."""
        asked = 0
        while asked < count:
            group = range(asked + 1, min(count, asked + self._rng.randrange(1, 9)) + 1)
            frames = []
            for number in group:
                method, params = self._request()
                self.what = f"frame {number}: {method!r}"
                message = {"type": "request", "id": number, "method": method, "params": params}
                frames.append(raw(message, self._rng))
            self._agent.send(b"".join(frames))
            for number in group:
                self.what = f"the answer to {number}"
                self._check(
                    self._agent.take(lambda m, n=number: m["type"] in ("response", "error") and m["id"] == n)
                )
            asked = group[-1]
        self._settle(count + 1)

    def _check(self, answer: dict[str, Any]) -> None:
        self._seen["frames"] += 1
        if answer["type"] == "response":
            self._seen["response"] += 1
            run = answer["result"].get("run")
            if run is not None:
                self._runs.add(run)
            return
        assert answer["code"] in CODES, answer
        assert answer["message"], answer
        assert "Traceback" not in answer["message"] + answer["detail"]
        self._seen[answer["code"]] += 1

    def _settle(self, number: int) -> None:
        """All runs and watches are over; then no process of the server is left."""
        for run in self._runs:
            self._agent.send(protocol.encode(protocol.request(number, "cancel", {"run": run})))
            number += 1
        for run in self._runs:
            self.what = f"the end of run {run}"
            self._agent.take(lambda m, r=run: m.get("run") == r and m.get("name") == "ended")
        children = Path(f"/proc/{self._pid}/task/{self._pid}/children").read_text()
        assert children == "", children
        status = Path(f"/proc/{self._pid}/status").read_text()
        assert int(status.split("VmHWM:")[1].split()[0]) * 1024 < PEAK
        assert len(os.listdir(f"/proc/{self._pid}/fd")) < 20

    def end_with(self, data: bytes) -> None:
        """What is no frame: an error about no request, and the end of the server."""
        self.what = f"malformed {data[:60]!r}"
        with watched_end(self._pid) as ended:
            try:
                self._agent.send(data)
            except BrokenPipeError:
                pass  # it left before it had read it all
            last = self._agent.rest()[-1]
            assert (last["type"], last["id"], last["code"]) == ("error", None, protocol.MALFORMED), last
            assert ended()
        self._agent.process.wait(PATIENCE)
        self._seen[protocol.MALFORMED] += 1
        self._seen["frames"] += 1

    # -- requests --

    def _request(self) -> tuple[str, dict[str, Any]]:
        """A method, and parameters of which most are wrong."""
        rng = self._rng
        method = rng.choice((*_SHAPES, *_SHAPES, "eval", any_text(rng, self._canary), "shutdown "))
        good = _SHAPES.get(method, lambda *_: {})(rng, self._canary, self._world)
        params: dict[str, Any] = dict(good)
        for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
            key = rng.choice((*good, any_text(rng, self._canary))) if good else any_text(rng, self._canary)
            way = rng.randrange(6)
            if way == 0:
                params.pop(key, None)
            elif way == 1 and isinstance(params.get(key), dict):
                params[key] = {**params[key], rng.choice((*params[key], "x")): any_value(rng, self._canary)}
            else:
                params[key] = any_value(rng, self._canary)
        if not self._workers and method in ("run", "probe"):
            params["task" if method == "run" else "runtime"] = rng.choice((None, 5, "probe", "x", [], {}))
        return method, params


def _run(rng: random.Random, canary: str, world: World) -> dict[str, Any]:
    model = any_text(rng, canary)
    task = {
        "model": model,
        "inputs": {"0": [1, 4]},
        "threads": 1,
        "delegate": "none",
        "invoke": True,
        "seed": 0,
    }
    return {
        "task": rng.choice(("inspect", "inspect", "inspect", "probe", canary)),
        "params": task,
        "timeout": 20,
        "sample_hz": 20,
    }


def _adopt(rng: random.Random, canary: str, world: World) -> dict[str, Any]:
    models = world.cache / "models"
    upload = rng.choice((
        f"{models}/{SHA256}.0123456789abcdef.part", f"{models}/../models/{SHA256}.x.part", f"{models}//{SHA256}.x.part",
        f"{models}/{SHA256}./../../../victim.part", f"{models}/{SHA256}.\ud800.part", f"{models}/{SHA256}.\n.part",
        f"{models}/{SHA256}.{'x' * 300}.part", f"/proc/self/fd/{SHA256}.part", str(world.victim), any_text(rng, canary),
    ))  # fmt: skip
    return {"sha256": _sha256(rng), "upload": upload}


def _sha256(rng: random.Random) -> str:
    return rng.choice(
        (SHA256, SHA256, "6f" * 32, "0" * 64, "F" * 64, "../" * 21 + "x", "0" * 63 + "\n", "٠" * 64)
    )


def _verify(rng: random.Random, canary: str, world: World) -> dict[str, Any]:
    keys = rng.choice(([], ["/dev/zero"], ["/proc/self/mem"], ["/"], [f"{world.victim}"], ["-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n!"],
                       [any_text(rng, canary)], ["/proc/self/environ"]))  # fmt: skip
    return {"release": any_text(rng, canary) or "x", "signed_by": keys, "wanted": [any_text(rng, canary)]}


#: Method → parameters of the right shape, whose values are none too good.
_SHAPES: dict[str, Any] = {
    "ping": lambda rng, canary, world: rng.choice(({}, {"seen": rng.choice((0, 5, 2**53))})),
    "probe": lambda rng, canary, world: {"runtime": rng.random() < 0.3},
    "file_status": lambda rng, canary, world: {
        "sha256": _sha256(rng),
        "bytes": rng.choice((0, 1, 2**40, 2**41)),
        "broken": any_text(rng, canary) or "x",
    },
    "file_adopt": _adopt,
    "file_drop": _adopt,
    "run": _run,
    "watch": lambda rng, canary, world: {"hz": rng.choice((2, 200, 0.1))},
    "cancel": lambda rng, canary, world: {"run": rng.randrange(1, 4)},
    "environment_install": lambda rng, canary, world: {
        "sha256": _sha256(rng),
        "bytes": rng.choice((0, 10, 2**40)),
    },
    "environment_remove": lambda rng, canary, world: {},
    "apt_sources": lambda rng, canary, world: {},
    "apt_installed": lambda rng, canary, world: {
        "names": [any_text(rng, canary) or "x" for _ in range(rng.randrange(3))]
    },
    "apt_verify": _verify,
}
