"""LSTM, RNN and SVDF. Float models with quantized weights ("hybrid") need the most."""

from __future__ import annotations

from .call import Call, Kernel, Row, Scratch, UnknownScratch

_QUANTIZED = ("int8", "uint8")
BASIC = 1  # LSTMKernelType
#: Positions of an LSTM's inputs.
_TO_INPUT_GATE, _TO_OUTPUT_GATE, _PROJECTION, _STATE = 1, 4, 16, 18
#: And of one in two directions: the second's first weights, the states, the auxiliary input.
_SECOND, _STATES, _AUXILIARY = 18, 35, 39


def lstm(call: Call) -> tuple[Scratch, ...]:
    """LSTM of one step, and over a sequence."""
    if call.operator.option("KernelType") == BASIC:
        return ()
    shape, sequence = call.shape(0), call.operator.name != "LSTM"
    batch = shape[1] if call.operator.option("TimeMajor") else shape[0]
    cells = call.shape(_TO_OUTPUT_GATE)[0]
    if call.tensor(0).dtype != "float32":
        return _lstm_integer(call, batch, cells, sequence)
    row = Row()
    gates = 4 if call.has(_TO_INPUT_GATE) else 3
    newer = call.since((2, 10))
    row.arena("gates", "float32", batch, cells * (gates + newer) + (16 if newer and sequence else 0))
    weights = call.tensor(_TO_OUTPUT_GATE).dtype
    if weights in _QUANTIZED:
        if call.operator.option("Sparse"):
            raise UnknownScratch("its weights are sparse")
        row.arena("quantized input", weights, *shape)
        row.arena("quantized output state", weights, *call.shape(_STATE))
        row.arena("quantized cell state", weights, *call.shape(_STATE + 1))
        for role in ("input", "output state", "cell state"):
            row.arena(f"scaling factors of the {role}", "float32", batch)
        row.arena("recovered cell weights", "float32", cells)
        row.arena("accumulators", "int32", cells, batch)
        row.arena("zero points of the input", "float32", batch)
        row.arena("zero points of the output state", "float32", batch)
        rows = 2 * gates + call.has(_PROJECTION)
        row.kept("row sums", "int32", rows, cells, name=call.name("Lstm_row_sums"))
    return row.done()


def _lstm_integer(call: Call, batch: int, cells: int, sequence: bool) -> tuple[Scratch, ...]:
    intermediates = call.operator.option("Intermediates")
    row = Row()
    if sequence or intermediates == 5:
        for gate in ("input", "forget", "cell", "output"):
            row.arena(f"{gate} gate", "int16", batch, cells)
        row.arena("hidden state", "int8", batch, cells)
        row.arena("accumulators", "int32", batch, cells)
        return row.done()
    raise UnknownScratch(f"an integer LSTM with {intermediates} intermediate tensors")


def bidirectional_lstm(call: Call) -> tuple[Scratch, ...]:
    """The first direction's gates have sixteen numbers more than the second's."""
    shape, weights = call.shape(0), call.tensor(_TO_OUTPUT_GATE).dtype
    batch = shape[1] if call.operator.option("TimeMajor") else shape[0]
    second = _SECOND - 1
    cells = [call.shape(_TO_OUTPUT_GATE)[0], call.shape(second + _TO_OUTPUT_GATE)[0]]
    gates = [4 if call.has(first + _TO_INPUT_GATE) else 3 for first in (0, second)]
    row, newer = Row(), call.since((2, 10))
    for units, count, more in zip(cells, gates, (16, 0), strict=True):
        row.arena("gates", "float32", batch, units * (count + newer) + (more if newer else 0))
    if weights in _QUANTIZED:
        if call.has(_AUXILIARY) or cells[0] != cells[1] or gates[0] != gates[1] or call.has(_PROJECTION):
            raise UnknownScratch("its two directions differ, or it has a projection or an auxiliary input")
        row.arena("quantized input", weights, *shape)
        for position in (0, 2, 1, 3):  # outputs, then cells
            row.arena("quantized state", weights, *call.shape(_STATES + position))
        for _ in range(4):
            row.arena("scaling factors", "float32", batch)
        row.arena("recovered cell weights", "float32", cells[0])
        row.arena("accumulators", "int32", cells[0], batch)
        for _ in range(3):
            row.arena("zero points", "float32", batch)
        row.kept("row sums of the first direction", "int32", 2 * gates[0], cells[0])
        row.kept("row sums of the second direction", "int32", 2 * gates[1], cells[1])
    return row.done()


def rnn(call: Call) -> tuple[Scratch, ...]:
    """RNN of one step, and over a sequence."""
    weights, row = call.tensor(1), Row()
    if call.tensor(0).dtype == "float32" and weights.dtype in _QUANTIZED:
        shape, units = call.shape(0), call.shape(1)[0]
        batch = shape[1] if call.operator.option("TimeMajor") else shape[0]
        row.arena("quantized input", weights.dtype, *shape)
        row.arena("quantized state", weights.dtype, *call.shape(4))
        row.arena("scaling factors", "float32", batch)
        row.arena("accumulators", "int32", units, batch)
        row.arena("zero points", "int32", batch)
        name = call.name("Rnn_row_sums") if call.operator.name == "RNN" else ""
        row.kept("row sums", "int32", 2, units, name=name)
    return row.done()


def bidirectional_rnn(call: Call) -> tuple[Scratch, ...]:
    weights, row = call.tensor(1), Row()
    if call.tensor(0).dtype == "float32" and weights.dtype in _QUANTIZED:
        if call.has(9):
            raise UnknownScratch("it has an auxiliary input")
        shape, forward, backward = call.shape(0), call.shape(1)[0], call.shape(5)[0]
        batch = shape[1] if call.operator.option("TimeMajor") else shape[0]
        row.arena("quantized input", weights.dtype, *shape)
        row.arena("quantized forward state", weights.dtype, *call.shape(4))
        row.arena("quantized backward state", weights.dtype, *call.shape(8))
        row.arena("scaling factors", "float32", batch)
        row.arena("accumulators", "int32", max(forward, backward), batch)
        row.arena("zero points", "int32", batch)
        row.kept("forward row sums", "int32", 2, forward, name=call.name("Lstm_fw_row_sums"))
        row.kept("backward row sums", "int32", 2, backward, name=call.name("Lstm_bw_row_sums"))
    return row.done()


def svdf(call: Call) -> tuple[Scratch, ...]:
    row = Row()
    batch, filters = call.shape(0)[0], call.shape(1)[0]
    if call.tensor(0).dtype == "int8":
        row.arena("products", "int32", batch, filters)
        row.arena("sums", "int32", call.output_shape()[-1], batch)
        return row.done()
    row.arena("products", "float32", batch, filters)
    weights = call.tensor(1).dtype
    if weights in _QUANTIZED:
        row.arena("quantized input", weights, *call.shape(0))
        row.arena("scaling factors", "float32", batch)
        row.kept("weights in time", "float32", *call.shape(2), name=call.name("Svdf_row_sums"))
        row.arena("zero points", "float32", batch)
        row.kept("row sums", "float32", filters)
    return row.done()


KERNELS: dict[str, Kernel] = {
    "LSTM": lstm,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": lstm,
    "BIDIRECTIONAL_SEQUENCE_LSTM": bidirectional_lstm,
    "RNN": rnn,
    "UNIDIRECTIONAL_SEQUENCE_RNN": rnn,
    "BIDIRECTIONAL_SEQUENCE_RNN": bidirectional_rnn,
    "SVDF": svdf,
}
