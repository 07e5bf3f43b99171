"""Emulated boards for tests. A module says which kinds its tests run on, each test on every one of them:

    pytestmark = pytest.mark.on("armhf", "arm64")

    def test_something(board: EmulatedBoard, ...) -> None:
        ... "--device", board.address()            the ordinary user, with keys in the test's home
        ... "--device", board.address("root")
        ... board.out("uname -m")                  by the system's own ssh

``board`` is shared by all tests of its kind and starts empty: a test that leaves a process or a file
there fails, and the board is cleaned, or started afresh. A test that switches a board off, fills its disk
or sets its clock takes one of its own from ``extra_board``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import leftovers
from tests.support.link_proxy import LinkProxy, link_proxy

from . import remains
from .build import build
from .machine import BoardError, EmulatedBoard, emulated_board
from .recipe import KINDS
from .workshop import BoardBuildError

__all__ = ["link_proxy"]

#: Seconds for one test, the boot of its board included; an emulated board takes its time.
_LIMIT = 1800
_DEFAULT = ("armhf",)


# ------------------------------------------------------------------------ before the tests


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "shared_board" in metafunc.fixturenames:
        metafunc.parametrize("shared_board", _kinds_of(metafunc.definition), indirect=True, scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(_LIMIT))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With --dist loadscope all tests of one kind of board run on one worker, which boots it once."""
    if config.getoption("dist") != "loadscope":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByBoard(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            """The kind is the first of a test's parameters. A test with a board of its own is on its own."""
            parameters = nodeid.partition("[")[2].rstrip("]")
            kinds = [name for name in KINDS if f"{parameters}-".startswith(f"{name}-")]
            return max(kinds, key=len, default=nodeid)

    return ByBoard(config, log)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build what the chosen tests need before the first of them, where no test's time runs."""
    kinds = {
        name
        for item in session.items
        if {"shared_board", "extra_board"} & set(getattr(item, "fixturenames", ()))
        for name in _kinds_at(item)
    }
    if not kinds or session.config.option.collectonly:
        return
    capture = session.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
        try:
            build([KINDS[name] for name in sorted(kinds)])
        except BoardBuildError as error:
            session.config.stash[_BUILD_ERROR] = str(error)


_BUILD_ERROR = pytest.StashKey[str]()


def _kinds_of(node: pytest.Item) -> tuple[str, ...]:
    mark = node.get_closest_marker("on")
    kinds = tuple(str(name) for name in mark.args) if mark else _DEFAULT
    unknown = set(kinds) - set(KINDS)
    if unknown:
        raise pytest.UsageError(
            f"{node.nodeid}: no such board: {', '.join(unknown)}. Known: {', '.join(KINDS)}"
        )
    return kinds


def _kinds_at(item: pytest.Item) -> tuple[str, ...]:
    """Of one test after parametrization: its board."""
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    return (parameters["shared_board"],) if "shared_board" in parameters else _kinds_of(item)


# --------------------------------------------------------------------------------- fixtures


class SharedBoard:
    """A board that is there for all tests of its kind. ``ready`` switches it on, afresh where needed."""

    def __init__(self, board: EmulatedBoard) -> None:
        self.board = board
        self._before: remains.Remains | None = None

    def ready(self) -> EmulatedBoard:
        if self.board.pid is None:
            self._before = None
            self._boot()
        if self._before is None:
            self._before = remains.look(self.board)
        return self.board

    def check(self, allowed: tuple[str, ...]) -> str:
        """What a test left, in words; the board is as it was before the test, or off."""
        assert self._before is not None
        try:
            found = remains.left(self.board, self._before, allowed)
            remains.restore(self.board, found)
            return str(found) if found else ""
        except BoardError as error:
            self.off()
            return f"a board that does not answer: {error}"

    def off(self) -> None:
        pid = self.board.pid
        self.board.power_off()
        leftovers.LASTING.discard(pid or 0)

    def _boot(self) -> None:
        self.board.forget_the_disk()
        self.board.boot(wait=False)
        leftovers.LASTING.add(self.board.pid or 0)
        self.board.wait_until_it_answers()


@pytest.fixture(scope="session")
def shared_board(request: pytest.FixtureRequest) -> Iterator[SharedBoard]:
    """The session's board of one kind; off as soon as tests of another kind come."""
    _fail_if_not_built(request)
    with emulated_board(KINDS[request.param]) as board:
        shared = SharedBoard(board)
        try:
            yield shared
        finally:
            shared.off()


@pytest.fixture
def may_stay() -> list[str]:
    """Patterns of paths that may be left on ``board``, beyond the agent and models in our cache."""
    return []


@pytest.fixture
def board(shared_board: SharedBoard, private_home: Path, may_stay: list[str]) -> Iterator[EmulatedBoard]:
    """A board that answers, and whose keys are in this test's home."""
    ready = shared_board.ready()
    ready.introduce(private_home)
    yield ready
    left = shared_board.check((*remains.ALLOWED, *may_stay))
    assert not left, f"left on the board: {left}"


BootBoard = Callable[..., EmulatedBoard]


@pytest.fixture
def extra_board(request: pytest.FixtureRequest, private_home: Path) -> Iterator[BootBoard]:
    """Boot a board of this test alone: ``extra_board("armhf", memory_mib=512, clock="2027-01-01T00:00:00")``.

    Its kind must be among those that the test is ``on``. It may be switched off, rebooted and spoiled.
    """
    _fail_if_not_built(request)
    with contextlib.ExitStack() as stack:

        def boot(kind: str | None = None, **options: object) -> EmulatedBoard:
            kinds = _kinds_of(request.node)
            assert kind is None or kind in kinds, f"say that this test is on {kind!r}: @pytest.mark.on(…)"
            made = stack.enter_context(emulated_board(KINDS[kind or kinds[0]], **options))  # type: ignore[arg-type]
            made.boot()
            made.introduce(private_home)
            return made

        yield boot


@pytest.fixture
def board_link(board: EmulatedBoard, private_home: Path) -> Iterator[LinkProxy]:
    """A stretch of bad network before ``board``: connect to ``board.address(port=board_link.port)``."""
    with LinkProxy(("127.0.0.1", board.port)) as link:
        board.introduce(private_home, link.port)
        yield link


def _fail_if_not_built(request: pytest.FixtureRequest) -> None:
    error = request.config.stash.get(_BUILD_ERROR, "")
    if error:
        pytest.fail(error, pytrace=False)


@pytest.fixture
def board_folder(board: EmulatedBoard) -> Iterator[str]:
    """A folder on ``board`` that everybody may write to; gone at the end."""
    folder = board.out("mktemp -d /tmp/test-XXXXXX && chmod 777 /tmp/test-*").strip()
    yield folder
    board.out(f"rm -rf {folder}")
