"""Predicted peaks beside measured ones, and verdicts beside what happens around the borders.

    python benchmarks/bench_prediction.py                  this computer, and the emulated 32-bit board
    python benchmarks/bench_prediction.py --device NAME    that device instead: its peaks, and the borders
                                                           that need nothing changed there
    … MODEL.tflite …                                       these models instead of ours

Every run is a process of its own. Lines that are no figures go to stderr: one for each run. On the emulated
board (``make boards`` builds it) the kernel's promises and a login's limits are changed as well, so that
every limit has its border; that takes a quarter of an hour.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from figures import Figure, report

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for tests.board and tests.support

from arenascope.domain.comparison import Comparison
from arenascope.errors import ArenaScopeError
from arenascope.workflow.connect import connect
from arenascope.workflow.planning import Planning
from tests.board.build import build
from tests.board.machine import EmulatedBoard, emulated_board
from tests.board.recipe import KINDS
from tests.support.predictions import Case, Judged, Predictor, held_against_run, judged, rows
from tests.support.sources import ROOT

MIB, GIB = 1024**2, 1024**3
DATA, EXAMPLES, SHARED = ROOT / "tests/data", ROOT / "resources/examples", ROOT.parent / "shared/models"
#: Models and the batches that they are run with; None is the file's own.
MODELS: tuple[tuple[Path, tuple[int | None, ...]], ...] = (
    (EXAMPLES / "cnn.tflite", (None, 50)),
    (EXAMPLES / "lstm.tflite", (None,)),
    (DATA / "cnn_int8.tflite", (None, 3000)),
    (DATA / "mean.tflite", (None, 2000)),
    (DATA / "split_many.tflite", (None, 50_000)),
    (DATA / "while_loop.tflite", (None,)),
    (DATA / "if_branch.tflite", (None,)),
    (DATA / "transpose_conv.tflite", (None, 300)),
    (DATA / "fp16_weights.tflite", (None,)),
    (DATA / "dynamic_where.tflite", (None,)),
    (SHARED / "vww_96_float.tflite", (None, 10, 100, 300)),
    (SHARED / "vww_96_int8.tflite", (None, 100)),
    (SHARED / "resnet8_float.tflite", (None, 60)),
    (SHARED / "kws_dscnn_int8.tflite", (None, 300)),
    (SHARED / "mnist_lstm_float.tflite", (None,)),
    (SHARED / "mnist_lstm_int8.tflite", (None,)),
    (SHARED / "mobilenet_v2_1.0_224_quant.tflite", (None,)),
    (SHARED / "deeplabv3_mnv2_pascal_quant.tflite", (None, 3)),
)
#: Where computing is no matter.
LARGE = (
    (SHARED / "vww_96_float.tflite", (1200, 2500)),
    (SHARED / "deeplabv3_mnv2_pascal_quant.tflite", (8,)),
)


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("models", nargs="*", type=Path)
    given.add_argument("--device", help="any that ArenaScope can connect to without a question")
    options = given.parse_args()
    chosen = [(path, (None, 3)) for path in options.models] or [m for m in MODELS if m[0].exists()]
    if options.device:
        report(on_device(options.device, chosen))
        return
    with tempfile.TemporaryDirectory(prefix="bench-prediction-") as home:
        os.environ["HOME"] = os.environ["USERPROFILE"] = home
        os.environ["ARENASCOPE_HOME"] = str(Path(home) / "arenascope")
        large = [] if options.models else [m for m in LARGE if m[0].exists()]
        with predicting("local") as predictor:
            report(peaks("this computer", predictor, [*chosen, *large]))
        build([KINDS["armhf"]])
        with emulated_board(KINDS["armhf"]) as board:
            board.boot()
            board.introduce(Path(home))
            with predicting(board.address("root")) as predictor:
                report(peaks("32-bit board", predictor, chosen))
            report([of_verdicts("32-bit board", list(every_border(board)))])


def on_device(name: str, chosen: Sequence[tuple[Path, tuple[int | None, ...]]]) -> list[Figure]:
    with predicting(name) as predictor:
        figures = peaks(name, predictor, chosen)
        return [*figures, of_verdicts(name, list(plain_borders(predictor)))]


@contextmanager
def predicting(target: str) -> Iterator[Predictor]:
    with connect(target) as device, Planning() as planning:
        yield Predictor(device, planning)


# --------------------------------------------------------------------------------------- peaks


def peaks(
    where: str, predictor: Predictor, chosen: Sequence[tuple[Path, tuple[int | None, ...]]]
) -> list[Figure]:
    plain, delegated = [], []
    for path, batches in chosen:
        for batch in batches:
            for delegate, found in (("none", plain), ("default", delegated)):
                case = Case(path, batch, delegate)
                try:
                    comparison = held_against_run(predictor, case)
                except (ArenaScopeError, AssertionError) as error:
                    say(f"{where}: {case.text}: {error}")
                    continue
                say(f"{where}: {case.text}: {line(comparison)}")
                if comparison.measured is not None:
                    found.append(comparison)
    close, within = sum(c.close is True for c in plain), sum(c.within is True for c in delegated)
    off = max((abs(c.unexplained or 0) / (c.measured or 1) for c in plain), default=0.0)
    width = max((c.predicted.width for c in delegated), default=0.0)
    return [
        Figure(
            f"{where}: predicted peak within 3 % or 2 MB, CPU kernels", "all",
            f"{close} of {len(plain)}  (farthest {100 * off:.1f} %)", close == len(plain) > 0,
        ),
        Figure(
            f"{where}: measured peak inside the stated range, default delegate", "all",
            f"{within} of {len(delegated)}", within == len(delegated) > 0,
        ),
        Figure(
            f"{where}: width of that range", "≤ 15 %", f"{100 * width:.1f} %  (the widest)", width <= 0.15
        ),
    ]  # fmt: skip


def line(found: Comparison) -> str:
    low, likely, high = (
        f"{x / MIB:.2f}" for x in (found.predicted.low, found.predicted.likely, found.predicted.high)
    )
    if found.measured is None or found.unexplained is None:
        return f"predicted {likely} MiB; it did not come to its end"
    return (
        f"predicted {likely} MiB ({low} to {high}), measured {found.measured / MIB:.2f} MiB, "
        f"{-found.unexplained / MIB:+.2f} MiB{'' if found.close else ' NOT CLOSE'}"
        f"{'' if found.within else ' NOT WITHIN'}"
    )


# ------------------------------------------------------------------------------------- verdicts


def every_border(board: EmulatedBoard) -> Iterator[Judged]:
    with predicting(board.address("root")) as predictor:
        yield from plain_borders(predictor)
    board.out("sysctl -q vm.overcommit_memory=2")
    with predicting(board.address("root")) as predictor:
        facts = predictor.device.board.limits
        room = (facts.commit_limit or 0) - (facts.committed or 0)
        yield from tried(predictor, [rows(share * room) for share in (0.5, 0.9, 1.02, 1.5)])
    board.out("sysctl -q vm.overcommit_memory=1")
    with predicting(board.address("root")) as predictor:
        yield from tried(predictor, [rows(2 * GIB + 4096), rows(2 * GIB - 4096)])
    board.out("sysctl -q vm.overcommit_memory=0")
    board.out(f"echo '{board.user} - as 400000' > /etc/security/limits.d/tight.conf")
    with predicting(board.address(board.user)) as predictor:
        limit = predictor.device.board.limits.rlimit_as or 0
        yield from tried(predictor, [rows(share * limit) for share in (0.5, 0.85, 0.95)])
    board.out("rm /etc/security/limits.d/tight.conf")


def plain_borders(predictor: Predictor) -> Iterator[Judged]:
    """Around what is available, and around RAM and swap together."""
    facts = predictor.device.board
    available, most = facts.ram_available or 0, (facts.ram_total or 0) + (facts.swap_total or 0)
    shares = (0.5, 0.8, 0.9, 0.94, 1.04, 1.07)
    cases = [rows(share * available) for share in shares]
    cases += [rows(share * most) for share in (0.997, 1.002, 1.2)]
    cases += [
        Case(path, round(1.1 * most / size))
        for path, size in (
            (SHARED / "vww_96_float.tflite", 331776),
            (SHARED / "resnet8_float.tflite", 210000),
        )
        if path.exists()
    ]
    yield from tried(predictor, cases)


def tried(predictor: Predictor, cases: list[Case]) -> Iterator[Judged]:
    for case in cases:
        found = judged(predictor, case)
        say(f"{'right' if found.right else 'WRONG'}: {found.text}. {found.verdict.reason}")
        yield found


def of_verdicts(where: str, found: list[Judged]) -> Figure:
    right = sum(one.right for one in found)
    tight = sum(one.verdict.fit.value == "fits tightly" for one in found)
    return Figure(
        f"{where}: verdicts that came true around the borders", "all",
        f"{right} of {len(found)}  ({tight} of them: fits tightly)", right == len(found) > 0,
    )  # fmt: skip


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
