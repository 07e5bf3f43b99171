"""What the user's ``~/.ssh/config`` says about one host.

Written here, and not left to the SSH library, because two things are wanted from it that it does not
do: ``Include``, and never running anything (``Match exec`` is taken as not matching, a ``ProxyCommand``
is understood or refused). As in ssh_config(5) the first value of an option wins, and ``IdentityFile``
adds up.
"""

from __future__ import annotations

import getpass
import glob
import os
import re
import shlex
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from ..domain.plain_text import plain
from ..errors import LinkError
from . import proxy_command
from .address import Address

_MAX_DEPTH = 16  # as OpenSSH
_YES = ("yes", "true")
_LINE = re.compile(r"\s*([A-Za-z]+)\s*(?:=|\s)\s*(.*?)\s*$")


@dataclass(frozen=True, slots=True)
class HostConfig:
    """Everything that is needed to reach one host. ``alias`` is what the user typed as host.

    ``identity_files`` are the configured ones alone (empty: the usual names are to be tried);
    ``user_known_hosts`` None: not configured. ``jumps``: the hosts of ProxyJump as they are written.
    """

    alias: str
    host: str
    user: str
    port: int
    identity_files: tuple[Path, ...] = ()
    identities_only: bool = False
    user_known_hosts: tuple[Path, ...] | None = None
    host_key_alias: str | None = None
    jumps: tuple[str, ...] = ()

    @property
    def known_hosts_name(self) -> str:
        """The name under which known_hosts files keep the host's key."""
        name = (self.host_key_alias or self.host).lower()
        return name if self.port == 22 or self.host_key_alias else f"[{name}]:{self.port}"


def host_config(address: Address, ssh_dir: Path) -> HostConfig:
    """Join what the user typed with ``ssh_dir/config``; what was typed wins.

    LinkError when the configuration asks for something that cannot be honoured.
    """
    options = _Options(address, ssh_dir)
    options.read(ssh_dir / "config")
    return options.result()


class _Options:
    """Collects the options of the blocks that match, in the order of the file."""

    def __init__(self, address: Address, ssh_dir: Path) -> None:
        self._address = address
        self._ssh_dir = ssh_dir
        self._home = ssh_dir.parent
        self._active = True
        self._first: dict[str, str] = {}
        self._identities: list[str] = []

    def read(self, path: Path, depth: int = 0) -> None:
        """Take in a file and what it includes. A missing file is an empty one."""
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return
        for line in text.splitlines():
            parts = _LINE.match(line)
            if parts is None:
                continue
            keyword, value = parts[1].lower(), parts[2]
            if keyword == "host":
                self._active = _matches(_words(value), self._address.host)
            elif keyword == "match":
                self._active = self._match(_words(value))
            elif self._active and keyword == "include" and depth < _MAX_DEPTH:
                for pattern in _words(value):
                    base = self._ssh_dir / self._home_relative(pattern)
                    for name in sorted(glob.glob(str(base))):  # noqa: PTH207  (an absolute pattern)
                        self.read(Path(name), depth + 1)
                        self._active = True  # an included file cannot end the block that includes it
            elif self._active and keyword == "identityfile":
                self._identities.append(value)
            elif self._active:
                self._first.setdefault(keyword, value)

    def _match(self, words: list[str]) -> bool:
        """``all``, ``host``, ``originalhost``, ``user``, ``localuser``; any other criterion is not met."""
        wanted = iter(words)
        for word in wanted:
            criterion = word.lower()
            if criterion == "all":
                continue
            against = {
                "host": self._first.get("hostname", self._address.host),
                "originalhost": self._address.host,
                "user": self._user(),
                "localuser": local_user(),
            }.get(criterion)
            if against is None or not _matches(next(wanted, "").split(","), against):
                return False
        return True

    def _user(self) -> str:
        return self._address.user or self._first.get("user") or local_user()

    def result(self) -> HostConfig:
        first, typed = self._first, self._address.host
        host = _expand(first.get("hostname", typed), {"h": typed})
        port = self._address.port or _port(first.get("port", "22"), typed)
        tokens = {"h": host, "n": typed, "p": str(port), "r": self._user(), "u": local_user()}
        tokens["d"] = str(self._home)
        files = [f for f in self._identities if f.lower() != "none"]
        known = first.get("userknownhostsfile")
        return HostConfig(
            alias=typed,
            host=host,
            user=self._user(),
            port=port,
            identity_files=tuple(dict.fromkeys(self._path(_unquoted(f), tokens) for f in files)),
            identities_only=first.get("identitiesonly", "no").lower() in _YES,
            user_known_hosts=None
            if known is None
            else tuple(self._path(word, tokens) for word in _words(known) if word.lower() != "none"),
            host_key_alias=first.get("hostkeyalias"),
            jumps=self._jumps(tokens),
        )

    def _jumps(self, tokens: dict[str, str]) -> tuple[str, ...]:
        """What leads to the host. Of ProxyJump and ProxyCommand, the one that stands first decides."""
        for keyword, value in self._first.items():
            if keyword == "proxyjump" and value.lower() != "none":
                return tuple(_expand(jump.strip(), tokens) for jump in value.split(","))
            if keyword == "proxycommand" and value.lower() != "none":
                return (proxy_command.as_jump(value, self._address.host),)
            if keyword in ("proxyjump", "proxycommand"):
                break
        return ()

    def _path(self, text: str, tokens: dict[str, str]) -> Path:
        return self._home_relative(os.path.expandvars(_expand(text, tokens)))

    def _home_relative(self, text: str) -> Path:
        return self._home / text[2:] if text == "~" or text.startswith("~/") else Path(text)


def local_user() -> str:
    """The name of the user of this computer. LinkError where nothing tells it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError) as error:
        raise LinkError(
            "The user name of this computer is not known.", hint="Write the address as user@host."
        ) from error


def _words(value: str) -> list[str]:
    try:
        return shlex.split(value, comments=True)
    except ValueError:  # an open quotation mark
        return value.split()


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def _matches(patterns: list[str], name: str) -> bool:
    """ssh_config(5) PATTERNS: one must match and no ``!`` pattern may."""
    name = name.lower()
    plain = [p.lower() for p in patterns if not p.startswith("!")]
    barred = [p[1:].lower() for p in patterns if p.startswith("!")]
    return any(_match_one(p, name) for p in plain) and not any(_match_one(p, name) for p in barred)


def _match_one(pattern: str, name: str) -> bool:
    return fnmatchcase(name, pattern.replace("[", "[[]"))  # brackets mean nothing in these patterns


def _expand(text: str, tokens: dict[str, str]) -> str:
    return re.sub(r"%(.)", lambda m: tokens.get(m[1], "%" if m[1] == "%" else m[0]), text)


def _port(text: str, alias: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536:
        return int(text)
    raise LinkError(
        f"The SSH configuration gives “{alias}” the port “{plain(text, 40)}”.", hint="Correct ~/.ssh/config."
    )
