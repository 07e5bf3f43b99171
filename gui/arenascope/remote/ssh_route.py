"""The hosts that lead to a device: those that ProxyJump names, one after the other, and the device itself.

As ssh(1) does it: of several jumps the first is reached directly (or as its own configuration says), each
next one through the one before; user, port, keys and known_hosts of a hop are those of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..domain.plain_text import plain
from ..errors import LinkError, UsageError
from .address import Address, parse_address
from .ssh_config import HostConfig, host_config

#: More than anybody has; a configuration that leads in a circle ends here.
MAX_HOPS = 8


@dataclass(frozen=True, slots=True)
class Hop:
    """A host on the way. ``name`` and ``shown`` (the bare host) are for messages; ``before`` is the name
    of the hop through which it is reached, None for the first."""

    config: HostConfig
    name: str
    shown: str
    before: str | None


def route(address: Address, ssh_dir: Path) -> tuple[Hop, ...]:
    """The hops in the order in which they are reached; the last is the device.

    LinkError where the configuration names no way that can be gone.
    """
    target = address.text
    *jumps, last = _configs(address, ssh_dir, None, target, 0)
    hops: list[Hop] = []
    before = None
    for config in jumps:
        where = f" (on the way to {target})"
        hops.append(Hop(config, config.alias + where, config.host + where, before))
        before = hops[-1].name
    return (*hops, Hop(last, target, last.host, before))


def _configs(
    address: Address, ssh_dir: Path, via: tuple[str, ...] | None, target: str, depth: int
) -> list[HostConfig]:
    """``via``: the jumps to take instead of those that the host's own configuration names."""
    if depth >= MAX_HOPS:
        raise LinkError(
            f"The way to {target} leads over more than {MAX_HOPS} hosts, perhaps in a circle.",
            hint="Look at ProxyJump in ~/.ssh/config; a jump host itself needs the line: ProxyJump none",
        )
    config = host_config(address, ssh_dir)
    jumps = config.jumps if via is None else via
    if not jumps:
        return [config]
    through = _parsed(jumps[-1], address)
    return [*_configs(through, ssh_dir, jumps[:-1] or None, target, depth + 1), config]


def _parsed(text: str, address: Address) -> Address:
    try:
        return parse_address(text if text.startswith("ssh://") else f"ssh://{text}")
    except UsageError as error:
        raise LinkError(
            f"ProxyJump for {address.host} names “{plain(text, 80)}”, which is no address.",
            hint="Write it in ~/.ssh/config as host, user@host or user@host:port; several with commas.",
        ) from error
