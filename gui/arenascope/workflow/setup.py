"""Gives a bare board what it needs, and takes it away again: look, ask, bring, try, or undo.

Everything is fetched on this computer, because a board in a lab has no way out, and everything on the board
lies in this user's cache folder. What does not work there in the end does not stay there.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..domain.board import Board
from ..domain.provision import NoRecipe, NumpyFrom, Recipe, choose, target
from ..domain.units import format_bytes
from ..errors import ArenaScopeError, SetupError, UsageError
from ..remote import debian, provision, translate, wheels
from ..remote.debian import Found
from ..remote.fetching import Kept
from ..remote.link import FILE_TIMEOUT, PROBE_TIMEOUT
from ..remote.prompts import NoPrompts, Prompts
from ..remote.wheels import Wheel
from ..settings import places
from .connect import LOCAL, THIS_COMPUTER, Device, relied_on
from .events import Connecting, DownloadProgress, SetupEvent, Step
from .jobs import CancelToken
from .staging import stage_file

if TYPE_CHECKING:
    from ..remote.ssh import SshTransport

#: Where things lie on a board; its own XDG_CACHE_HOME may say otherwise.
FOLDER = "~/.cache/arenascope"
#: A Debian package grows by so much when it is packed as a zip, which every Python reads.
_REPACKED = 1.4

OnEvent = Callable[[SetupEvent], None]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is brought: ``source`` says from where. Bytes of its file."""

    name: str
    version: str
    source: str
    bytes: int


@dataclass(frozen=True, slots=True)
class SetupPlan:
    """What would be done to a board. Exactly one of ``works``, ``none`` and ``recipe`` says something.

    ``works``: the runtime that answers there already. ``none``: why nothing can be had. ``bytes`` to send
    and ``unpacked`` on the board are close upper figures; ``disk_free`` is what is free there.
    """

    device: str
    target: str
    works: str = ""
    none: NoRecipe | None = None
    recipe: Recipe | None = None
    items: tuple[Item, ...] = ()
    bytes: int = 0
    unpacked: int = 0
    disk_free: int | None = None
    folder: str = f"{FOLDER}/env"
    steps: tuple[str, ...] = ()
    wheels: tuple[Wheel, ...] = ()
    packages: tuple[Found, ...] = ()

    @property
    def undo(self) -> str:
        """The command that takes everything away again."""
        return f"arenascope devices setup {self.target} --undo"


@dataclass(frozen=True, slots=True)
class Undone:
    """What was taken away, or would be: the folder and its bytes; 0 where there was nothing, None where it
    is not known how much there was."""

    device: str
    folder: str
    bytes: int | None


def plan_setup(
    device: Device, on_event: OnEvent | None = None, cancel: CancelToken | None = None
) -> SetupPlan:
    """What would be brought to a device. Nothing is changed there.

    Where NumPy must come from the board's own distribution, its package lists are fetched for it here.
    Raises SetupError for what cannot be had although it exists, UsageError for this computer, LinkError
    for the device.
    """
    tell, cancel = on_event or (lambda event: None), cancel or CancelToken()
    board = device.board
    if board.runtime is None and not board.runtime_errors:
        board = _probed(device)
    plan = SetupPlan(device.name, target(board), disk_free=board.disk_free)
    if board.runtime is not None:
        return replace(plan, works=board.runtime_text)
    if device.is_local:
        raise _not_this_computer()
    chosen = choose(board)
    if isinstance(chosen, NoRecipe):
        return replace(plan, none=chosen)
    brought = wheels.find(chosen.wheels, chosen.machine, chosen.abi)
    packages: tuple[Found, ...] = ()
    if chosen.numpy_source is NumpyFrom.SYSTEM:
        tell(Step(f"Looking for NumPy in the package archives of {device.name}"))
        arrived = _counter(tell, cancel, 0)
        with relied_on(device):
            packages = debian.numpy_packages(_ask(device), chosen, _kept(), device.name, arrived)
    return _with_items(replace(plan, recipe=chosen, wheels=brought, packages=packages))


