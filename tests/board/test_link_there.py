"""What can happen between this computer and a board in the middle of a run, each on a real board."""

from __future__ import annotations

import signal
import subprocess

import pytest

from arenascope.domain.capture import Capture
from arenascope.domain.measurement import Status
from arenascope.errors import ArenaScopeError, BoardError, LinkLost, SessionOver
from arenascope.remote.link import Patience
from arenascope.workflow.connect import connect
from arenascope.workflow.events import LinkAway, LinkBack, SamplesArrived
from arenascope.workflow.inspect import inspect
from tests.board.conftest import BootBoard
from tests.board.endless import ENDLESS, LONG, running
from tests.board.machine import EmulatedBoard
from tests.cli.running import command, in_process
from tests.support.link_proxy import END, RESET, LinkProxy
from tests.support.models import own


def nothing_is_missing(capture: Capture) -> None:
    (note,) = [note for note in capture.notes if "connection was lost" in note]
    assert "nothing of the run is missing" in note
    t = capture.samples.t
    assert list(t) == sorted(set(t))


@pytest.mark.parametrize("how", [RESET, END])
def test_a_connection_that_is_cut_in_the_middle_of_a_run(
    board: EmulatedBoard, board_link: LinkProxy, how: str
) -> None:
    with connect(board.address(port=board_link.port)) as device, running(device) as run:
        board_link.cut(how)
        run.wait(LinkAway)
        board_link.restore()
        run.wait(LinkBack)
        run.wait(SamplesArrived)
        capture = run.end()
    assert capture.outcome.status is Status.CANCELLED
    nothing_is_missing(capture)


def test_a_network_that_vanishes_without_a_word(
    board: EmulatedBoard, board_link: LinkProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arenascope.remote.link.PATIENCE", Patience(heartbeat=1.0, silence=4.0))
    with connect(board.address(port=board_link.port)) as device, running(device) as run:
        board_link.silence()
        run.wait(LinkAway)
        board_link.restore()
        run.wait(LinkBack)
        run.wait(SamplesArrived)
        nothing_is_missing(run.end())


def test_a_program_that_is_killed_is_noticed(board: EmulatedBoard) -> None:
    arguments = command("inspect", ENDLESS, "--device", board.address(), "--timeout", 5)
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as program:
        assert program.stderr is not None
        for line in program.stderr:
            if "First invoke" in line:
                break
        program.send_signal(signal.SIGKILL)
    # The run goes on to its time limit, and the agent leaves when nobody has come back for its end.
    agents = board.out("pgrep -f 'pyz attach'").split()
    assert agents
    board.out("; ".join(f"tail -f -s 0.5 --pid={pid} /dev/null" for pid in agents), timeout=LONG)


def test_an_agent_that_is_killed(board: EmulatedBoard) -> None:
    with connect(board.address()) as device, running(device) as run:
        board.out("pkill -KILL -f 'pyz attach'")
        with pytest.raises(LinkLost, match="was ended; what ran there is lost") as caught:
            run.future.result(LONG)
    assert "Run again" in caught.value.hint
    assert in_process("inspect", own("lstm_fused.tflite"), "--device", board.address(), "--json").code == 0


def test_a_full_disk(board: EmulatedBoard, board_folder: str) -> None:
    board.out(f"fallocate -l $(df --output=avail -B1 /home | tail -1) {board_folder}/fill || "
              f"dd if=/dev/zero of={board_folder}/fill bs=1M 2>/dev/null || true")  # fmt: skip
    ran = in_process("inspect", own("lstm_fused.tflite"), "--device", board.address(), "--json", "--quiet")
    assert ran.code == 4
    assert "is full" in ran.json["message"]
    assert "df -h" in ran.json["hint"]
    assert board.out("find /home -name '*.pyz' -o -name '*.part'") == ""
    board.out(f"rm {board_folder}/fill")
    assert in_process("inspect", own("lstm_fused.tflite"), "--device", board.address(), "--json").code == 0


def test_the_power_of_a_board_is_pulled(extra_board: BootBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    board = extra_board("armhf")
    with connect(board.address()) as device, running(device) as run:
        board.power_off()
        run.wait(LinkAway)
        board.boot()
        with pytest.raises(SessionOver, match="was started again while it was being used") as caught:
            run.future.result(LONG)
    assert "power supply" in caught.value.hint
    monkeypatch.setattr("arenascope.remote.link.PATIENCE", Patience(delays=(0.1,), give_up=3.0))
    with connect(board.address()) as device, running(device) as run:
        board.power_off()
        with pytest.raises(LinkLost, match=r"did not come back within 3 s"):
            run.future.result(LONG)
    refused = in_process("devices", "check", board.address(), "--json", "--quiet")
    assert refused.code == 4
    assert refused.json["hint"]


@pytest.mark.parametrize(
    ("clock", "way"), [("2001-01-01T00:00:00", "behind"), ("2036-06-01T00:00:00", "ahead")]
)
def test_a_board_whose_clock_is_wrong(extra_board: BootBoard, clock: str, way: str) -> None:
    board = extra_board("armhf", clock=clock)
    checked = in_process("devices", "check", board.address(), "--json", "--quiet").json
    (lack,) = [lack for lack in checked["lacks"] if lack["what"] == "the right time"]
    assert f" {way}. " in lack["why"]  # a system may set its clock forward to the day it was built
    ran = in_process("inspect", own("lstm_fused.tflite"), "--device", board.address(), "--json", "--quiet")
    assert ran.code == 0
    assert 0 <= ran.json["phases"][0]["seconds"] < LONG
    again = in_process("inspect", own("lstm_fused.tflite"), "--device", board.address(), "--json")
    assert "Sending" not in again.err


def test_a_second_client_on_the_same_board(board: EmulatedBoard) -> None:
    with connect(board.address()) as first, running(first) as run:
        ran = in_process(
            "inspect", own("lstm_fused.tflite"), "--device", board.address(), "--json", "--quiet"
        )
        assert ran.code == 4
        assert "Another ArenaScope client is running something" in ran.json["message"]
        assert "kill" in ran.json["hint"]
        with connect(board.address()) as second, pytest.raises(BoardError) as caught:
            inspect(second, own("lstm_fused.tflite"))
        assert caught.value.board_code == "busy"
        run.end()
        assert (
            in_process("inspect", own("lstm_fused.tflite"), "--device", board.address(), "--json").code == 0
        )


def test_a_board_that_is_not_there(private_home: object) -> None:
    with pytest.raises(ArenaScopeError) as caught:
        connect("board@127.0.0.1:1")
    assert caught.value.hint
