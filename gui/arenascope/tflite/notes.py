"""What the owner of a model should know about its file before any figure is taken."""

from __future__ import annotations

from pathlib import Path

from ..domain.graph import Graph, Tensor
from ..domain.units import format_bytes
from .reader import walk_file
from .source import opened

#: Smaller constants of zeros (biases, padding) are normal and cost nothing worth a word.
_LARGE = 1024 * 1024

#: Bytes compared at a time, and bytes looked at before a whole constant is read.
_PIECE = 1024 * 1024
_SAMPLE = 4096


def notes(path: Path, graph: Graph) -> tuple[str, ...]:
    """Sentences about the file of ``graph``; most often none.

    A large constant that is all zeros is told (a Keras LSTM keeps its TensorArray so, 131 MB of it:
    tflite-memory.md §10). Constants of real weights cost two reads of a page each.

    Raises FileError and ModelError as ``reader.read_model``.
    """
    constants = _large_constants(graph)
    if not constants:
        return ()
    buffers = walk_file(path, lambda walk: walk.buffers)
    zeros = [tensor for tensor in constants if _all_zero(path, *buffers[tensor.buffer])]
    return tuple(_zero_note(tensor) for tensor in zeros)


def _large_constants(graph: Graph) -> list[Tensor]:
    """One tensor for each large buffer."""
    found = {
        tensor.buffer: tensor
        for subgraph in graph.subgraphs
        for tensor in subgraph.tensors
        if tensor.buffer_bytes >= _LARGE
    }
    return list(found.values())


def _all_zero(path: Path, offset: int, length: int) -> bool:
    with opened(path) as file:
        for start in (offset, offset + length // 2, offset + length - _SAMPLE):
            file.seek(start)
            if file.read(_SAMPLE).strip(b"\0"):
                return False
        file.seek(offset)
        zeros = bytes(_PIECE)
        while length > 0:
            piece = file.read(min(length, _PIECE))
            if not piece or piece != zeros[: len(piece)]:
                return False
            length -= len(piece)
    return True


def _zero_note(tensor: Tensor) -> str:
    return (
        f"The constant {tensor.name or f'tensor {tensor.index}'} keeps {format_bytes(tensor.buffer_bytes)} "
        "of zeros in the file. Converters do this for an array that a loop fills (Keras LSTM, TensorArray); "
        "it grows with the batch. Convert with a smaller fixed batch, or make the zeros in the graph."
    )
