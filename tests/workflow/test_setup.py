"""A bare board becomes a working one and a clean one again, over a real sshd, with packages made here."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from arenascope import api
from arenascope.domain import provision
from arenascope.errors import BoardError, Cancelled, LinkError, SetupError, UsageError
from arenascope.settings import places
from arenascope.workflow import setup as verb
from arenascope.workflow.connect import connect
from arenascope.workflow.events import DownloadProgress, SetupEvent, Step, UploadProgress
from arenascope.workflow.jobs import CancelToken
from tests.support import packages
from tests.support.bare_board import ABI, MACHINE, MINOR
from tests.support.sshd import Sshd, tiny_disk


def of_ours(server: Sshd) -> list[str]:
    """What lies on the board besides the agent's archive."""
    return [name for name in server.files() if "/agent/" not in name]


def here() -> list[str]:
    """What was left on this computer besides the files that were fetched."""
    cache = places().cache
    return [path.name for path in cache.iterdir() if path.name != "packages"] if cache.is_dir() else []


def test_a_bare_board_becomes_a_working_one_and_a_clean_one(
    bare: Sshd, index: Callable[[dict[str, str]], Path]
) -> None:
    index(packages.RUNTIME)
    events: list[SetupEvent] = []
    with connect(bare.address) as device:
        plan = verb.plan_setup(device)
        assert [(item.name, item.version) for item in plan.items] == [
            ("ai-edge-litert", "2.3.0"), ("numpy", "2.4.6"),
        ]  # fmt: skip
        assert plan.recipe is not None
        assert plan.bytes == sum(item.bytes for item in plan.items) > 0
        assert plan.undo == f"arenascope devices setup {bare.address} --undo"
        assert of_ours(bare) == []
        working = verb.setup(device, plan, events.append)
        board = working.board
        assert (board.runtime, board.runtime_version, board.numpy) == ("ai_edge_litert", "2.3.0", "2.4.6")
        assert board.environment is not None
        assert board.environment.packages == (("ai-edge-litert", "2.3.0"), ("numpy", "2.4.6"))
        assert verb.plan_setup(working).works == "ai_edge_litert 2.3.0"
    assert all("/env/" in name for name in of_ours(bare))
    assert not [name for name in of_ours(bare) if "tests" in name or name.endswith(".pyi")]
    assert [event.text for event in events if isinstance(event, Step)] == [
        "Fetching ai-edge-litert 2.3.0, numpy 2.4.6", "Packing", f"Unpacking on {bare.address}",
        f"Trying the runtime on {bare.address}",
    ]  # fmt: skip
    for kind in (DownloadProgress, UploadProgress):
        counted = [event for event in events if isinstance(event, kind)]
        assert counted[-1].done == counted[-1].total > 0
    assert here() == []
    with connect(bare.address, probe_runtime=True) as again:
        assert again.board.runtime == "ai_edge_litert"
    bare.wait_for_quiet()
    there = verb.kept(bare.address)
    assert there.bytes > 0
    assert verb.undo(bare.address) == there
    assert list(bare.home.iterdir()) == []
    with connect(bare.address, probe_runtime=True) as again:
        assert again.board.lacks_runtime
        assert again.board.environment is None


def test_the_same_from_python(bare: Sshd, index: Callable[[dict[str, str]], Path]) -> None:
    index(packages.RUNTIME)
    with api.connect(bare.address) as device:
        assert device.setup().runtime == "ai_edge_litert"
        assert device.board.numpy == "2.4.6"
        assert device.setup() == device.board
    bare.wait_for_quiet()
    assert api.undo_setup(bare.address)
    assert api.undo_setup(bare.address) == 0


def test_the_second_time_it_is_fetched_from_nowhere(
    bare: Sshd, index: Callable[[dict[str, str]], Path]
) -> None:
    folder = index(packages.RUNTIME)
    for _ in range(2):
        with connect(bare.address) as device:
            assert verb.setup(device, verb.plan_setup(device)).board.runtime == "ai_edge_litert"
        bare.wait_for_quiet()
        verb.undo(bare.address)
        for wheel in folder.iterdir():
            wheel.unlink()


def test_a_runtime_that_does_not_work_there_does_not_stay_there(
    bare: Sshd, index: Callable[[dict[str, str]], Path]
) -> None:
    index(packages.BROKEN_RUNTIME)
    with connect(bare.address) as device:
        plan = verb.plan_setup(device)
        with pytest.raises(
            SetupError, match=r"does not work on .*: ImportError: version `GLIBC_2\.99"
        ) as caught:
            verb.setup(device, plan)
        assert "taken away again" in caught.value.hint
        assert of_ours(bare) == []
        assert verb.plan_setup(device).recipe == plan.recipe
    assert here() == []


def _stop_at(word: type, text: str) -> Callable[[SetupEvent, CancelToken], None]:
    def look(event: SetupEvent, cancel: CancelToken) -> None:
        if isinstance(event, word) and text in getattr(event, "text", text):
            cancel.cancel()

    return look


