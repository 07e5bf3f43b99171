"""The order in which ways to log in are tried, and when a person is asked.

Policy only: ``ssh.py`` holds the session and the keys. As ssh(1): keys of the agent, key files, locked
key files (a passphrase is asked for), then a password. A server hangs up after some refusals (OpenSSH:
six), or when a person thinks too long; a dead session is opened again and the next way tried on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from ..errors import AuthenticationError
from .prompts import Prompts
from .ssh_config import HostConfig

#: How often a person may mistype a secret.
ATTEMPTS = 3
_MAX_RECONNECTS = 8

#: What ssh(1) tries when no IdentityFile is configured. DSA is gone from both sides.
DEFAULT_IDENTITIES = ("id_rsa", "id_ecdsa", "id_ed25519")


@dataclass(frozen=True, slots=True)
class Key:
    """A key that can sign. ``blob`` is its public half, ``handle`` the session's own object for it."""

    label: str
    blob: bytes
    handle: Any = field(repr=False)


class LockedKey(Exception):
    """The file is encrypted, and the passphrase is missing or wrong."""


class UnusableKey(Exception):
    """The file is no private key, or of a kind that is not supported. The text says which."""


class HungUp(Exception):
    """The server ended the session instead of answering."""


class KeyStore(Protocol):
    """The private keys of this computer."""

    def agent_keys(self) -> list[Key]: ...

    def load(self, path: Path, passphrase: str | None) -> Key:
        """LockedKey, UnusableKey, or FileNotFoundError."""

    def public_blob(self, path: Path) -> bytes | None:
        """The public half in ``path.pub``, where there is one."""


class Session(Protocol):
    """An encrypted connection. Each try returns what the server still asks for: [] is logged in, None
    refused. HungUp when the session ended instead."""

    def is_alive(self) -> bool: ...

    def methods(self, user: str) -> list[str]: ...

    def try_key(self, user: str, key: Key) -> list[str] | None: ...

    def try_password(self, user: str, secret: str) -> list[str] | None: ...

    def try_questions(self, user: str, secret: str) -> list[str] | None:
        """keyboard-interactive, which is how many servers ask for nothing but the password."""

    def close(self) -> None: ...


S = TypeVar("S", bound=Session)


@dataclass(frozen=True, slots=True)
class _Way(Generic[S]):
    label: str
    go: Callable[[S], list[str] | None]


class Login(Generic[S]):
    """One login: ``run`` returns a session that is in."""

    def __init__(
        self,
        config: HostConfig,
        prompts: Prompts,
        keys: KeyStore,
        ssh_dir: Path,
        open_session: Callable[[], S],
    ) -> None:
        self._config = config
        self._prompts = prompts
        self._keys = keys
        self._ssh_dir = ssh_dir
        self._open = open_session
        self._asked_for: list[str] = []
        self._tried: list[str] = []
        self._seen: set[bytes] = set()
        self._reconnects = 0

    def run(self) -> S:
        """AuthenticationError when no way is left; whatever opening a session raises."""
        self._session = self._begin()
        try:
            for way in self._ways():
                left = self._go(way)
                if left is None:
                    self._tried.append(way.label)
                else:
                    self._asked_for = left  # not empty: the server wants a second proof
                if not self._asked_for:
                    return self._session
            raise self._refused()
        except BaseException:
            self._session.close()
            raise

    def _go(self, way: _Way[S]) -> list[str] | None:
        """Try a way; once more on a new session when the server hung up, which says nothing about it."""
        for _ in range(2):
            if not self._session.is_alive():
                self._reconnect()
            try:
                return way.go(self._session)
            except HungUp:
                continue
        return None

    def _reconnect(self) -> None:
        self._reconnects += 1
        if self._reconnects > _MAX_RECONNECTS:
            raise self._refused()
        self._session.close()
        self._session = self._begin()

    def _begin(self) -> S:
        session = self._open()
        try:
            self._asked_for = session.methods(self._config.user)
        except BaseException:
            session.close()
            raise
        return session

    def _ways(self) -> Iterator[_Way[S]]:
        """The ways in their order. Runs on as they are asked for, so nobody is asked too early."""
        if not self._asked_for:
            yield _Way("nothing", lambda session: [])
        if "publickey" in self._asked_for:
            yield from self._agent_and_files()
        for _ in range(ATTEMPTS):
            if not {"password", "keyboard-interactive"}.intersection(self._asked_for):
                return
            secret = self._prompts.password(self._config.user, self._config.host)
            if secret is None:
                return
            yield self._with_password(secret)

    def _with_password(self, secret: str) -> _Way[S]:
        user = self._config.user
        if "password" in self._asked_for:
            return _Way("a password", lambda session: session.try_password(user, secret))
        return _Way("a password", lambda session: session.try_questions(user, secret))

    def _agent_and_files(self) -> Iterator[_Way[S]]:
        files = self._config.identity_files or tuple(self._ssh_dir / name for name in DEFAULT_IDENTITIES)
        public = {path: self._keys.public_blob(path) for path in files}
        configured = set(public.values())
        for key in sorted(self._keys.agent_keys(), key=lambda key: key.blob not in configured):
            if not self._config.identities_only or key.blob in configured:
                yield from self._with_key(key)
        locked = []
        for path in files:
            if public[path] in self._seen:
                continue  # the agent holds it, and it was refused
            try:
                yield from self._with_key(self._keys.load(path, None))
            except LockedKey:
                locked.append(path)
            except UnusableKey as reason:
                self._tried.append(f"{path} (cannot be used: {reason})")
            except FileNotFoundError:
                if self._config.identity_files:
                    self._tried.append(f"{path} (is not there)")
        for path in locked:
            yield from self._unlocked(path)

    def _with_key(self, key: Key) -> Iterator[_Way[S]]:
        if "publickey" in self._asked_for and key.blob not in self._seen:
            self._seen.add(key.blob)
            yield _Way(key.label, lambda session: session.try_key(self._config.user, key))

    def _unlocked(self, path: Path) -> Iterator[_Way[S]]:
        for _ in range(ATTEMPTS):
            secret = self._prompts.passphrase(path)
            if secret is None:
                break
            try:
                key = self._keys.load(path, secret)
            except LockedKey:
                continue
            yield from self._with_key(key)
            return
        self._tried.append(f"{path} (locked by a passphrase)")

    def _refused(self) -> AuthenticationError:
        tried = ", ".join(dict.fromkeys(self._tried)) or "nothing: no key was found and no password given"
        return AuthenticationError(
            f"{self._config.host} does not let {self._config.user} in.",
            detail=f"Tried {tried}. The device asks for: {', '.join(self._asked_for)}.",
        )
