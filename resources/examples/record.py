"""Records a real run of each example model, as ``arenascope inspect`` does. From a checkout:

    python resources/examples/record.py TARGET NAME

TARGET is a device as the command line takes it; NAME is what the captures call it. The default
delegate is left out, so that every tensor of the models has a place in an arena.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from arenascope.store import capture as store
from arenascope.workflow.connect import connect
from arenascope.workflow.inspect import InspectRequest, inspect

HERE = Path(__file__).resolve().parent


def record(target: str, name: str) -> None:
    """Raises ArenaScopeError where a run cannot be made; a run that did not end well is not kept."""
    request = InspectRequest(delegate="none", threads=1)
    with connect(target, probe_runtime=True) as device:
        for model in sorted(HERE.glob("*.tflite")):
            capture = inspect(device, model, request)
            if not capture.outcome.ok:
                raise SystemExit(f"{model.name}: {capture.outcome.status} {capture.outcome.message}")
            path = model.with_suffix(".ascope")
            store.save(replace(capture, device=replace(capture.device, name=name)), path)
            print(f"{path.name}: {len(capture.layout.placements)} tensors, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    record(*sys.argv[1:])
