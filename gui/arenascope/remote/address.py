"""Where a device is: this computer, or a host reached over SSH.

What the user types is ``local``, ``host``, ``user@host:port``, ``user@[v6]:port``, ``ssh://…``, or an
alias of ``~/.ssh/config``. An alias looks like a host name; ``ssh_config.py`` tells them apart later.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Literal

from ..errors import UsageError

_HOST = re.compile(r"\w[\w.-]*")
# What useradd accepts, plus the dots, domains and umlauts of directories; never a separator.
_USER = re.compile(r"[^\s@:/\\'\"\x00-\x1f-][^\s:/'\"\x00-\x1f]*")

_FORMS = "Write it as local, host, user@host, user@host:port, or user@[IPv6]:port."


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed target. ``user`` and ``port`` are None where the text does not say: the SSH
    configuration or the defaults (the local user, 22) decide then. ``text`` is what was typed.
    """

    kind: Literal["local", "ssh"]
    text: str
    host: str = ""
    user: str | None = None
    port: int | None = None


LOCAL = Address("local", "local")


def parse_address(text: str) -> Address:
    """The address that a text names. UsageError when it cannot be one."""
    text = text.strip()
    if text == "local":
        return LOCAL
    rest = text.removeprefix("ssh://")
    if rest != text:
        rest = rest.rstrip("/")
    user, at, rest = rest.rpartition("@")
    if at and not _USER.fullmatch(user):
        raise UsageError(f"“{text}” has no usable user name before the @.", hint=_FORMS)
    host, port = _host_and_port(rest, text)
    return Address("ssh", text, host, user or None, port)


def _host_and_port(rest: str, text: str) -> tuple[str, int | None]:
    if rest.startswith("["):
        host, bracket, port = rest[1:].partition("]")
        if not bracket or not _is_ipv6(host) or (port and not port.startswith(":")):
            raise UsageError(f"“{text}” is not an IPv6 address in brackets.", hint=_FORMS)
        return host, _port(port[1:], text) if port else None
    if rest.count(":") > 1:
        if not _is_ipv6(rest):
            raise UsageError(f"“{text}” is not an address.", hint=_FORMS)
        return rest, None
    host, colon, port = rest.partition(":")
    if not _HOST.fullmatch(host):
        raise UsageError(f"“{text}” is not the name or address of a device.", hint=_FORMS)
    return host, _port(port, text) if colon else None


def _is_ipv6(host: str) -> bool:
    try:
        IPv6Address(host)
    except ValueError:
        return False
    return True


def _port(digits: str, text: str) -> int:
    if digits.isascii() and digits.isdigit() and len(digits) <= 5 and 0 < int(digits) < 65536:
        return int(digits)
    raise UsageError(f"“{text}”: the port must be a number from 1 to 65535.", hint=_FORMS)
