"""Puts the agent onto a board and starts it, in one command on one channel.

A few lines of sh are what SSH runs. They verify the cached archive by hash at every start, ask for it
when it is missing or wrong (it comes on stdin; a temporary name, a hash, a rename), find a Python, let it
compile what it will run, and become it. Each step prints a mark, so that a start that goes wrong says how
far it came, and whatever login files print before is skipped.

The command is a single word in single quotes without ``'``, ``\\``, ``!`` or line breaks: sh, bash, zsh,
dash, csh and fish all take it the same way. Paths never stand in it; they are found, or read, there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn, Protocol

from ..errors import BoardError, DeployError, LinkLost

#: Tried in this order; the first that is at least 3.9 is taken.
PYTHONS = ("python3", *(f"python3.{minor}" for minor in range(15, 8, -1)))
#: The server sees no user site and no PYTHON* variable; its workers do (worker.own_argv).
SERVER_FLAGS = "-I -S"

MARK = b"@arenascope:"
MAX_NOISE = 64 * 1024
_MAX_MARK = 4096

# $m never stands in the command as it is printed: a shell that echoes the command makes no mark.
# Variables that the login environment exports would arrive with its values, and `fail` removes $t.
_PREAMBLE = """
t=; d=; b=; f=; e=; p=; c=; k=; v=; py=; tried=; m=@arena; m=${m}scope; set -f; umask 077;
fail() { rm -f "$t"; echo "$m:failed" "$@"; exit 97; };
trap "fail cut" HUP INT TERM PIPE
"""

_FIND_PYTHON = """
py=; tried=;
for c in PYTHONS; do
 command -v $c >/dev/null 2>&1 || continue;
 v=$($c -V 2>&1);
 case $v in "Python 3.9"*|"Python 3."[1-9][0-9]*) py=$c; break;; esac;
 tried="$tried $c ($v)";
done;
test "$py" || { echo "$m:nopython" $tried; exit 97; }
"""

#: $b: the user's cache folder; $d: ours in it.
_PLACES = """
b=$HOME/.cache; case $XDG_CACHE_HOME in /*) b=$XDG_CACHE_HOME;; esac; d=$b/arenascope
"""

# Archives of other versions are kept while they are young or run: Python reads them as it needs them.
# What runs is looked for in the words of all processes at once, by the shell itself: a tool that is told
# what to look for has it in its own words, and grep is not told the same everywhere (busybox ends at a NUL).
_RUNNING = """cat /proc/[0-9]*/cmdline 2>/dev/null | tr "[:cntrl:]" " " """.strip()

# $c: what is started. An archive that this very Python has compiled is preferred; its own hash is the last
# part of its name (compiled.py of the agent).
_PLACE_AGENT = """
d=$d/agent; f=$d/SHA256.pyz; t=$f.$$.part; c=; w=${v#Python };
sum() { sha256sum 2>/dev/null ||
 $py -c "import hashlib,sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())"; };
good() { test -f "$1" && test ${#2} -eq 64 && case $(sum < "$1") in "$2"*) return 0;; esac; return 1; };
set +f; for a in "$d/SHA256.$w."*.pyz; do
 e=${a%.pyz}; if good "$a" "${e##*.}"; then c=$a; else rm -f "$a"; fi; done; set -f;
test "$c" || good "$f" SHA256 || {
 echo "$m:need" "$f"; test -d "$b" || k=1;
 e=$( { LC_ALL=C; export LC_ALL; mkdir -p "$d" &&
  chmod 700 "$d" && { test -z "$k" || mkdir -p "$b/arenascope/FIRST"; } && head -c SIZE > "$t"; } 2>&1 ) ||
  fail write $e;
 find "$d" -name "*.part" -mmin +60 -exec rm -f {} + 2>/dev/null;
 good "$t" SHA256 || fail hash "$t";
 e=$(mv -f "$t" "$f" 2>&1) || fail write $e;
 ( set +f; cd "$d" && p=$(RUNNING) && n=0; for a in $(ls -t *.pyz); do
  a=${a%.pyz}; case $a in *.*) continue;; esac;
  n=$((n+1)); test $n -gt KEPT && test "$(find "$a.pyz" -mtime +0)" || continue;
  case $p in *"$d/$a."*) continue;; esac; rm -f "$a".*pyz;
 done ) 2>/dev/null;
};
test "$c" || {
 echo "$m:compile"; c=$($py FLAGS "$f" compile "$w" 2>/dev/null </dev/null) || c=; test -f "$c" || c=$f; }
"""

_START = """
echo "$m:start" $$ $py "$v"; exec $py FLAGS "$c" WORDS
"""

# An end that comes too early is told by the size, or is a reset of the socket to sshd; what was written
# then stays where it is to be KEPT.
_RECEIVE = """
IFS= read -r p || fail cut;
test START -eq 0 || test "$(wc -c < "$p" 2>/dev/null)" -eq START || fail moved;
t=KEPT;
e=$( { LC_ALL=C; export LC_ALL; cat >ADD "$p"; } 2>&1 ) ||
 case $e in *"reset by peer"*) fail cut;; *) t=$p; fail write $e;; esac;
