"""Frames survive any cutting of the stream; anything else is a ProtocolError and nothing worse."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arenascope_agent import protocol
from arenascope_agent.protocol import FrameReader, ProtocolError

scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    scalars.filter(lambda v: v not in (float("inf"), float("-inf"))),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
messages = st.dictionaries(st.text(), values, max_size=5)


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces, position = [], 0
    for size in sizes:
        pieces.append(data[position : position + size])
        position += size
    return [*pieces, data[position:]]


@given(st.lists(messages, max_size=5), st.lists(st.integers(0, 40), max_size=30))
def test_messages_arrive_whole_however_the_stream_is_cut(
    sent: list[dict[str, object]], sizes: list[int]
) -> None:
    reader = FrameReader()
    arrived = [
        protocol.decode_payload(payload)
        for piece in cut(b"".join(map(protocol.encode, sent)), sizes)
        for payload in reader.feed(piece)
    ]
    assert arrived == sent
    assert reader.waiting == 0


@given(st.binary(max_size=300))
def test_garbage_is_refused_or_waited_for(data: bytes) -> None:
    reader = FrameReader()
    try:
        for payload in reader.feed(data):
            assert isinstance(protocol.decode_payload(payload), dict)
    except ProtocolError:
        return
    assert reader.waiting <= len(data)


@given(st.binary(min_size=2, max_size=300))
def test_any_payload_is_an_object_or_a_protocol_error(payload: bytes) -> None:
    try:
        assert isinstance(protocol.decode_payload(payload), dict)
    except ProtocolError:
        pass


def test_an_announced_length_reserves_nothing() -> None:
    reader = FrameReader()
    tracemalloc.start()
    try:
        assert list(reader.feed(protocol.HEADER.pack(protocol.MAX_FRAME))) == []
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("length", [0, 1, protocol.MAX_FRAME + 1, 2**32 - 1])
def test_a_length_out_of_bounds_is_refused_from_its_four_bytes(length: int) -> None:
    with pytest.raises(ProtocolError, match="limit"):
        list(FrameReader().feed(protocol.HEADER.pack(length)))


@pytest.mark.parametrize("length", [0, 1, protocol.MAX_REQUEST + 1])
def test_a_server_takes_shorter_frames(length: int) -> None:
    with pytest.raises(ProtocolError, match=f"{length} bytes; the limit is {protocol.MAX_REQUEST}"):
        list(FrameReader(protocol.MAX_REQUEST).feed(protocol.HEADER.pack(length)))
    with pytest.raises(ProtocolError):
        protocol.encode({"a": "x" * protocol.MAX_REQUEST}, protocol.MAX_REQUEST)


def test_the_largest_frame_passes() -> None:
    payload = b'{"a":"' + b"x" * (protocol.MAX_FRAME - 8) + b'"}'
    assert list(FrameReader().feed(protocol.frame(payload))) == [payload]
    with pytest.raises(ProtocolError):
        protocol.frame(payload + b" ")


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b'"text"',
        b"17",
        b"null",
        b"{} {}",
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":' + b"9" * 50 + b"}",
        b'{"a":"\xff"}',
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b"{'a':1}",
        b"__import__('os')",
    ],
)
def test_what_is_no_object_is_refused(payload: bytes) -> None:
    with pytest.raises(ProtocolError):
        protocol.decode_payload(payload)


def test_a_number_that_json_does_not_know_is_never_sent() -> None:
    with pytest.raises(ValueError, match="JSON"):
        protocol.encode({"a": float("nan")})


def test_the_messages_of_the_protocol() -> None:
    assert protocol.request(1, "ping", {}) == {"type": "request", "id": 1, "method": "ping", "params": {}}
    assert protocol.response(1, {"a": 2}) == {"type": "response", "id": 1, "result": {"a": 2}}
    assert protocol.event("phase", {}) == {"type": "event", "name": "phase", "data": {}}
    assert protocol.event("phase", {}, 7) == {"type": "event", "run": 7, "name": "phase", "data": {}}
    error = protocol.error(3, protocol.BUSY, "m", "h", "d")
    assert error == {"type": "error", "id": 3, "code": "busy", "message": "m", "hint": "h", "detail": "d"}
    hello = protocol.hello("source", 1, "3.9.1")
    assert hello == {"type": "hello", "protocol": 1, "agent": "source", "pid": 1, "python": "3.9.1"}
