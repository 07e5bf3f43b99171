"""What a tensor is in the model, in one word of theme.json: the colour of its block."""

from __future__ import annotations

from .layout import Kind, Placement

ROLES = ("input", "activation", "output", "scratch", "persistent", "dynamic", "delegate", "constant")

_BY_KIND = {
    Kind.ARENA_RW_PERSISTENT: "persistent",
    Kind.DYNAMIC: "dynamic",
    Kind.CUSTOM: "dynamic",
    Kind.DELEGATE: "delegate",
    Kind.MMAP_RO: "constant",
    Kind.PERSISTENT_RO: "constant",
}


def role_of(placement: Placement) -> str:
    """One of ROLES. In the arena: nobody makes an input, nobody reads an output, a temporary is scratch."""
    if placement.kind in _BY_KIND:
        return _BY_KIND[placement.kind]
    if placement.temporary:
        return "scratch"
    if placement.producer is None:
        return "input"
    return "activation" if placement.consumers else "output"
