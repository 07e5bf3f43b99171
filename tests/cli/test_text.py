"""What people read: tables, progress, questions. Untrusted text stays text."""

from __future__ import annotations

import io
import sys
from dataclasses import replace

import pytest

from arenascope.cli import progress, tables
from arenascope.cli.prompts import KnownFingerprints, Remember, TerminalPrompts, terminal
from arenascope.cli.session import EXIT_CODES
from arenascope.domain.capture import Capture
from arenascope.domain.figures import header_figures
from arenascope.domain.measurement import Outcome, Phase, Status
from arenascope.errors import HostKeyUnknown
from arenascope.remote.prompts import HostKeyQuestion, NoPrompts, Question
from arenascope.workflow.events import Connecting, PhaseEnded, PhaseStarted, RunEnded, UploadProgress
from tests.cli.running import ESCAPES
from tests.support import captures

QUESTION = HostKeyQuestion("pi4", 22, "ssh-ed25519", "SHA256:abc")


def shown(capture: Capture, capsys: pytest.CaptureFixture[str], **options: bool) -> str:
    tables.show(capture, **options)
    return capsys.readouterr().out


def test_every_header_figure_is_shown_with_its_origin(capsys: pytest.CaptureFixture[str]) -> None:
    capture = captures.example_capture()
    text = shown(capture, capsys)
    for figure in header_figures(capture):
        line = next(line for line in text.splitlines() if line.strip().startswith(figure.label))
        assert figure.value_text in line
        assert (figure.provenance.value if figure.provenance else "unknown") in line


def test_a_kill_is_shown_with_cause_proof_and_who_held_memory(capsys: pytest.CaptureFixture[str]) -> None:
    capture = captures.ended_capture(Status.KILLED)
    text = shown(capture, capsys)
    (finding,) = capture.outcome.findings
    assert f"{finding.cause}\n  Proof: {finding.proof}\n  Remedy: {finding.remedy}" in text
    look = capture.samples.last_look
    assert look is not None
    assert look.t <= capture.samples.t[-1]
    assert f"at {look.t:.2f} s, before the end" in text
    assert f"{look.processes[0].name} ({look.processes[0].pid})" in text
    assert "Who held memory" not in shown(captures.ended_capture(Status.REFUSED), capsys)


@pytest.mark.parametrize(
    ("when", "words"), [("invoke_first", "after the first invoke"), ("allocate", "after allocate")]
)
def test_the_attribution_says_when_it_was_read(
    when: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"Resident {words}" in shown(replace(captures.example_capture(), attribution_when=when), capsys)


def test_the_attribution_ends_with_its_exact_sum(capsys: pytest.CaptureFixture[str]) -> None:
    capture = captures.example_capture()
    total = sum(part.bytes for part in capture.attribution)
    assert f"{total:,} B" in next(
        line for line in shown(capture, capsys).splitlines() if line.strip().startswith("total")
    )


def test_only_the_largest_tensors_unless_all_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    capture = captures.big_capture(100)
    some, every = shown(capture, capsys), shown(capture, capsys, all_tensors=True)
    assert f"the largest {tables.LARGEST} of" in some
    assert len(every.splitlines()) - len(some.splitlines()) == len(capture.layout.placements) - tables.LARGEST


def test_hostile_names_do_nothing_to_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(captures.hostile_capture(), capsys, all_tensors=True)
    assert not ESCAPES & set(text)
    assert "\u202e" not in text
    assert "<script>alert(1)</script>" in text


def test_what_is_not_known_is_said_to_be_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(captures.bare_capture(), capsys)
    assert "unknown" in text
    assert "None" not in text


@pytest.mark.parametrize("status", Status)
def test_every_outcome_is_shown_and_has_an_exit_code(
    status: Status, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"Outcome: {status.value}" in shown(captures.ended_capture(status), capsys)
    assert (EXIT_CODES[status] == 0) == (status is Status.OK)


def test_steps_are_lines_where_nobody_watches() -> None:
    stream = io.StringIO()
    lines = progress.Lines(stream)
    lines(Connecting("Connecting to \x1b[31mpi4"))
    lines(UploadProgress(0, 2048))
    lines(UploadProgress(2048, 2048))
    lines(PhaseStarted("allocate", 0.1))
    text = stream.getvalue()
    assert text.splitlines()[1:] == ["Sending 2.0 KiB", "Allocating tensors"]
    assert not ESCAPES & set(text)


def test_bars_come_with_long_runs_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    phase = PhaseEnded(Phase("load", 0.1, None, None, None, None, None))
    short = progress.Bars()
    short(PhaseStarted("load", 0.0))
    assert not short.shows
    monkeypatch.setattr(progress, "BAR_AFTER", 0.0)
    long = progress.Bars()
    try:
        long(Connecting("Connecting"))
        assert not long.shows
        long(UploadProgress(1, 2))
        long(PhaseStarted("load", 0.0))
        long(phase)
        assert long.shows
    finally:
        long(RunEnded(Outcome(Status.OK)))
        long.close()
    assert not long.shows


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("answer", "accepted"), [("yes\n", True), ("y\n", False), ("\n", False), ("", False)]
)
def test_a_new_host_key_needs_a_whole_yes(
    answer: str, accepted: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert terminal().confirm_host_key(QUESTION) is accepted
    out, err = capsys.readouterr()
    assert out == ""
    assert "SHA256:abc" in err


def test_nobody_is_asked_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))
    assert isinstance(terminal(), NoPrompts)
    monkeypatch.setattr(sys, "stdin", None)
    assert isinstance(terminal(), NoPrompts)


def test_a_fingerprint_given_beforehand_accepts_that_key_alone() -> None:
    assert KnownFingerprints(["SHA256:abc"], NoPrompts()).confirm_host_key(QUESTION)
    with pytest.raises(HostKeyUnknown, match="is not the one given: SHA256:abd"):
        KnownFingerprints(["SHA256:abd"], TerminalPrompts()).confirm_host_key(QUESTION)
    assert KnownFingerprints(["SHA256:abc"], NoPrompts()).password("pi", "pi4") is None


ROUND = (Question("Name?", True), Question("Code:", False))


def test_the_questions_of_a_server(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("ada\n"))
    hidden: list[str] = []

    def getpass(question: str, stream: object) -> str:
        hidden.append(question)
        return "123"

    monkeypatch.setattr("getpass.getpass", getpass)
    assert terminal().answers("Second step", "Look at\nyour phone", ROUND) == ["ada", "123"]
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "Second step\nLook at\nyour phone\nName? "
    assert hidden == ["Code: "]
    assert terminal().answers("Only to be read", "", ()) == []


def test_the_end_of_the_input_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(""))
    assert terminal().answers("", "", ROUND) is None
    assert NoPrompts().answers("", "", ROUND) is None


@pytest.mark.parametrize(
    ("remember", "typed", "kept"),
    [
        (Remember.NO, "y\n", False),
        (Remember.YES, "n\n", True),
        (Remember.ASK, "y\n", True),
        (Remember.ASK, "\n", False),
        (Remember.ASK, "", False),
    ],
)
def test_a_secret_is_kept_only_if_asked_for(
    remember: Remember, typed: str, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    assert terminal(remember=remember).remember("the password of pi on pi4") is kept
    assert terminal(["SHA256:abc"], remember=remember).remember("x") is (kept and remember is Remember.YES)
