"""docs/security.md promises nothing that no test shows."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from invoicer.cli import app

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def names_of_tests() -> set[str]:
    """Names of all tests of the repository."""
    return {
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_every_risk_has_a_line_with_tests_that_exist() -> None:
    rows = re.findall(r"^\| (API\d+) [^|]+\| [^|]+\| ([^|]+) \|$", TEXT, re.MULTILINE)
    assert [risk for risk, _ in rows] == [f"API{number}" for number in range(1, 11)]
    existing = names_of_tests()
    for risk, shown in rows:
        named = re.findall(r"`(test_\w+)`", shown)
        assert named, risk
        assert set(named) <= existing, risk


def test_every_command_of_the_page_exists() -> None:
    commands = set(re.findall(r"invoicer ((?:keys|tenants|db) \w+)", TEXT))
    assert len(commands) >= 7
    for command in commands:
        assert CliRunner().invoke(app, [*command.split(), "--help"]).exit_code == 0, command


def test_every_setting_of_the_page_exists() -> None:
    from api.settings import ServiceSettings
    from invoicer.settings import Settings

    named = set(re.findall(r"INVOICER_(\w+)", TEXT))
    assert named
    assert {name.lower() for name in named} <= {*ServiceSettings.model_fields, *vars(Settings)}


def test_serving_loads_nothing_that_calls_out() -> None:
    """No client for other services is among the modules of a running service."""
    code = """
import sys
from pathlib import Path
import api.app, api.serve, api.service, api.worker
clients = {"httpx", "requests", "urllib3", "aiohttp", "ftplib", "smtplib"}
print(sorted(clients & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout == "[]\n"