test "$(wc -c < "$p")" -eq SIZE || fail cut;
chmod 600 "$p"; echo "$m:done"
"""


_CLEAN = """
set +f; k=0; there=; for a in agent models env FIRST; do
 test -e "$d/$a" || continue; there=1;
 set -- $(du -sk "$d/$a" 2>/dev/null); case ${1-}.$k in .*|*-) k=-;; *) k=$((k+$1));; esac; done;
test "$there" || { echo "$m:nothing" "$d"; exit 0; }
"""

_LOOK = """
echo "$m:there" $k "$d"
"""

_REMOVE = """
command -v tr >/dev/null 2>&1 || fail run there is no tr to look with at what runs;
busy() { case $(RUNNING) in *"$d/agent/"*) return 0;; esac; return 1; };
n=0; while busy && test $n -lt WAIT; do n=$((n+1)); sleep 1; done;
busy && { p=; for c in /proc/[0-9]*/cmdline; do
  case $(tr "[:cntrl:]" " " < $c) in *"$d/agent/"*) p="$p $c";; esac; done 2>/dev/null;
 test "$p" && { echo "$m:busy" $p; exit 97; }; };
test -e "$d/FIRST" && c=1;
e=$( { LC_ALL=C; export LC_ALL; rm -rf "$d/agent" "$d/models" "$d/env" "$d/FIRST"; } 2>&1 ) || fail write $e;
rmdir "$d" 2>/dev/null && test "$c" && rmdir "$b" 2>/dev/null;
echo "$m:removed" $k "$d"
"""

#: An empty folder of ours which says that the user's cache folder was not there before.
_FIRST = ".made-the-cache-folder"
#: Archives of agents that stay in any case: the newest. What was compiled of one stays and goes with it.
_KEPT_ARCHIVES = 2
#: Seconds that agents get to leave before what they run from is removed.
_LEAVE_SECONDS = 8


def agent_command(sha256: str, size: int, session: str, seen: int | None) -> str:
    """The command that ends in the agent with this hash, whose archive has ``size`` bytes.

    It joins the session after the frame number ``seen``, or begins it where that is None.
    """
    if not session.isalnum():
        raise AssertionError("the name of a session is hexadecimal")
    words = f"attach {session} {'new' if seen is None else seen}"
    place = _PLACE_AGENT.replace("SHA256", sha256).replace("SIZE", str(size)).replace("FLAGS", SERVER_FLAGS)
    place = place.replace("KEPT", str(_KEPT_ARCHIVES)).replace("FIRST", _FIRST).replace("RUNNING", _RUNNING)
    find = _FIND_PYTHON.replace("PYTHONS", " ".join(PYTHONS))
    start = _START.replace("FLAGS", SERVER_FLAGS).replace("WORDS", words)
    return _command(_PREAMBLE, find, _PLACES, place, start)


def receive_command(size: int, start: int = 0, *, keep: bool = False) -> str:
    """The command that reads a path and a line feed, then the rest of a file of ``size`` bytes up to the
    end of its stdin, and adds it to the ``start`` bytes that are at that path already. Mode 0600.

    It removes what it wrote when less arrives, also when the link is cut, unless it is to ``keep`` that;
    and always when the disk is full.
    """
    receive = _RECEIVE.replace("KEPT", "" if keep else "$p").replace("ADD", ">" if start else "")
    return _command(_PREAMBLE, receive.replace("START", str(start)).replace("SIZE", str(size)))


def clean_command(*, remove: bool) -> str:
    """The command that says how much this program keeps on the device, or that takes it all away."""
    rest = _REMOVE.replace("WAIT", str(_LEAVE_SECONDS)).replace("RUNNING", _RUNNING) if remove else _LOOK
    parts = (_PREAMBLE, _PLACES, _CLEAN, rest)
    return _command(*(part.replace("FIRST", _FIRST) for part in parts))


def kill_command(pid: int) -> str:
    """Ends a process that did not leave by itself, with what it started in its own group."""
    return f"exec /bin/sh -c 'kill -9 -{pid} {pid}'"


def _command(*parts: str) -> str:
    script = "; ".join(" ".join(part.split("\n")).strip() for part in parts)
    if any(character in script for character in "'\\!\n"):
        raise AssertionError("the script must survive every login shell's quoting")
    return f"exec /bin/sh -c '{script}'"


class StartChannel(Protocol):
    """What deploying needs of a channel; ``recv`` raises TimeoutError when nothing comes in time."""

    def send(self, data: bytes) -> None: ...

    def recv(self, limit: int) -> bytes: ...

    def stderr_tail(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Started:
    """The agent runs. ``ahead`` are bytes of its stream that arrived together with the mark."""

    pid: int
    python: str
    ahead: bytes
    uploaded: bool


def start_agent(channel: StartChannel, archive: bytes, name: str, limit: float | None = None) -> Started:
    """Follow the marks of ``agent_command`` on a channel that runs it, and send the archive when asked.

    ``name`` is the device's, for messages, and ``limit`` the seconds that the channel waits. DeployError
    says what stands in the way.
    """
    marks = _Marks(channel, name, limit)
    word, text = marks.next()
    uploaded = word == "need"
    if uploaded:
        _send(channel, archive)
        word, text = marks.next()
    if word == "compile":  # once for an agent and a Python; on a slow board it takes some seconds
        word, text = marks.next()
    if word == "start":
        pid, _, python = text.partition(" ")
        return Started(int(pid) if _is_pid(pid) else 0, python, marks.rest, uploaded)
    if word == "nopython":
        tried = f" Found there: {text}." if text else ""
        raise DeployError(
            f"There is no Python 3.9 or newer on {name}.{tried}",
            hint="Install it on the device: sudo apt install python3",
            detail="Tried: " + ", ".join(PYTHONS),
        )
    raise _placing_failed(text, name)


def _is_pid(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10


def finish_receive(channel: StartChannel, name: str) -> None:
    """Wait for the end of ``receive_command``. BoardError when the device could not keep the file."""
    word, text = _Marks(channel, name).next()
    if word == "done":
        return
    step, _, why = text.partition(" ")
    if step == "moved":
        raise BoardError(
            f"The part of the file that {name} had is gone.", board_code="not_found", hint="Send it again."
        )
    if _disk_is_full(why):
        raise BoardError(
            f"The disk of {name} is full.",
            board_code="no_space",
            hint="Free some space there (df -h ~/.cache shows it) and try again.",
            detail=why,
        )
    if why:
        raise BoardError(f"{name} could not write the file: {why}.", board_code="io_failed", hint="")
    raise LinkLost(f"The connection to {name} ended while a file was being sent.", hint="Connect again.")


@dataclass(frozen=True, slots=True)
class Kept:
    """What this program keeps on a device: the folder, and its bytes; 0 where there is nothing, None where
    it is not known how much there is."""

    folder: str
    bytes: int | None


def finish_clean(channel: StartChannel, name: str) -> Kept:
    """What ``clean_command`` says: what is there, or what was removed.

    DeployError where it cannot be removed, BoardError where somebody else is using it.
    """
    word, text = _Marks(channel, name).next()
    if word == "nothing":
        return Kept(text, 0)
    if word in ("there", "removed"):
        kib, _, folder = text.partition(" ")
        return Kept(folder, 1024 * int(kib) if _is_pid(kib) else None)
    if word == "busy":
        pids = ", ".join(part for part in text.split("/") if _is_pid(part))
        raise BoardError(
            f"An agent of ArenaScope is at work on {name} (process {pids}).",
            board_code="busy",
            hint="Close the program that is connected there; an agent whose program is gone leaves at most "
            f"90 s after its run. Or end it there: kill {pids.replace(',', '')}",
        )
    raise DeployError(
        f"What ArenaScope keeps on {name} cannot be removed: {text.partition(' ')[2] or 'the link was cut'}.",
        hint="Remove the folder there by hand: rm -r ~/.cache/arenascope",
    )


def _send(channel: StartChannel, archive: bytes) -> None:
    try:
        channel.send(archive)
    except LinkLost:
        pass  # the script stopped reading; its mark, already on the way, says why


def _disk_is_full(why: str) -> bool:
    return any(words in why for words in ("No space left", "quota exceeded", "File too large"))


def _placing_failed(text: str, name: str) -> DeployError:
    step, _, why = text.partition(" ")
    if _disk_is_full(why):
        message = f"The disk of {name} is full, so the agent cannot be placed there."
        hint = "Free some space there: df -h ~/.cache shows how much there is."
    elif step == "hash":
        message = f"The agent arrived damaged on {name}."
        hint = "Something in its login files reads standard input; let it do so in interactive shells only."
    else:
        message = f"The agent cannot be placed on {name}: {why or 'the connection was cut'}."
        hint = "The user's cache directory there (~/.cache) must be writable."
    return DeployError(message, hint=hint, detail=why)


class _Marks:
    """Reads marks out of a stream in which login files may print what they like before them."""

    def __init__(self, channel: StartChannel, name: str, limit: float | None = None) -> None:
        self._channel = channel
        self._name = name
        self._in_time = "in time" if limit is None else f"within {limit:g} s"
        self.rest = b""

    def next(self) -> tuple[str, str]:
        """(word, text) of the next mark. DeployError when none comes."""
        while True:
            before, mark, after = self.rest.partition(MARK)
            line, end, rest = after.partition(b"\n")
            if mark and end:
                self.rest = rest
                word, _, text = _readable(line).partition(" ")
                return word, text
            if len(before) > MAX_NOISE or len(line) > _MAX_MARK:
                self._give_up("prints without end", "Let them print in interactive shells only.")
            try:
                data = self._channel.recv(32768)
            except TimeoutError:
                self._give_up(
                    f"did not start a command {self._in_time}",
                    "Let them wait or start other programs in interactive shells only.",
                )
            if not data:
                self._give_up("ended without starting the agent", "Check that the account may run commands.")
            self.rest += data

    def _give_up(self, what: str, hint: str) -> NoReturn:
        printed = (_readable(self.rest[-2000:]) + "\n" + self._channel.stderr_tail()).strip()
        raise DeployError(
            f"The login shell of {self._name} {what}.",
            hint=f"See what its login files do (.bashrc, .profile, .cshrc). {hint}",
            detail=printed,
        )


def _readable(data: bytes) -> str:
    text = data.decode("utf-8", "replace")
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)
