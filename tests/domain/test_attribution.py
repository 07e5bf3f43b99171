"""Parts of the resident memory: they add up exactly, and the rest is never spread."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from arenascope.domain.attribution import (
    ARENA,
    DELEGATE,
    MODEL,
    PYTHON,
    RUNTIME,
    UNEXPLAINED,
    Mapped,
    ProcessReading,
    attribute,
)
from arenascope.domain.provenance import Provenance

READING = ProcessReading(
    when="invoke_first",
    rss=1000,
    mappings=(
        Mapped("/usr/bin/python3", 200, 20),
        Mapped("/rt/runtime.so", 150, 10),
        Mapped("/models/m.tflite", 50, 0),
        Mapped("[heap]", 500, 500),
        Mapped("", 100, 100),
    ),
    model_resident=50,
    arena_resident=100,
    persistent_resident=30,
    dynamic_resident=20,
    runtime_paths=frozenset({"/rt/runtime.so"}),
    model_path="/models/m.tflite",
    anon_steps={
        "start": 100, "numpy": 220, "runtime_import": 280, "load": 310,
        "allocate": 400, "inputs": 420, "invoke_first": 630,
    },
    delegated=False,
)  # fmt: skip


def parts(reading: ProcessReading) -> dict[str, int]:
    return {p.part: p.bytes for p in attribute(reading)}


def test_each_part_is_what_its_source_says() -> None:
    found = parts(READING)
    assert found[MODEL] == 50
    assert found[ARENA] == 100
    assert found[PYTHON] == 200 + (220 - 20)
    assert found[RUNTIME] == 150 + (310 - 220 - 10)
    assert found[DELEGATE] == 0
    assert found[UNEXPLAINED] == 1000 - sum(v for k, v in found.items() if k != UNEXPLAINED)


def test_what_a_delegate_holds_is_an_estimate_and_the_rest_is_measured() -> None:
    origins = {p.part: p.provenance for p in attribute(READING)}
    assert origins.pop(DELEGATE) is Provenance.ESTIMATED
    assert set(origins.values()) == {Provenance.MEASURED}


def test_readings_that_contradict_each_other_make_no_negative_part() -> None:
    found = parts(replace(READING, rss=100))
    assert sum(found.values()) == 100
    assert all(v >= 0 for k, v in found.items() if k != UNEXPLAINED)


def test_growth_under_a_delegate_beyond_the_arenas_is_the_delegates() -> None:
    found = parts(replace(READING, delegated=True))
    assert found[DELEGATE] == (630 - 310) - (100 + 30 + 20)
    assert sum(found.values()) == READING.rss


sizes = st.integers(0, 1 << 40)


@given(
    files=st.lists(st.tuples(st.sampled_from(["/a", "/rt", "/m"]), sizes, sizes)),
    anonymous=sizes,
    placed=st.tuples(sizes, sizes, sizes),
    steps=st.dictionaries(
        st.sampled_from(["numpy", "runtime_import", "load", "allocate", "invoke_first"]), sizes
    ),
    delegated=st.booleans(),
)
def test_the_parts_add_up_to_the_resident_memory_whatever_is_read(
    files: list[tuple[str, int, int]],
    anonymous: int,
    placed: tuple[int, int, int],
    steps: dict[str, int],
    delegated: bool,
) -> None:
    mappings = (*(Mapped(p, r, min(a, r)) for p, r, a in files), Mapped("", anonymous, anonymous))
    model = sum(m.rss for m in mappings if m.path == "/m")
    reading = ProcessReading(
        "invoke_first", sum(m.rss for m in mappings), mappings, model, *placed,
        frozenset({"/rt"}), "/m", steps, delegated,
    )  # fmt: skip
    found = attribute(reading)
    assert sum(p.bytes for p in found) == reading.rss
    assert all(p.bytes >= 0 for p in found)
