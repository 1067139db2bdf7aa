"""Runs of `invoicer recode` on real files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from recoding import Recode

from invoicer import Assistant
from invoicer.recode.options import Options
from invoicer.recode.pipeline import Outcome, Run


@pytest.fixture
def recode(assistant: Assistant) -> Recode:
    """A run in this process: recode(output, *inputs, …options)."""

    def run(output: Path, *inputs: Path, resume: bool = False, **more: Any) -> Outcome:
        options = Options(tuple(map(str, inputs)), output, workers=1, **more)
        return Run(assistant, options).run(resume)

    return run
