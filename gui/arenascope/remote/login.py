"""The order in which ways to log in are tried, and when a person is asked.

Policy only: ``ssh_session.py`` holds the session and the keys, ``vault.py`` the secrets. As ssh(1): keys of
the agent, key files, locked key files (a passphrase is asked for), then a password or what else the server
asks. It may want several proofs, one after the other (a key and a code). A server hangs up after some
refusals (OpenSSH: six), or when a person thinks too long; a dead session is opened again, what was proven
is proven again, and the next way tried on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from ..errors import AuthenticationError, LinkLost
from .prompts import Prompts, Question
from .ssh_config import HostConfig
from .vault import TYPED, Secret, Vault

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


class GaveUp(Exception):
    """The person does not answer."""


@dataclass(frozen=True, slots=True)
class Round:
    """What a server wants to know at once; without questions, what it wants to be read. Safe to show."""

    title: str
    instructions: str
    questions: tuple[Question, ...]

    @property
    def is_password(self) -> bool:
        """Whether this is how the server asks for nothing but the password of the account."""
        return (
            len(self.questions) == 1
            and not self.questions[0].shown
            and _PASSWORD.fullmatch(self.questions[0].text) is not None
        )


#: "Password:", "pi@board's password:", "Password for pi@board:"; not one that is new, current or for once.
_PASSWORD = re.compile(r"\s*(?:\(?\S+@\S+?\)?(?:'s)?\s+)?password(?: for \S+?)?\s*:?\s*", re.IGNORECASE)

Answering = Callable[[Round], "list[str] | None"]


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

    def try_questions(self, user: str, answer: Answering) -> list[str] | None:
        """keyboard-interactive: ``answer`` is called for each round of questions, on this thread.

        GaveUp when it has no answers; the session has ended then.
        """

    def close(self) -> None: ...


S = TypeVar("S", bound=Session)


@dataclass(frozen=True, slots=True)
class _Way(Generic[S]):
    """``again``: whether it can be gone once more without a person."""

    label: str
    go: Callable[[S], list[str] | None]
    again: bool = True


class Login(Generic[S]):
    """One login: ``run`` returns a session that is in."""

    def __init__(
        self,
        config: HostConfig,
        prompts: Prompts,
        vault: Vault,
        keys: KeyStore,
        ssh_dir: Path,
        open_session: Callable[[], S],
        *,
        shown: str | None = None,
    ) -> None:
        """``shown``: how the host is called in messages."""
        self._config = config
        self._prompts = prompts
        self._passwords = vault.passwords(config)
        self._vault = vault
        self._keys = keys
        self._ssh_dir = ssh_dir
        self._open = open_session
        self._shown = shown or config.host
        self._asked_for: list[str] = []
        self._given: list[Secret] = []  # what the way that is being tried makes use of
        self._proven: list[_Way[S]] = []  # what the server took, though it wants more
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
                    for secret in self._given:
                        self._vault.refused(secret)
                else:
                    self._asked_for = left  # not empty: the server wants a second proof
                    self._proven.append(way)
                    for secret in self._given:
                        self._vault.proven(secret)
                self._given = []
                if not self._asked_for:
                    return self._session
            raise self._refused()
        except GaveUp:
            self._tried.append("questions of the server (nobody answered them)")
            raise self._refused() from None
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
        for way in self._proven:
            left = way.go(self._session) if way.again else None
            if left is None:
                break  # the rest of the login says what is missing
            self._asked_for = left

    def _begin(self) -> S:
        """A session that knows what the server asks for. LinkLost when it hangs up before it says so."""
        for _ in range(ATTEMPTS):
            session = self._open()
            try:
                self._asked_for = session.methods(self._config.user)
            except HungUp:
                session.close()
            except BaseException:
                session.close()
                raise
            else:
                return session
        raise LinkLost(
            f"{self._shown} broke the connection when the login of {self._config.user} began.",
            hint="It may be short of memory, or turn this user away: journalctl -u ssh shows it there.",
        )

    def _ways(self) -> Iterator[_Way[S]]:
        """The ways in their order. Runs on as they are asked for, so nobody is asked too early."""
        if not self._asked_for:
            yield _Way("nothing", lambda session: [])
        if "publickey" in self._asked_for:
            yield from self._agent_and_files()
        typed = 0
        while typed < ATTEMPTS and {"password", "keyboard-interactive"}.intersection(self._asked_for):
            if "password" not in self._asked_for:
                yield _Way("the server's questions", self._with_questions, again=False)
                typed += 1
                continue
            secret = self._passwords.next()
            if secret is None:
                return
            typed += secret.source == TYPED
            yield self._with_password(secret)

    def _with_password(self, secret: Secret) -> _Way[S]:
        user = self._config.user
        self._given = [secret]
        return _Way("a password", lambda session: session.try_password(user, secret.text))

    def _with_questions(self, session: S) -> list[str] | None:
        self._given = []
        return session.try_questions(self._config.user, self._answer)

    def _answer(self, asked: Round) -> list[str] | None:
        if asked.is_password and not self._given:
            secret = self._passwords.next()
            if secret is None:
                return None
            self._given = [secret]
            return [secret.text]
        if not asked.questions and not asked.title and not asked.instructions:
            return []
        return self._prompts.answers(asked.title, asked.instructions, asked.questions)

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
        secrets, typed = self._vault.passphrases(path), 0
        while typed < ATTEMPTS:
            secret = secrets.next()
            if secret is None:
                break
            typed += secret.source == TYPED
            try:
                key = self._keys.load(path, secret.text)
            except LockedKey:
                self._vault.refused(secret)
                continue
            self._vault.proven(secret)
            yield from self._with_key(key)
            return
        self._tried.append(f"{path} (locked by a passphrase)")

    def _refused(self) -> AuthenticationError:
        tried = ", ".join(dict.fromkeys(self._tried)) or "nothing: no key was found and no password given"
        return AuthenticationError(
            f"{self._shown} does not let {self._config.user} in.",
            detail=f"Tried {tried}. The device asks for: {', '.join(self._asked_for)}.",
        )