def setup(
    device: Device, plan: SetupPlan, on_event: OnEvent | None = None, cancel: CancelToken | None = None
) -> Device:
    """Do what a plan says; the device with what works on it then.

    Raises SetupError where it cannot be had or does not work there, Cancelled, LinkError, BoardError for
    its disk. Whatever is raised, nothing half-made stays on either side.
    """
    tell, cancel = on_event or (lambda event: None), cancel or CancelToken()
    if plan.works:
        return device
    if plan.none is not None:
        raise SetupError(plan.none.reason, hint=plan.none.next)
    cancel.raise_if_cancelled()
    _check_room(device, plan.bytes + plan.unpacked)
    with _folder() as folder:
        packed = _packed(plan, folder, tell, cancel)
        _check_room(device, packed.bytes + packed.unpacked)
        stage_file(device, packed.path, packed.sha256, packed.bytes, "what it needs", tell, cancel)
    try:
        tell(Step(f"Unpacking on {device.name}"))
        answer = {"sha256": packed.sha256, "bytes": packed.unpacked}
        device.link.request("environment_install", answer, timeout=FILE_TIMEOUT)
        cancel.raise_if_cancelled()
        tell(Step(f"Trying the runtime on {device.name}"))
        board = _probed(device)
        cancel.raise_if_cancelled()
        if board.runtime is None:
            raise _does_not_work(device, plan, board)
    except BaseException:
        with suppress(ArenaScopeError):  # the link may be what failed
            device.link.request("environment_remove", {}, timeout=FILE_TIMEOUT)
        raise
    return replace(device, board=board)


def kept(target: str, prompts: Prompts | None = None, on_event: OnEvent | None = None) -> Undone:
    """What ``undo`` would take away from a device. UsageError for this computer, LinkError."""
    with _reached(target, prompts, on_event) as transport:
        found = transport.kept()
    return Undone(target, found.folder, found.bytes)


def undo(
    target: str,
    prompts: Prompts | None = None,
    on_event: OnEvent | None = None,
    agree: Callable[[Undone], None] | None = None,
) -> Undone:
    """Take away everything that this program keeps on a device: environment, models, agent.

    ``agree`` is called before, with what would go, and raises to keep it; it is not called where there is
    nothing. Nothing may be connected to the device: BoardError (busy) names what still is. DeployError
    where it cannot be removed, LinkError for the device. No agent is started there.
    """
    with _reached(target, prompts, on_event) as transport:
        found = transport.kept()
        if found.bytes != 0:
            if agree is not None:
                agree(Undone(target, found.folder, found.bytes))
            found = transport.kept(remove=True)
    return Undone(target, found.folder, found.bytes)


@contextmanager
def _reached(target: str, prompts: Prompts | None, on_event: OnEvent | None) -> Iterator[SshTransport]:
    """A device behind SSH, without an agent on it."""
    from ..remote.ssh import SshTransport  # paramiko
    from .devices import resolve

    address = None if target == THIS_COMPUTER else resolve(target)
    if address is None or address.kind == LOCAL:
        raise _not_this_computer()
    if on_event is not None:
        on_event(Connecting(f"Connecting to {address.text}"))
    transport = SshTransport(address, prompts or NoPrompts())
    try:
        yield transport
    finally:
        transport.close()


def _not_this_computer() -> UsageError:
    return UsageError(
        "This computer is not set up: its runtime is installed with ArenaScope.",
        hint="Name a board: arenascope devices lists those that are saved.",
    )


# -- parts -----------------------------------------------------------------------------------------


def _probed(device: Device) -> Board:
    facts = device.link.request("probe", {"runtime": True}, timeout=PROBE_TIMEOUT)
    return translate.board(facts, device.name)


