"""The secrets of one connection: where they come from, and what becomes of them.

A secret that let us in is kept in memory, for the connection to be made again by itself. It goes to the
system's keyring only if the person who typed it says so. It is never written, logged or exported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from . import system_keyring
from .prompts import Prompts, passphrase_of, password_of
from .ssh_config import HostConfig
from .system_keyring import KeyringFailed


@dataclass(frozen=True, slots=True)
class Secret:
    """A password or a passphrase. ``what`` says which, ``name`` is its name in the keyring."""

    text: str = field(repr=False)
    name: str
    what: str
    source: str  # TYPED, KEPT or MEMORY


TYPED, KEPT, MEMORY = "typed", "kept", "memory"


def account(config: HostConfig) -> str:
    """The name of a password in the keyring."""
    host = f"[{config.host}]" if ":" in config.host else config.host
    return f"{config.user}@{host}:{config.port}"


class Vault:
    """``tell`` hears what is to be known of the keyring, in a sentence."""

    def __init__(self, prompts: Prompts, tell: Callable[[str], None]) -> None:
        self._prompts = prompts
        self._tell = tell
        self._memory: dict[str, Secret] = {}

    def passwords(self, config: HostConfig) -> Secrets:
        user, host = config.user, config.host
        ask = self._prompts.password
        return Secrets(self, account(config), password_of(user, host), lambda: ask(user, host))

    def passphrases(self, path: Path) -> Secrets:
        ask = self._prompts.passphrase
        return Secrets(self, f"key {path}", passphrase_of(path), lambda: ask(path))

    def recall(self, name: str, what: str) -> Secret | None:
        """What is known without asking a person."""
        if name in self._memory:
            return self._memory[name]
        try:
            text = system_keyring.get(name)
        except KeyringFailed as reason:
            self._tell(f"The system keyring cannot be asked for {what}: {reason}")
            return None
        return None if text is None else Secret(text, name, what, KEPT)

    def proven(self, secret: Secret) -> None:
        """It let us in."""
        self._memory[secret.name] = Secret(secret.text, secret.name, secret.what, MEMORY)
        if secret.source != TYPED:
            return
        try:
            if self._prompts.remember(secret.what):
                system_keyring.put(secret.name, secret.text)
            else:
                system_keyring.forget(secret.name)  # one that is kept was refused
        except KeyringFailed as reason:
            self._tell(f"The system keyring does not keep {secret.what}: {reason}")

    def refused(self, secret: Secret) -> None:
        self._memory.pop(secret.name, None)
        if secret.source == KEPT:
            self._tell(f"In the system keyring, {secret.what} is one that is refused now")


class Secrets:
    """One secret of one login: what is known first, then, as often as wanted, what a person types."""

    def __init__(self, vault: Vault, name: str, what: str, ask: Callable[[], str | None]) -> None:
        self._vault = vault
        self._name = name
        self._what = what
        self._ask = ask
        self._recalled = False

    def next(self) -> Secret | None:
        """None when the person gives up."""
        if not self._recalled:
            self._recalled = True
            known = self._vault.recall(self._name, self._what)
            if known is not None:
                return known
        text = self._ask()
        return None if text is None else Secret(text, self._name, self._what, TYPED)


def forget(config: HostConfig) -> bool:
    """Remove the password of an account from the keyring; whether one was kept. KeyringFailed."""
    return system_keyring.forget(account(config))
