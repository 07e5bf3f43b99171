"""The table of scratch tensors: what makes a difference, and what is never said to be nothing.

That the sizes are the runtimes' is tested with real ones: tests/workflow/test_verification.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from arenascope.domain.graph import Operator, tensor_bytes
from arenascope.domain.layout import Kind
from arenascope.domain.profiles import PROFILES, by_name
from arenascope.domain.reading import RawTensor
from arenascope.domain.temporaries import Numbered, Scratch, UnknownScratch, number, of

CONV = Operator(0, "CONV_2D", (0, 1, 2), (3,), options=(("StrideW", 1), ("StrideH", 1)))
DENSE = Operator(1, "FULLY_CONNECTED", (3, 4, -1), (5,))
MEAN = Operator(2, "MEAN", (3, 6), (7,))


def tensor(index: int, dtype: str, *shape: int, kind: Kind = Kind.ARENA_RW) -> RawTensor:
    return RawTensor(index, f"t{index}", dtype, shape, tensor_bytes(dtype, shape), kind, None)


TENSORS = {
    t.index: t
    for t in (
        tensor(0, "float32", 2, 8, 8, 3),
        tensor(1, "float32", 4, 3, 3, 3, kind=Kind.MMAP_RO),
        tensor(2, "float32", 4, kind=Kind.MMAP_RO),
        tensor(3, "float32", 2, 8, 8, 4),
        tensor(4, "int8", 5, 4, kind=Kind.MMAP_RO),
        tensor(5, "float32", 128, 5),
        tensor(6, "int32", 2, kind=Kind.MMAP_RO),
        tensor(7, "float32", 2, 4),
    )
}


def scratch(operator: Operator, profile: str, threads: int | None = 1, **changed: RawTensor) -> Any:
    tensors = TENSORS | {t.index: t for t in changed.values()}
    return of(operator, tensors, by_name(profile), machine="x86_64", threads=threads)


def numbered(profile: str, *operators: Operator) -> Numbered:
    return number(operators, TENSORS, 8, by_name(profile), machine="x86_64", threads=1)


@pytest.mark.parametrize(
    ("profile", "threads", "role"),
    [
        ("tflite-2.14", None, "transposed weights"),
        ("tflite-2.14", 1, "im2col"),
        ("litert-2.3", None, "im2col"),
        ("litert-2.3", 4, "transposed weights"),
    ],
)
def test_the_default_of_threads_decides_about_weights(profile: str, threads: int | None, role: str) -> None:
    (one,) = scratch(CONV, profile, threads)
    assert one.role == role
    assert one.kind is (Kind.ARENA_RW_PERSISTENT if role == "transposed weights" else Kind.ARENA_RW)
    assert one.bytes == (27 * 4 * 4 if role == "transposed weights" else 2 * 8 * 8 * 27 * 4)


@pytest.mark.parametrize(
    ("profile", "machine", "role"),
    [
        ("litert-2.3", "aarch64", "im2col"),
        ("tflite-2.14", "aarch64", "transposed weights"),
        ("tflite-2.14", "armv7l", "transposed weights"),
    ],
)
def test_litert_for_64_bit_arm_never_transposes_weights(profile: str, machine: str, role: str) -> None:
    """Seen on an emulated board, and in the wheels: LiteRT's for aarch64 hold no thread pool of Eigen's."""
    (one,) = of(CONV, TENSORS, by_name(profile), machine=machine, threads=4)
    assert one.role == role


def test_weights_that_are_computed_are_not_transposed() -> None:
    (one,) = scratch(CONV, "litert-2.3", 4, filters=tensor(1, "float32", 4, 3, 3, 3))
    assert one.role == "im2col"


def test_names_came_with_2_11() -> None:
    assert [scratch(CONV, name, 4)[0].name for name in ("tflite-2.10", "tflite-2.11")] == [
        "",
        "Conv_hwcn_weights",
    ]


@pytest.mark.parametrize("profile", PROFILES)
def test_an_operator_that_is_not_in_the_table_is_unknown_and_never_nothing(profile: str) -> None:
    for name in ("TFLite_Detection_PostProcess", "BUILTIN_999", "STABLEHLO_REDUCE_WINDOW"):
        with pytest.raises(UnknownScratch, match=name):
            scratch(Operator(0, name, (0,), (3,)), profile)
    found = numbered(profile, Operator(0, "TFLite_Detection_PostProcess", (0,), (3,)))
    assert list(found.unknown) == [0]


def test_what_is_missing_for_a_kernel_makes_it_unknown() -> None:
    for changed in (
        {"x": RawTensor(0, "x", "float32", None, None, Kind.ARENA_RW, None)},
        {"x": tensor(0, "float32", 2, 8, 8)},
    ):
        with pytest.raises(UnknownScratch):
            scratch(CONV, "litert-2.3", **changed)
    with pytest.raises(UnknownScratch):
        scratch(Operator(0, "CONV_2D", (0,), (3,)), "litert-2.3")
    with pytest.raises(UnknownScratch, match="sparse"):
        scratch(Operator(1, "FULLY_CONNECTED", (3, 4, -1), (5,), options=(("Sparse", 1),)), "litert-2.3")


def test_kernels_that_add_theirs_when_the_model_is_loaded_have_the_first_numbers() -> None:
    old, new = numbered("litert-1.3", CONV, DENSE, MEAN), numbered("litert-1.4", CONV, DENSE, MEAN)
    assert [index for index, _ in old.scratch[1]] == [8, 9, 10, 11, 12]
    assert [index for index, _ in old.scratch[2]] == [14, 15, 16, 17]
    assert [index for index, _ in old.scratch[0]] == [18]
    assert [index for index, _ in new.scratch[0]] == [8]
    assert [index for index, _ in new.scratch[1]] == [9, 10, 11, 12, 13]
    assert [index for index, _ in new.scratch[2]] == [15, 16, 17, 18]
    assert old.count == new.count == 19


def test_what_a_delegate_took_is_not_prepared() -> None:
    found = number(
        (CONV, DENSE, MEAN), TENSORS, 8, by_name("litert-2.3"), machine="x86_64", threads=1, prepared=[2]
    )
    assert list(found.scratch) == [2]
    assert found.count == 12


def test_what_a_kernel_decides_when_it_runs_has_no_size_yet() -> None:
    live = tensor(6, "int32", 2)
    made: dict[str, Scratch] = {one.role: one for one in scratch(MEAN, "litert-2.3", axes=live)}
    assert made["sums"].kind is Kind.DYNAMIC and made["sums"].bytes is None
    known = {one.role: one for one in scratch(MEAN, "litert-2.3")}
    assert (known["sums"].kind, known["sums"].shape) == (Kind.ARENA_RW, (8,))


def test_four_bits_of_litert_off_x86_are_unknown_for_more_than_one_row() -> None:
    weights = tensor(4, "int4", 8, 64, kind=Kind.MMAP_RO)
    for profile, rows, known in (("litert-2.3", 1, True), ("litert-2.3", 3, False), ("tflite-2.14", 3, True)):
        tensors = TENSORS | {3: tensor(3, "float32", rows, 64), 4: weights}
        try:
            of(DENSE, tensors, by_name(profile), machine="aarch64", threads=1)
        except UnknownScratch:
            assert not known
        else:
            assert known
