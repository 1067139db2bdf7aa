"""The answer that the README shows is the one that the program gives."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from invoicer import Assistant
from invoicer.show import print_suggestion

ROOT = Path(__file__).resolve().parents[1]
SHOWN = re.compile(r'```console\n\$ invoicer classify "([^"]+)"\n(.*?)```', re.DOTALL)


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_shown_answer_is_given(assistant: Assistant, page: str) -> None:
    shown = SHOWN.search((ROOT / page).read_text(encoding="utf-8"))
    assert shown is not None
    name, answer = shown.groups()
    written = io.StringIO()
    print_suggestion(Console(file=written, width=100), name, assistant.suggest(name))
    given = [line.rstrip() for line in written.getvalue().splitlines()]
    assert given == [line.rstrip() for line in answer.splitlines()]
