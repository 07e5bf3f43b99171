"""Why an allocation was refused: the limit that decides, on boards of every kind of address space."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from arenascope_agent import protocol, refusal
from arenascope_agent.amounts import size
from arenascope_agent.refusal import Facts, at_least, explain, from_words
from tests.agent import tiny_models
from tests.agent.workers import AGENT, inspect
from tests.support.models import own

MIB = 1024 * 1024
GIB = 1024 * MIB

#: Largest gap and ceiling of a fresh Python in the three address spaces (pi-facts.md §2.1, §2.4).
PI_3 = Facts(32, 0, 900 * MIB, 100 * MIB, ceiling=2032 * MIB, largest_gap=1890 * MIB)
EMULATED = Facts(32, 0, 995 * MIB, 0, ceiling=3056 * MIB, largest_gap=2907 * MIB)
PI_4 = Facts(32, 0, 7900 * MIB, 0, ceiling=4 * GIB - 4096, largest_gap=3200 * MIB)
PI_5 = Facts(64, 0, 8000 * MIB, 2000 * MIB, ceiling=2**47, largest_gap=2**46)


def told(here: Facts, wanted: int | None, said: str = "std::bad_alloc") -> tuple[str, dict[str, Any]]:
    answer = explain(here, wanted, said)
    (finding,) = answer["findings"]
    assert set(finding) == {"cause", "proof", "remedy"}
    assert all(finding.values())
    return answer["message"], finding


@pytest.mark.parametrize(
    ("here", "wanted", "reason"),
    [
        (PI_3, 1001 * MIB, "RAM and swap together are 1000.0 MiB, and the kernel refuses any single"),
        (PI_3._replace(overcommit=1), 1900 * MIB, "the largest gap in the address space of 1.98 GiB is 1.85 GiB"),
        (PI_3._replace(overcommit=1), 2100 * MIB, "the largest gap in the address space of 1.98 GiB is 1.85 GiB"),
        (EMULATED, 996 * MIB, "there are 995.0 MiB of RAM and no swap, and the kernel refuses any single"),
        (EMULATED._replace(overcommit=1), 2 * GIB, "a 32-bit process gets no single allocation of 2 GiB or more"),
        (PI_4, 2 * GIB, "a 32-bit process gets no single allocation of 2 GiB or more"),
        (PI_4._replace(largest_gap=300 * MIB), 301 * MIB, "the largest gap in the address space of 4.00 GiB is 300.0"),
        (PI_5, 10001 * MIB, "RAM and swap together are 9.77 GiB"),
        (
            PI_5._replace(rlimit_as=512 * MIB, vm_size=112 * MIB), 401 * MIB,
            "the address space of a process is limited to 512.0 MiB (ulimit -v), 112.0 MiB are taken, which leaves 400.0 MiB",
        ),
        (
            PI_5._replace(rlimit_data=64 * MIB, vm_data=10 * MIB), 55 * MIB,
            "the data of a process is limited to 64.0 MiB (ulimit -d), 10.0 MiB are taken, which leaves 54.0 MiB",
        ),
        (
            PI_5._replace(overcommit=2, commit_limit=5 * GIB, committed=4 * GIB), 1025 * MIB,
            "the kernel promises 5.00 GiB at most, 4.00 GiB are promised, which leaves 1.00 GiB (vm.overcommit_memory is 2)",
        ),
    ],
)  # fmt: skip
def test_the_narrowest_limit_that_is_exceeded_is_named_with_both_numbers(
    here: Facts, wanted: int, reason: str
) -> None:
    message, finding = told(here, wanted)
    assert message.startswith(f"no memory for at least {size(wanted)} in one piece: ")
    assert reason in message
    assert "use a smaller batch or input" in message
    assert message.endswith("(the runtime said: std::bad_alloc)")
    assert reason.lower() in finding["proof"].lower()
    assert f"{wanted:,} bytes" in finding["proof"]


@pytest.mark.parametrize("here", [PI_3, EMULATED, PI_4, PI_5])
def test_a_wish_below_every_limit_has_no_named_reason_but_all_numbers(here: Facts) -> None:
    message, finding = told(here, 100 * MIB)
    assert "that is below every limit known here" in message
    assert "cannot be named" in finding["cause"]
    assert "100.0 MiB" in finding["proof"]
    assert size(here.largest_gap or 0) in finding["proof"]


def test_the_other_limits_that_are_exceeded_are_told_too() -> None:
    _, finding = told(EMULATED, 3000 * MIB)
    assert "and beyond that: a 32-bit process gets no single allocation" in finding["proof"]
    assert "the largest gap in the address space of 2.98 GiB is 2.84 GiB" in finding["proof"]


def test_without_a_known_wish_only_what_is_nearly_gone_is_named() -> None:
    message, _ = told(PI_5, None, "")
    assert "the limit cannot be named" in message
    short = PI_5._replace(rlimit_as=256 * MIB, vm_size=250 * MIB)
    message, finding = told(short, None, "")
    assert "most likely because the address space of a process is limited to 256.0 MiB" in message
    assert "(ulimit -v)" in finding["cause"]


@pytest.mark.parametrize(
    "said",
    [
        "BytesRequired number of bytes overflowed.Node number 0 (CONV_2D) failed to prepare.",
        "array is too big; `arr.size * arr.dtype.itemsize` is larger than the maximum possible size.",
        "Maximum allowed dimension exceeded",
    ],
)
def test_a_size_that_cannot_be_counted_is_told_as_that(said: str) -> None:
    message, finding = told(EMULATED, None, said)
    assert "do not fit into the 32 bits of a size" in message
    assert "larger than a process can count" in finding["cause"]


def test_nothing_known_at_all_still_makes_a_sentence() -> None:
    message, finding = told(Facts(64), None, "")
    assert (
        message == "no memory for what was asked for: the limit cannot be named; use a smaller batch or input"
    )
    assert finding["proof"]


@pytest.mark.parametrize("letter", ["x", "ä", "\u2028"])
def test_it_fits_into_an_event_that_the_server_opens(letter: str) -> None:
    everything = EMULATED._replace(
        overcommit=2, commit_limit=1, committed=1, rlimit_as=1, vm_size=1, rlimit_data=1, vm_data=1
    )
    for wanted in (None, 0, 2**62):
        told_all = explain(everything, wanted, letter * 5000)
        assert len(protocol.encode(protocol.event("failure", told_all))) < 3800


def test_the_facts_of_this_process() -> None:
    here = refusal.facts()
    assert here.bits == 64
    assert here.ram
    assert here.vm_size
    assert here.largest_gap
    assert here.overcommit in (0, 1, 2)


def test_numpy_says_how_much_it_could_not_get() -> None:
    text = "Unable to allocate 763. MiB for an array with shape (20000, 10000) and data type float32"
    assert from_words(text) == 800_000_000
    assert from_words("Unable to allocate 8 B for an array with shape () and data type float64") == 8
    assert from_words("Unable to allocate 1 B for an array with shape (7,) and data type bool") == 7
    assert from_words("std::bad_alloc") is None


# ---------------------------------------------------------------------- the least an arena can have

CHAIN = [("CONV_2D", (0, 9), (1,)), ("TANH", (1,), (2,)), ("CONV_2D", (2, 8), (3,))]
SIZES = {0: 100, 1: 1000, 2: 800, 3: 10, 8: 5000, 9: 5000}


def test_what_is_alive_at_one_operator_is_counted_with_the_inputs() -> None:
    assert at_least(SIZES, [0], [3], CHAIN) == 100 + 1000 + 800


def test_what_is_read_later_stays_alive() -> None:
    later = [*CHAIN, ("CONCATENATION", (3, 1), (4,))]
    assert at_least({**SIZES, 4: 1}, [0], [4], later) == 100 + 1000 + 800 + 10
    assert at_least({**SIZES, 3: 900, 4: 1}, [0], [4], later) == 100 + 1000 + 800 + 900


def test_what_may_share_a_place_counts_once() -> None:
    shared = [("CONV_2D", (0,), (1,)), ("ADD", (1, 9), (2,)), ("RESHAPE", (2,), (3,)), ("TANH", (3,), (4,))]
    sizes = {0: 1, 1: 500, 2: 500, 3: 500, 4: 20, 9: 4000}
    assert at_least(sizes, [0], [4], shared) == 1 + 500 + 20
    # Not with the model's own inputs and outputs.
    assert at_least({0: 70, 1: 80}, [0], [1], [("ADD", (0, 9), (1,))]) == 150


def test_the_outputs_of_the_model_stay_to_the_end() -> None:
    assert at_least(SIZES, [0], [1, 3], CHAIN) == 100 + 1000 + 800 + 10


def test_of_a_delegate_only_its_borders_count() -> None:
    delegated = [*CHAIN, ("DELEGATE", (0, 8, 9), (3,))]
    assert at_least(SIZES, [0], [3], delegated) == 110


def test_a_graph_without_anything_has_no_bound() -> None:
    assert at_least({}, [], [], []) is None


@pytest.mark.parametrize(
    "name", ["cnn_float", "inplace_chain", "lstm_fused", "split_many", "mean", "cnn_int8"]
)
@pytest.mark.parametrize("delegate", ["none", "default"])
def test_it_is_never_above_the_arena_that_the_runtime_makes(name: str, delegate: str) -> None:
    from arenascope_agent.layout import read
    from arenascope_agent.runtimes import load

    model = str(own(f"{name}.tflite"))
    interpreter = load().open(model, None, delegate, False)
    interpreter.allocate_tensors()
    spans = [
        (t.address, t.address + t.bytes)
        for t in read(interpreter, "after_allocate", model)[0].tensors
        if t.kind == "arena_rw" and t.address and t.bytes
    ]
    arena = max(end for _, end in spans) - min(start for start, _ in spans)
    least = refusal._of_graph(interpreter, arena=True)
    assert least is not None
    assert 0 < least <= arena


# --------------------------------------------------------------------------- in a real worker


#: Rows of 4096 numbers: the input and two more blocks at one operator, of 4 TiB or of 4 GiB each.
MORE_THAN_ANY_COMPUTER, MORE_THAN_A_LIMIT = 1 << 28, 1 << 18


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    path = tmp_path / "chain.tflite"
    path.write_bytes(tiny_models.chain(4))
    return path


def test_more_than_ram_and_swap_is_refused_with_both_numbers(chain: Path) -> None:
    failure = inspect(chain, inputs={"0": [MORE_THAN_ANY_COMPUTER, 4096]}).one("failure")
    assert (failure["phase"], failure["kind"]) == ("allocate", "refused")
    here = refusal.facts()
    if here.overcommit == 0:
        assert here.ram is not None
        assert "no memory for at least 12.0 TiB in one piece" in failure["message"]
        assert size(here.ram + (here.swap or 0)) in failure["message"]
    (finding,) = failure["findings"]
    assert f"{3 * 4 * 4096 * MORE_THAN_ANY_COMPUTER:,} bytes" in finding["proof"]


def test_a_limit_of_the_user_is_named(chain: Path) -> None:
    """1.5 GiB of addresses: more than loading takes, less than one of the blocks."""
    script = (
        "import json, resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_AS, (3 << 29, 3 << 29))\n"
        "from tests.agent.workers import inspect\n"
        f"ended = inspect({str(chain)!r}, inputs={{'0': [{MORE_THAN_A_LIMIT}, 4096]}})\n"
        "print(json.dumps(ended.one('failure')))\n"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=root,
        env={**os.environ, "PYTHONPATH": f"{AGENT.parents[1]}{os.pathsep}{root}"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    failure = protocol.decode_payload(done.stdout.encode())
    assert (failure["phase"], failure["kind"]) == ("allocate", "refused")
    assert "is limited to 1.50 GiB (ulimit -v)" in failure["message"]
    assert "(ulimit -v)" in failure["findings"][0]["cause"]
