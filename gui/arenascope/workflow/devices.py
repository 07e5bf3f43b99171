"""The boards that are known by a name: which there are, adding, checking and forgetting one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ..domain.board import Board
from ..errors import LinkError, StoreError, UsageError
from ..remote import system_keyring, vault
from ..remote.address import Address, parse_address
from ..remote.prompts import Prompts
from ..remote.ssh_config import host_config
from ..settings import places
from ..store import devices as store
from ..store.devices import SavedDevice
from .connect import LOCAL, THIS_COMPUTER, connect
from .events import Connecting

_NAME = re.compile(r"[^\s@:/\[\]\x00-\x1f\x7f][^@:/\[\]\x00-\x1f\x7f]{0,63}")


@dataclass(frozen=True, slots=True)
class Added:
    """A device that answered, and is saved now."""

    device: SavedDevice
    board: Board


def list_devices() -> tuple[SavedDevice, ...]:
    """The saved devices in the order they were added. StoreError when the list is damaged."""
    return store.load(places().devices)


def resolve(target: str) -> Address:
    """The address behind a saved name, or the target itself as an address. UsageError, StoreError."""
    target = target.strip()
    if _NAME.fullmatch(target):  # what holds @ or : cannot be a name, so a damaged list does not matter
        for device in list_devices():
            if device.name == target:
                return parse_address(device.address)
    return parse_address(target)


def add(
    address: str,
    name: str | None = None,
    prompts: Prompts | None = None,
    on_progress: Callable[[Connecting], None] | None = None,
) -> Added:
    """Connect to a device, which is where an unknown host key is asked about, and save it.

    ``name`` is by default its host. Raises UsageError for a name that cannot be taken, and what
    ``connect`` raises; then nothing is saved.
    """
    parsed = parse_address(address)
    if parsed.kind == LOCAL:
        raise UsageError("This computer need not be added.", hint="Use it as: --device local")
    device = SavedDevice(_free_name(name or parsed.host), parsed.text)
    with connect(device.address, prompts, on_progress, probe_runtime=True) as connected:
        board = replace(connected.board, name=device.name)  # by which it is called from now on
    saved = list_devices()
    store.save((*(one for one in saved if one.name != device.name), device), places().devices)
    return Added(device, board)


def check(
    target: str,
    prompts: Prompts | None = None,
    on_progress: Callable[[Connecting], None] | None = None,
) -> Board:
    """What a device is and has, the runtime included. Raises what ``connect`` raises."""
    with connect(target, prompts, on_progress, probe_runtime=True) as device:
        return device.board


def forget(name: str) -> SavedDevice:
    """Remove a device from the list, and its password from the system's keyring. Its host key stays known.

    UsageError when there is none; StoreError when the keyring does not give the password up, though the
    device is off the list then.
    """
    saved = list_devices()
    for device in saved:
        if device.name == name:
            rest = tuple(one for one in saved if one is not device)
            store.save(rest, places().devices)
            _forget_password(device, rest)
            return device
    known = ", ".join(one.name for one in saved)
    raise UsageError(
        f"No device is saved under the name “{name}”.",
        hint=f"Saved are: {known}." if known else "No device is saved.",
    )


def _forget_password(device: SavedDevice, others: tuple[SavedDevice, ...]) -> None:
    account = _account(device)
    if account is None or account in map(_account, others):
        return
    try:
        system_keyring.forget(account)
    except system_keyring.KeyringFailed as reason:
        raise StoreError(
            f"{device.name} is forgotten, but the system keyring still holds its password: {reason}.",
            hint=f"Remove the entry {account} of {system_keyring.SERVICE} with the keyring's own program.",
        ) from reason


def _account(device: SavedDevice) -> str | None:
    """The name of its password in the keyring; None where that cannot be told any more."""
    try:
        return vault.account(host_config(parse_address(device.address), Path.home() / ".ssh"))
    except (LinkError, UsageError):
        return None


def _free_name(name: str) -> str:
    name = name.strip()
    if name in (LOCAL, THIS_COMPUTER) or not _NAME.fullmatch(name):
        raise UsageError(
            f"“{name}” cannot be the name of a device.",
            hint="Choose a name without @ : / or brackets, of at most 64 characters, other than “local”.",
        )
    if any(device.name == name for device in list_devices()):
        raise UsageError(
            f"A device named “{name}” is saved already.",
            hint=f"Choose another name, or remove it first: arenascope devices forget {name}",
        )
    return name
