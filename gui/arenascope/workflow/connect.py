"""From a name to a device that answers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..domain.board import Board
from ..domain.link_state import LinkKind, LinkState
from ..errors import LinkError, WireError
from ..remote import translate
from ..remote.link import PROBE_TIMEOUT, AgentLink
from ..remote.local import LocalTransport
from ..remote.prompts import NoPrompts, Prompts
from .events import Connecting

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from ..remote.transport import Transport

#: What this computer is called, in lists and in captures.
THIS_COMPUTER = "this computer"
LOCAL = "local"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Device:
    """A connected device. Close it, or use it in a ``with``: that ends everything of ours on it."""

    name: str
    board: Board
    link: AgentLink
    transport: Transport

    @property
    def is_local(self) -> bool:
        return self.transport.is_local

    def close(self) -> None:
        self.link.close()
        self.transport.close()

    def __enter__(self) -> Device:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def connect(
    target: str = LOCAL,
    prompts: Prompts | None = None,
    on_progress: Callable[[Connecting], None] | None = None,
    *,
    probe_runtime: bool = False,
    on_link: Callable[[LinkState], None] | None = None,
) -> Device:
    """Connect to 'local', a saved device, 'user@host[:port]' or an alias of ~/.ssh/config.

    Raises UsageError for a target that cannot be read, LinkError and DeployError for the rest.
    ``probe_runtime`` also asks which runtime works there; that costs a process on the device.
    ``on_link`` hears, on another thread, how the connection to a board is doing.
    """
    tell = on_progress or (lambda event: None)
    name, transport = _transport(target, prompts or NoPrompts(), tell)
    return _connected(name, transport, tell, probe_runtime, on_link)


def connect_python(python: Path) -> Device:
    """This computer, with the runtime of another Python. Raises DeployError where it is none, or too old."""
    transport = LocalTransport(str(python))
    return _connected(transport.name, transport, lambda event: None, True, None)


def _connected(
    name: str,
    transport: Transport,
    tell: Callable[[Connecting], None],
    probe_runtime: bool,
    on_link: Callable[[LinkState], None] | None,
) -> Device:
    link = AgentLink(transport, lambda state: _changed(name, state, on_link))
    try:
        link.open()
        if probe_runtime:
            tell(Connecting(f"Asking {name} what it has"))
        facts = link.request(
            "probe", {"runtime": probe_runtime}, timeout=PROBE_TIMEOUT if probe_runtime else 30
        )
        board = translate.board(facts, name)
    except BaseException as error:
        link.close()
        transport.close()
        if isinstance(error, LinkError):
            _log.info("No connection to %s: %s %s", name, error.message, error.detail)
        raise
    if not transport.is_local:
        _log.info("Connected to %s: %s, Python %s, %s", name, board.machine, board.python, board.kernel)
    return Device(name, board, link, transport)


def refresh(device: Device, *, probe_runtime: bool = False) -> Device:
    """The same device with its facts asked for again (memory available changes)."""
    timeout = PROBE_TIMEOUT if probe_runtime else 30
    with relied_on(device):
        facts = device.link.request("probe", {"runtime": probe_runtime}, timeout=timeout)
        return replace(device, board=translate.board(facts, device.name))


@contextmanager
def relied_on(device: Device) -> Iterator[None]:
    """What the device answers in this block must make sense: a WireError also closes the link to it."""
    try:
        yield
    except WireError:
        device.link.close()
        raise


def _changed(name: str, state: LinkState, on_link: Callable[[LinkState], None] | None) -> None:
    if state.kind is not LinkKind.UP:
        _log.info("The connection to %s is %s: %s", name, state.kind, state.message)
    elif state.lost_seconds is not None:
        _log.info("The connection to %s is back after %.1f s", name, state.lost_seconds)
    if on_link is not None:
        on_link(state)


def _transport(target: str, prompts: Prompts, tell: Callable[[Connecting], None]) -> tuple[str, Transport]:
    if target in (LOCAL, THIS_COMPUTER):
        return THIS_COMPUTER, LocalTransport()
    # Only who connects to a board pays for loading paramiko.
    from ..remote.ssh import SshTransport
    from .devices import resolve

    address = resolve(target)
    if address.kind == LOCAL:
        return THIS_COMPUTER, LocalTransport()
    tell(Connecting(f"Connecting to {address.text}"))

    def note(text: str) -> None:
        _log.info("%s: %s", target, text)
        tell(Connecting(text))

    return target, SshTransport(address, prompts, tell=note)