@pytest.mark.parametrize(
    "stop",
    [
        _stop_at(Step, "Fetching"), _stop_at(DownloadProgress, ""), _stop_at(Step, "Packing"),
        _stop_at(UploadProgress, ""), _stop_at(Step, "Unpacking"), _stop_at(Step, "Trying"),
    ],
    ids=["fetching", "fetched", "packing", "sending", "unpacking", "trying"],
)  # fmt: skip
def test_it_can_be_stopped_at_any_point_and_nothing_half_made_stays(
    bare: Sshd,
    index: Callable[[dict[str, str]], Path],
    stop: Callable[[SetupEvent, CancelToken], None],
) -> None:
    index(packages.RUNTIME)
    cancel = CancelToken()
    with connect(bare.address) as device:
        plan = verb.plan_setup(device)
        with pytest.raises(Cancelled):
            verb.setup(device, plan, lambda event: stop(event, cancel), cancel)
        assert of_ours(bare) == []
        assert here() == []
        assert verb.setup(device, plan).board.runtime == "ai_edge_litert"


def test_a_link_that_is_lost_while_sending_leaves_no_environment(
    bare: Sshd, index: Callable[[dict[str, str]], Path]
) -> None:
    index(packages.RUNTIME)

    def cut(event: SetupEvent) -> None:
        if isinstance(event, UploadProgress):
            bare.stop()

    with connect(bare.address) as device:
        plan = verb.plan_setup(device)
        device.link._patience = replace(device.link._patience, give_up=0.5)
        with pytest.raises(LinkError):
            verb.setup(device, plan, cut)
    assert not [name for name in of_ours(bare) if "/env/" in name]
    assert here() == []


def test_a_disk_that_is_too_small_is_told_before_anything_is_sent(
    bare: Sshd, index: Callable[[dict[str, str]], Path], tmp_path: Path
) -> None:
    index({**packages.RUNTIME, "large": "x" * 2_000_000})
    with tiny_disk(bare.home, 900), connect(bare.address) as device:
        plan = verb.plan_setup(device)
        assert plan.disk_free is not None and plan.disk_free < 900 * 1024
        with pytest.raises(SetupError, match="of disk free, and .* are needed") as caught:
            verb.setup(device, plan)
        assert "Nothing was sent" in caught.value.hint
        assert of_ours(bare) == []


def test_a_disk_that_fills_meanwhile_is_told_and_left_clean(
    bare: Sshd, index: Callable[[dict[str, str]], Path]
) -> None:
    index({**packages.RUNTIME, "large": "x" * 2_000_000})

    def fill(event: SetupEvent) -> None:
        if isinstance(event, Step) and "Unpacking" in event.text:
            free = shutil.disk_usage(bare.home).free
            (bare.home / "film").write_bytes(b"\0" * (free - 200_000))

    with tiny_disk(bare.home, 8000), connect(bare.address) as device:
        plan = verb.plan_setup(device)
        with pytest.raises(BoardError, match="No space left") as caught:
            verb.setup(device, plan, fill)
        assert caught.value.board_code == "no_space"
        assert of_ours(bare) == ["film"]


def test_a_wheel_that_is_not_the_known_one_never_leaves_this_computer(
    bare: Sshd, index: Callable[[dict[str, str]], Path]
) -> None:
    folder = index(packages.RUNTIME)
    packages.wheel(folder, "numpy", "2.4.6", {"numpy/__init__.py": "evil"}, MACHINE, ABI)
    with connect(bare.address) as device:
        with pytest.raises(SetupError, match="is not the file that ArenaScope knows"):
            verb.setup(device, verb.plan_setup(device))
        assert of_ours(bare) == []


def test_where_nothing_can_be_had_the_reason_is_in_the_plan(
    bare: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(provision._LAST_PYTHON, MACHINE, MINOR - 1)
    with connect(bare.address) as device:
        plan = verb.plan_setup(device)
        assert plan.none is not None
        assert (plan.recipe, plan.items, plan.works) == (None, (), "")
        with pytest.raises(SetupError, match="No runtime is built for Python") as caught:
            verb.setup(device, plan)
        assert caught.value.hint == plan.none.next
        assert "arenascope watch" in caught.value.hint


def test_a_board_that_was_never_set_up_has_nothing_to_take_away(bare: Sshd) -> None:
    for look in (verb.kept, verb.undo):
        found = look(bare.address)
        assert (found.bytes, found.folder) == (0, f"{bare.home}/.cache/arenascope")
    assert list(bare.home.iterdir()) == []  # not even an agent was placed


def test_whoever_is_asked_can_say_no(bare: Sshd) -> None:
    with connect(bare.address):
        pass
    bare.wait_for_quiet()

    def no(found: verb.Undone) -> None:
        assert found.bytes > 0
        raise Cancelled("No.")

    with pytest.raises(Cancelled):
        verb.undo(bare.address, agree=no)
    assert bare.files()


def test_nothing_is_taken_from_under_a_client_that_is_connected(
    bare: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    from arenascope.remote import deploy

    monkeypatch.setattr(deploy, "_LEAVE_SECONDS", 0)
    with connect(bare.address) as device:
        with pytest.raises(BoardError, match="An agent of ArenaScope is at work"):
            verb.undo(bare.address)
        device.link.request("ping", {})
    bare.wait_for_quiet()
    assert verb.undo(bare.address).bytes > 0


def test_this_computer_is_not_set_up() -> None:
    for target in ("local", "this computer"):
        with pytest.raises(UsageError, match="is not set up"):
            verb.undo(target)
    with connect(probe_runtime=True) as device:
        plan = verb.plan_setup(device)
        assert plan.works
        assert verb.setup(device, plan) is device


def test_a_runtime_of_the_boards_own_is_found_without_a_probe_before(server: Sshd) -> None:
    with connect(server.address) as device:
        assert device.board.runtime is None
        assert verb.plan_setup(device).works.startswith("ai_edge_litert")