def _ask(device: Device) -> debian.Ask:
    def ask(method: str, params: dict[str, Any]) -> dict[str, Any]:
        return device.link.request(method, params, timeout=FILE_TIMEOUT)

    return ask


def _kept() -> Kept:
    return Kept(places().cache / "packages")


def _folder() -> tempfile.TemporaryDirectory[str]:
    places().cache.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix="setup-", dir=places().cache)


def _counter(tell: OnEvent, cancel: CancelToken, total: int) -> Callable[[int], None]:
    done = 0

    def arrived(count: int) -> None:
        nonlocal done
        cancel.raise_if_cancelled()
        done += count
        tell(DownloadProgress(done, total))

    return arrived


def _with_items(plan: SetupPlan) -> SetupPlan:
    recipe = plan.recipe
    assert recipe is not None
    from_wheels = [Item(one.name, one.version, "a wheel", one.bytes) for one in plan.wheels]
    from_system = [
        Item(one.package.name, one.package.version, one.source.dist, one.package.bytes)
        for one in plan.packages
    ]
    packages = sum(one.package.bytes for one in plan.packages)
    unpacked = [one.unpacked for one in plan.wheels]
    unpacked += [one.package.installed or 4 * one.package.bytes for one in plan.packages]
    size = sum(one.bytes for one in plan.wheels) + int(_REPACKED * packages)
    numpy = (f"a NumPy of its own from {recipe.numpy_from_version} on" if plan.packages or recipe.numpy
             else f"the NumPy that {plan.device} has")  # fmt: skip
    steps = (
        f"Fetch the files on this computer and verify them ({recipe.runtime.name} {recipe.runtime.version}, "
        f"with {numpy}).",
        f"Send about {format_bytes(size)} to {plan.device} and unpack them in {plan.folder} "
        f"(about {format_bytes(sum(unpacked))}).",
        "Build an interpreter there; if that does not work, take everything away again.",
    )
    return replace(plan, items=(*from_wheels, *from_system), bytes=size, unpacked=sum(unpacked), steps=steps)


def _packed(plan: SetupPlan, folder: str, tell: OnEvent, cancel: CancelToken) -> provision.Packed:
    """Fetch and verify everything and put it into one archive in ``folder``."""
    kept = _kept()
    tell(Step("Fetching " + ", ".join(f"{item.name} {item.version}" for item in plan.items)))
    total = sum(item.bytes for item in plan.items)
    arrived = _counter(tell, cancel, total)
    files = []
    for wheel in plan.wheels:
        files.append((wheel, wheels.fetch(wheel, kept, lambda: cancel.cancelled)))
        arrived(wheel.bytes)
    packages = []
    for found in plan.packages:
        packages.append((found, debian.fetch(found, kept, lambda count: cancel.raise_if_cancelled())))
        arrived(found.package.bytes)
    tell(Step("Packing"))
    return provision.pack(files, packages, Path(folder) / "environment.zip", cancel.raise_if_cancelled)


def _check_room(device: Device, needed: int) -> None:
    free = device.board.disk_free
    if free is not None and free < needed:
        raise SetupError(
            f"{device.name} has {format_bytes(free)} of disk free, and {format_bytes(needed)} are needed.",
            hint="Free some space there (df -h ~/.cache shows it) and try again. Nothing was sent.",
        )


def _does_not_work(device: Device, plan: SetupPlan, board: Board) -> SetupError:
    assert plan.recipe is not None
    runtime = plan.recipe.runtime
    package = runtime.name.replace("-", "_")
    errors = dict(board.runtime_errors)
    why = errors.get("worker") or errors.get("numpy") or errors.get(package) or "it did not say why"
    return SetupError(
        f"{runtime.name} {runtime.version} does not work on {device.name}: {why.rstrip('.')}.",
        hint="It was taken away again. Look at what the board lacks: "
        f"arenascope devices check {target(board)}",
        detail="\n".join(f"{name}: {text}" for name, text in board.runtime_errors),
    )
