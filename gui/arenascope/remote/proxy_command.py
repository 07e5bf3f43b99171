"""ProxyCommand, which is never run: the form that means a jump host is understood, others are refused.

``ssh -W %h:%p HOST`` is how a jump was written before ProxyJump came (OpenSSH 7.3), and is still copied
from many a page.
"""

from __future__ import annotations

import shlex

from ..domain.plain_text import plain
from ..errors import LinkError

#: What ssh(1) takes that changes nothing here, without and with a value.
_FLAGS = frozenset("qxTaCk46nN")
_FORWARD = ("%h:%p", "[%h]:%p")


def as_jump(command: str, alias: str) -> str:
    """The jump host that a ProxyCommand amounts to, as ProxyJump would name it. LinkError for others."""
    jump = _understood(command)
    if jump is None:
        raise LinkError(
            f"{alias} is reached through the command “{plain(command, 100)}”. ArenaScope runs no command "
            "from an SSH configuration.",
            hint="If it leads over another host, write “ProxyJump HOST” in ~/.ssh/config instead; or "
            "forward a port with ssh -L and connect to 127.0.0.1:PORT.",
        )
    return jump


def _understood(command: str) -> str | None:
    try:
        words = shlex.split(command)
    except ValueError:  # an open quotation mark
        return None
    if words and words[0] == "exec":
        words = words[1:]
    if not words or words[0].rpartition("/")[2] != "ssh":
        return None
    values: dict[str, str] = {}
    host, rest = None, iter(words[1:])
    for word in rest:
        if word[:1] != "-":
            if host is not None:
                return None  # a command for the jump host, like nc
            host = word
        elif word[1:2] in ("W", "l", "p"):
            values[word[1]] = word[2:] or next(rest, "")
        elif not word[1:] or not _FLAGS.issuperset(word[1:]):
            return None
    if host is None or values.get("W") not in _FORWARD:
        return None
    user = f"{values['l']}@" if "l" in values and "@" not in host else ""
    port = f":{values['p']}" if "p" in values else ""
    return f"{user}{host}{port}"
