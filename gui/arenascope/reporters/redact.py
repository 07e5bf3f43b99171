"""Host and user names taken out of a capture, before anything is made of it for others.

What identifies a person or a machine: the device's name, user@host, home folders, addresses on a
network. Names of models and tensors stay, but for a home folder in them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from ..domain.capture import Capture
from ..domain.measurement import Finding, Outcome, Samples

REDACTED = "«redacted»"

#: Names that say nothing about anybody.
_COMMON = frozenset({"local", "localhost", "this computer", "root", "user"})

_HOME = re.compile(r"((?:/home/|/Users/|/var/home/|\b[A-Za-z]:[\\/]Users[\\/]))[^/\\\s'\":;,)\]<>]+")
_LOGIN = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:\[[0-9A-Fa-f:.%]+\]|[\w-][\w.-]{0,253})(?::\d+)?")
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\.?\w)(?::\d{1,5})?")
_IPV6 = re.compile(
    r"(?<![\w:])(?:fe[89ab]|f[cd]|2)[0-9a-f]{1,3}(?::[0-9a-f]{0,4}){2,7}(?:%\w+)?", re.IGNORECASE
)
_LAN_NAME = re.compile(r"(?<![\w.-])[\w-]{1,63}\.(?:local|lan|home|internal|localdomain)\b", re.IGNORECASE)


def redact_text(text: str, names: Iterable[str] = ()) -> str:
    """``text`` without logins, home folders, network addresses, and the given names (as whole words).

    >>> redact_text("scp pi@door:/home/pi/m.tflite", ["door"])
    'scp «redacted»:/home/«redacted»/m.tflite'
    """
    text = redact_home(text)
    for pattern in (_LOGIN, _IPV6, _IPV4, _LAN_NAME):
        text = pattern.sub(REDACTED, text)
    return _without(text, names)


def redact_home(text: str) -> str:
    """``text`` with the owner's name taken out of the paths of home folders.

    >>> redact_home("/home/ada/models/cnn.tflite")
    '/home/«redacted»/models/cnn.tflite'
    """
    return _HOME.sub(rf"\1{REDACTED}", text)


def _without(text: str, names: Iterable[str]) -> str:
    for name in sorted(set(names), key=len, reverse=True):
        text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", REDACTED, text, flags=re.IGNORECASE)
    return text


def names_in(device: str) -> tuple[str, ...]:
    """The names to look for elsewhere: 'ada@door.lan:2200' holds that, 'door.lan', 'door' and 'ada'."""
    if device.strip().casefold() in _COMMON:
        return ()
    user, _, host = device.rpartition("@")
    host = re.sub(r":\d+$", "", host).strip("[]")
    found = (device, user, host, host.split(".")[0])
    return tuple(dict.fromkeys(n for n in found if len(n) > 1 and n.casefold() not in _COMMON))


def redacted(capture: Capture) -> Capture:
    """The capture without names of hosts and users. All figures stay."""
    names = names_in(capture.device.name)

    def clean(text: str) -> str:
        return redact_text(text, names)

    device = capture.device
    return replace(
        capture,
        model=replace(capture.model, name=redact_home(capture.model.name)),
        device=replace(
            device,
            name=REDACTED if names else device.name,
            # A kernel of one's own is sometimes named after its machine. It is no text with addresses:
            # the four numbers of a release would look like one.
            kernel=None if device.kernel is None else _without(device.kernel, names),
        ),
        layout=replace(
            capture.layout,
            placements=tuple(
                replace(p, name=redact_home(p.name)) if "/" in p.name or "\\" in p.name else p
                for p in capture.layout.placements
            ),
        ),
        outcome=_outcome(capture.outcome, clean),
        samples=_samples(capture.samples, clean),
        notes=tuple(clean(note) for note in capture.notes),
    )


def _outcome(outcome: Outcome, clean: Callable[[str], str]) -> Outcome:
    return replace(
        outcome,
        message=clean(outcome.message),
        findings=tuple(
            Finding(clean(f.cause), clean(f.proof), clean(f.remedy), f.saves) for f in outcome.findings
        ),
        log=tuple(clean(line) for line in outcome.log),
        evidence=outcome.evidence and replace(outcome.evidence, text=clean(outcome.evidence.text)),
    )


def _samples(samples: Samples, clean: Callable[[str], str]) -> Samples:
    return replace(
        samples,
        processes=tuple(
            replace(top, processes=tuple(replace(p, name=clean(p.name)) for p in top.processes))
            for top in samples.processes
        ),
    )
