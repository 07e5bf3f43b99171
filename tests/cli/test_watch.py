"""``watch`` on this computer."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import pytest

from tests.cli.running import command, here

FIELDS = {"t", "ram_total", "available", "swap_free", "agent_rss", "agent_cpu", "top"}


def test_json_lines_are_samples(capsys: pytest.CaptureFixture[str]) -> None:
    ran = here(capsys, "watch", "--seconds", "1.2", "--json-lines")
    assert ran.code == 0
    samples = [json.loads(line) for line in ran.out.splitlines()]
    assert samples
    for sample in samples:
        assert set(sample) == FIELDS
        assert 0 < sample["available"] <= sample["ram_total"]


def test_lines_for_people_have_a_heading(capsys: pytest.CaptureFixture[str]) -> None:
    ran = here(capsys, "watch", "local", "--seconds", "1.2")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0].endswith("RAM")
    assert "available" in lines[1]
    assert "GiB" in lines[2] or "MiB" in lines[2]


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "1e9"])
def test_a_time_without_sense_is_refused(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert here(capsys, "watch", "--seconds", seconds).code == 2


def test_ctrl_c_is_the_usual_end() -> None:
    process = subprocess.Popen(command("watch", "--json-lines"), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline()
    os.kill(process.pid, signal.SIGINT)
    process.communicate()
    assert process.returncode == 0


def test_a_reader_that_leaves_ends_it() -> None:
    process = subprocess.Popen(
        command("watch", "--json-lines"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert process.wait() == 141
    assert process.stderr.read() == ""
    process.stderr.close()
