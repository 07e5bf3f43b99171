"""Rules about the code that no linter knows."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from arenascope import __version__
from tests.support.sources import AGENT, DESKTOP, ROOT, python_files, relative, tree

LONGEST = 500
#: What the docstring of a longer module says, with its reason.
SAYS_WHY = f"{LONGEST} lines"
#: Where ``except Exception`` may stand: what must survive any fault of what it carries.
BROAD = {
    "gui/arenascope/remote/link.py",
    "gui/arenascope/remote/exchange.py",
    "agent/arenascope_agent/child.py",
    "agent/arenascope_agent/copied.py",
}
#: Hosts of package registries, spelled in halves so that this file does not name them.
REGISTRIES = [
    "py" + "pi.org",
    "python" + "hosted.org",
    "npm" + "js.",
    "deb.deb" + "ian",
    "security.deb" + "ian",
]


def test_the_agent_is_written_for_python_3_9() -> None:
    for path in python_files(AGENT):
        ast.parse(path.read_text(encoding="utf-8"), relative(path), feature_version=(3, 9))


def test_annotations_of_the_agent_are_never_evaluated() -> None:
    """``X | Y`` in an annotation is an error on 3.9 unless annotations stay text."""
    for path in python_files(AGENT):
        source = tree(path)
        if not any(isinstance(node, ast.FunctionDef | ast.AnnAssign) for node in ast.walk(source)):
            continue
        if relative(path).endswith("arenascope_agent/__main__.py"):
            continue  # any Python must be able to read it; its annotations are comments
        future = [n for n in source.body if isinstance(n, ast.ImportFrom) and n.module == "__future__"]
        assert any(alias.name == "annotations" for n in future for alias in n.names), relative(path)


def test_modules_stay_short_or_say_why_and_the_usual_one_is_small() -> None:
    sizes = {path: _lines(path) for path in python_files(DESKTOP, AGENT)}
    long = [path for path, lines in sizes.items() if lines > LONGEST]
    assert not [relative(path) for path in long if SAYS_WHY not in (ast.get_docstring(tree(path)) or "")]
    written = sorted(lines for lines in sizes.values() if lines)
    assert written[len(written) // 2] < 150


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_every_module_says_what_it_is() -> None:
    modules = [path for path in python_files(DESKTOP, AGENT) if path.name != "__init__.py"]
    assert not [relative(path) for path in modules if not ast.get_docstring(tree(path))]


def test_everything_is_caught_in_few_places() -> None:
    found = {
        relative(path)
        for path in python_files(DESKTOP, AGENT)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "Exception"))
    }
    assert found == BROAD


def test_nothing_that_arrives_is_evaluated() -> None:
    forbidden = {"eval", "exec", "compile"}
    for path in python_files(DESKTOP, AGENT):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in forbidden, f"{relative(path)}:{node.lineno}"
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
                assert not {"pickle", "marshal", "shelve"} & set(names), f"{relative(path)}:{node.lineno}"


def test_the_changelog_knows_this_version() -> None:
    versions = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert versions[0] == __version__


def test_no_file_names_a_package_registry() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("this is no git checkout, so its files cannot be told from others")
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if not name or name.startswith(".venv/") or not path.is_file() or path.stat().st_size > 1_000_000:
            continue
        text = path.read_bytes().decode("utf-8", "ignore").lower()
        assert not [host for host in REGISTRIES if host in text], name


def test_tool_tips_of_what_is_not_written_here_go_through_tip() -> None:
    """Qt guesses whether a tip is HTML; only what stands in the code as it is may leave that to it."""
    bypassing = [
        f"{relative(path)}:{node.lineno}"
        for path in python_files(DESKTOP)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "setToolTip"
        and not _safe_tip(node.args[0])
    ]
    assert not bypassing


def _safe_tip(value: ast.expr) -> bool:
    match value:
        case ast.Constant():
            return True
        case ast.Name(id=name):
            return name.isupper()  # a constant of the module
        case ast.BoolOp(values=parts):
            return all(_safe_tip(part) for part in parts)
        case ast.IfExp(body=body, orelse=orelse):
            return _safe_tip(body) and _safe_tip(orelse)
        case ast.Call(func=ast.Name(id="tip")):
            return True
        case ast.Call(func=ast.Attribute(attr="toolTip")):
            return True  # was made safe when it was set there
    return False
