"""The system's keyring, and which secrets of ours it holds.

It is opened only for a secret that the user once asked to keep: our own list has the names of those, and
no secret. Whatever a keyring does, it never stands in the way of a login; it says why it cannot help.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import Any

from ..domain.plain_text import plain
from ..settings import places

SERVICE = "arenascope"
#: Seconds for the keyring, which may ask the user to unlock it.
TIMEOUT = 120.0


class KeyringFailed(Exception):
    """The keyring cannot do it; the text says why."""


def get(name: str) -> str | None:
    """A secret that is kept; None for one that is not, without opening the keyring. KeyringFailed."""
    if name not in _names():
        return None
    secret = _ask(lambda keyring: keyring.get_password(SERVICE, name))
    return secret if isinstance(secret, str) and secret else None


def put(name: str, secret: str) -> None:
    """Keep a secret. KeyringFailed; then nothing is kept."""
    before = _names()
    _write(before | {name})  # first: what the keyring holds must be found again
    try:
        _ask(lambda keyring: keyring.set_password(SERVICE, name, secret))
    except KeyringFailed:
        _write(before)
        raise


def forget(name: str) -> bool:
    """Remove a secret from the keyring and from the list; whether there was one.

    KeyringFailed when the keyring does not do it; the list still has it then.
    """
    if name not in _names():
        return False

    def delete(keyring: Any) -> None:
        if keyring.get_password(SERVICE, name) is not None:
            keyring.delete_password(SERVICE, name)

    _ask(delete)
    _write(_names() - {name})
    return True


def holds(name: str) -> bool:
    """Whether the user asked once to keep this secret."""
    return name in _names()


def _ask(what: Callable[[Any], Any]) -> Any:
    """On a thread of its own: a keyring's backends raise and wait as they like."""
    answer: Future[Any] = Future()

    def work() -> None:
        try:
            import keyring
            from keyring.backends.fail import Keyring as Nothing

            if isinstance(keyring.get_keyring(), Nothing):
                raise KeyringFailed("this computer has none that is set up")
            answer.set_result(what(keyring))
        except BaseException as error:  # noqa: BLE001 - handed over to whoever waits
            answer.set_exception(error)

    threading.Thread(target=work, name="keyring", daemon=True).start()
    try:
        error = answer.exception(TIMEOUT)
    except FutureTimeout:
        raise KeyringFailed(f"it did not answer within {TIMEOUT:g} s") from None
    if isinstance(error, KeyringFailed):
        raise error
    if error is not None:
        # The text of an error of a backend may repeat what it was given.
        raise KeyringFailed(f"it failed with {plain(type(error).__name__, 60)}") from None
    return answer.result()


def _list() -> Path:
    return places().config / "remembered"


def _names() -> set[str]:
    try:
        return set(_list().read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError):
        return set()


def _write(names: set[str]) -> None:
    path = _list()
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write("".join(f"{name}\n" for name in sorted(names)))
        fresh.replace(path)
    except OSError as error:
        raise KeyringFailed(f"{path} cannot be written: {error.strerror}") from error
