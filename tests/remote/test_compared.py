"""What a comparison says over the wire: whole, or a WireError."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arenascope.domain.batch_axis import Along
from arenascope.domain.rebatch import Port, Ports
from arenascope.errors import WireError
from arenascope.remote import compared
from arenascope_agent import params

PORTS = Ports(1, "run", (Port("x", 0, Along(0)), Port("gain", 1, None)), (Port("y", 2, Along(1, 3, 2)),))
ONE = {"dtype": "float32", "largest": 0.5, "scale": 2.0, "sample": 3, "step": 1, "unlike": True}


def test_the_agent_takes_the_ports_as_they_are_sent() -> None:
    (entry,) = compared.request((PORTS,))
    assert params._ports(entry) == entry
    assert entry["inputs"][0]["along"] == [0, 1, 1] and entry["inputs"][1]["along"] is None
    assert entry["outputs"] == [{"name": "y", "tensor": 2, "along": [1, 3, 2]}]


def test_a_difference_is_read_with_its_name() -> None:
    (found,) = compared.differences({"outputs": [ONE]}, PORTS)
    assert (found.name, found.largest, found.sample, found.step, found.unlike) == ("y", 0.5, 3, 1, True)
    (endless,) = compared.differences({"outputs": [{**ONE, "largest": None}]}, PORTS)
    assert not endless.holds
    assert compared.runtime({"runtime": "a\x1b[31m"}) == "a\N{REPLACEMENT CHARACTER}[31m"


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ONE, "outputs"]), inner),
    max_leaves=8,
)


@given(json)
def test_anything_else_is_a_wire_error(outputs: Any) -> None:
    try:
        compared.differences({"outputs": outputs}, PORTS)
    except WireError:
        return
    assert len(outputs) == 1 and set(outputs[0]) >= set(ONE)


@pytest.mark.parametrize(
    "outputs",
    [[], [ONE, ONE], None, [{**ONE, "sample": "x"}], [{}],
     [{**ONE, "scale": float("inf")}], [{**ONE, "scale": float("nan")}], [{**ONE, "largest": -1.0}]],
)  # fmt: skip
def test_what_does_not_fit_the_model_is_a_wire_error(outputs: Any) -> None:
    with pytest.raises(WireError):
        compared.differences({"outputs": outputs}, PORTS)
