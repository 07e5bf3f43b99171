"""Commands that stand in a sentence ("Free some space there (df -h ~/.cache shows it)"), ready to be copied.

Hints are written for people, here and on the boards; a command in them begins with one of few programs.
"""

from __future__ import annotations

import re

_PROGRAMS = ("sudo", "ssh-keygen", "df", "du", "rm", "kill", "journalctl", "python", "python3")
_START = re.compile(r"(?<![\w./~'\"-])(?:" + "|".join(_PROGRAMS) + r")(?= [-\w~/'\"])")
_WORD = re.compile(r" ((?:'[^']*'|\"[^\"]*\"|[^\s'\"])+)")
#: Where the sentence goes on: nothing that a command has as a word of its own.
_PROSE = {"shows", "and", "then", "to", "there", "is", "has", "on", "it", "if", "or", "of", "for"}
#: Programs whose name begins a sentence as well ("Python 3.9 is needed") count with such words only.
_VERBS = {
    "kill": re.compile(r"-?\d"),
    "python": re.compile(r"-m\b"),
    "python3": re.compile(r"-m\b"),
    "rm": re.compile(r"-|~|/"),
}


def commands_in(text: str) -> tuple[str, ...]:
    """The commands of a sentence, in order, each once."""
    found: list[str] = []
    at = 0
    while (start := _START.search(text, at)) is not None:
        command, at = _follow(text, start.group(), start.end())
        if command and command not in found:
            found.append(command)
    return tuple(found)


def name_of(command: str) -> str:
    """'ssh-keygen' of "ssh-keygen -R …", 'usermod' of "sudo usermod …"."""
    words = command.split()
    return words[1] if words[0] == "sudo" and len(words) > 1 else words[0]


def _follow(text: str, program: str, at: int) -> tuple[str, int]:
    """The command that begins with ``program`` and goes on at ``at``, and where it ends."""
    words = [program]
    while (match := _WORD.match(text, at)) is not None:
        word = match.group(1)
        bare = word.rstrip(".,;:)")
        closes = word.count(")") > word.count("(")
        if word in _PROSE or word.startswith("("):
            break
        if bare:
            words.append(bare)
        at = match.end()
        if closes or bare != word:
            break
    verb = _VERBS.get(program)
    if len(words) == 1 or (verb is not None and verb.match(words[1]) is None):
        return "", at
    return " ".join(words), at
