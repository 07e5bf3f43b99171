"""A model file taken apart into objects, and put together again so that nothing is lost.

The generated object API forgets three things: the alignment of constants, options of a kind that it does
not know, and files that were appended behind the model. The first and the last are done here, the second
is refused.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any

import flatbuffers
import numpy as np

from .batch_step import NotSafe
from .schema import schema

#: The most that a flatbuffer can hold, less some room for its description.
MOST_BYTES = 2**31 - 2**24
_MOST_ATTACHED = 256 * 1024 * 1024
_ALIGNMENT = 16


class _Constant(schema.BufferT):  # type: ignore[misc]  # the schema is untyped
    """A constant at a multiple of 16, as the schema's ``force_align`` says and kernels rely on."""

    position = 0

    def place(self, builder: flatbuffers.Builder) -> None:
        builder.StartVector(1, len(self.data), _ALIGNMENT)
        builder.head = builder.head - len(self.data)
        builder.Bytes[builder.head : builder.head + len(self.data)] = bytes(self.data)
        self.position = builder.EndVector()

    def Pack(self, builder: flatbuffers.Builder) -> int:
        schema.BufferStart(builder)
        schema.BufferAddData(builder, self.position)
        return int(schema.BufferEnd(builder))


def unpack(data: bytes) -> Any:
    """A ``schema.ModelT``. Raises NotSafe for what would not come out of it again as it went in."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data))
    for buffer in model.buffers or ():
        if buffer.offset > 1:
            raise NotSafe("its constants lie behind the flatbuffer, as in models above 2 GB")
    for graph in model.subgraphs:
        for tensor in graph.tensors or ():
            if tensor.externalBuffer:
                raise NotSafe("a constant lies in another file")
        for index, operator in enumerate(graph.operators or ()):
            _whole(operator, index)
    return model


def _whole(operator: Any, index: int) -> None:
    where = f"operator {index}"
    if operator.largeCustomOptionsOffset > 1:
        raise NotSafe("its options lie behind the flatbuffer, as in models above 2 GB", operator=where)
    for kind, options in (
        (operator.builtinOptionsType, operator.builtinOptions),
        (operator.builtinOptions2Type, operator.builtinOptions2),
    ):
        if kind and options is None:
            raise NotSafe(
                "its options are of a kind that is not known here and would be lost", operator=where
            )


def constant(data: bytes) -> Any:
    """A new buffer for ``model.buffers``."""
    buffer = _Constant()
    buffer.data = np.frombuffer(data, np.uint8)
    return buffer


def pack(model: Any, before: bytes) -> bytes:
    """The bytes of a file; what was appended to the old one, ``before``, is appended again."""
    buffers = [
        constant(bytes(b.data)) if b.data is not None and len(b.data) else b for b in model.buffers or ()
    ]
    size = sum(len(b.data) for b in buffers if b.data is not None)
    if size > MOST_BYTES:
        raise NotSafe("its constants would need more than the 2 GB that a file can have")
    old, model.buffers = model.buffers, buffers
    try:
        builder = flatbuffers.Builder(size + 65536)
        for buffer in buffers:
            if isinstance(buffer, _Constant):
                buffer.place(builder)
        builder.Finish(model.Pack(builder), b"TFL3")
    except (OverflowError, flatbuffers.builder.BuilderSizeError) as error:
        raise NotSafe("the file would be larger than the 2 GB that it can have") from error
    finally:
        model.buffers = old
    return _with_attached(bytes(builder.Output()), before)


def _with_attached(made: bytes, before: bytes) -> bytes:
    """Labels and other files that tools append to a model as a zip archive."""
    if not zipfile.is_zipfile(io.BytesIO(before)):
        return made
    file = io.BytesIO()
    file.write(made)
    try:
        with zipfile.ZipFile(io.BytesIO(before)) as old, zipfile.ZipFile(file, "a") as new:
            if sum(info.file_size for info in old.infolist()) > _MOST_ATTACHED:
                raise NotSafe("the files attached to it are too large to be carried over")
            for info in old.infolist():
                new.writestr(info, old.read(info))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError) as error:
        raise NotSafe("the files attached to it cannot be read, so they would be lost") from error
    return file.getvalue()
