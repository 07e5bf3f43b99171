"""Models of several subgraphs: loops, branches, resource variables, signatures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .builder import GraphBuilder, ModelBuilder, Weights, options


def while_loop() -> bytes:
    """WHILE: x is changed eight times; condition and body are subgraphs with arenas of their own."""
    return loop("eight turns of a loop", limit=8)


def hang_while() -> bytes:
    """WHILE whose condition is never false: loads, allocates, and never returns from invoke."""
    return loop("a loop without end", limit=None)


def loop(
    description: str, limit: int | None, more: Callable[[GraphBuilder, int], None] = lambda graph, x: None
) -> bytes:
    """A loop of ``limit`` turns, None: without end. ``more`` adds to the main graph what is made of its end."""
    model = ModelBuilder(description)
    main = model.subgraph("main")
    counter = main.input("counter", [1], "int32")
    x = main.input("x", [1, 16])
    if limit is None:
        start = counter
    else:  # begin at zero, whatever the input holds
        zero = main.constant("zero", np.zeros(1, np.int32))
        start = main.op("MUL", [counter, zero], ("start", [1]), options=options("Mul"))
    made = options("While", condSubgraphIndex=1, bodySubgraphIndex=2)
    main.op("WHILE", [start, x], ("turns", [1]), ("x_end", [1, 16], "float32"), options=made)
    end = len(main.table.tensors) - 1
    main.output(end - 1, main.op("TANH", [end], ("y", [1, 16])))
    more(main, end)

    cond = model.subgraph("cond")
    inside = cond.input("cond/counter", [1], "int32")
    cond.input("cond/x", [1, 16])
    if limit is None:
        cond.output(cond.op("EQUAL", [inside, inside], ("cond/go_on", [1], "bool"), options=options("Equal")))
    else:
        bound = cond.constant("cond/limit", np.array([limit], np.int32))
        cond.output(cond.op("LESS", [inside, bound], ("cond/go_on", [1], "bool"), options=options("Less")))

    body = model.subgraph("body")
    inside = body.input("body/counter", [1], "int32")
    value = body.input("body/x", [1, 16])
    one = body.constant("body/one", np.ones(1, np.int32))
    step = body.constant("body/step", np.full((1, 16), 0.125, np.float32))
    body.output(
        body.op("ADD", [inside, one], ("body/next", [1]), options=options("Add")),
        body.op("ADD", [body.op("TANH", [value], ("body/tanh", [1, 16])), step], ("body/x_next", [1, 16]),
                options=options("Add")),
    )  # fmt: skip
    return model.build()


def if_branch() -> bytes:
    """IF: both branches are allocated, one runs."""
    model = ModelBuilder("tanh or square")
    main = model.subgraph("main")
    which = main.input("which", [1], "bool")
    x = main.input("x", [1, 16])
    chosen = main.op(
        "IF", [which, x], ("chosen", [1, 16], "float32"),
        options=options("If", thenSubgraphIndex=1, elseSubgraphIndex=2),
    )  # fmt: skip
    main.output(main.op("TANH", [chosen], ("y", [1, 16])))
    then = model.subgraph("then")
    inside = then.input("then/x", [1, 16])
    then.output(then.op("TANH", [inside], ("then/y", [1, 16])))
    other = model.subgraph("else")
    inside = other.input("else/x", [1, 16])
    squared = other.op("MUL", [inside, inside], ("else/squared", [1, 16]), options=options("Mul"))
    other.output(other.op("TANH", [squared], ("else/y", [1, 16])))
    return model.build()


def resource_variable() -> bytes:
    """CALL_ONCE sets a resource variable, the main graph adds to it: handles are object tensors."""
    model = ModelBuilder("a counter kept between calls")
    main = model.subgraph("main")
    x = main.input("x", [1, 4])
    main.op("CALL_ONCE", [], options=options("CallOnce", initSubgraphIndex=1))
    handle = _handle(main, "main/handle")
    kept = main.op("READ_VARIABLE", [handle], ("kept", [1, 4], "float32"), options=options("ReadVariable"))
    total = main.op("ADD", [kept, x], ("total", [1, 4]), options=options("Add"))
    main.op("ASSIGN_VARIABLE", [handle, total], options=options("AssignVariable"))
    main.output(total)
    init = model.subgraph("init")
    init.op(
        "ASSIGN_VARIABLE",
        [_handle(init, "init/handle"), init.constant("init/zeros", np.zeros((1, 4), np.float32))],
        options=options("AssignVariable"),
    )
    return model.build()


def _handle(graph: GraphBuilder, name: str) -> int:
    made = options("VarHandle", container="", sharedName="total")
    return graph.op("VAR_HANDLE", [], (name, [], "resource"), options=made)


def two_signatures() -> bytes:
    """Two signatures, each with a subgraph of its own, and metadata."""
    model, weights = ModelBuilder("encode and decode"), Weights(11)
    for index, (key, wide, narrow) in enumerate((("encode", 24, 6), ("decode", 6, 24))):
        graph = model.subgraph(key)
        x = graph.input(f"{key}_x:0", [1, wide])
        kernel = graph.constant(f"{key}/kernel", weights.uniform(narrow, wide))
        y = graph.op(
            "FULLY_CONNECTED", [x, kernel, -1], (f"{key}_y:0", [1, narrow]), options=options("FullyConnected")
        )
        graph.output(y)
        model.signature(key, index, {"x": x}, {"y": y})
    model.metadata("min_runtime_version", b"1.5.0".ljust(16, b"\0"))
    return model.build()
