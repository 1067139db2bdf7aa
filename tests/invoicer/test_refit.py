"""Refitting: what it is asked for must make sense before the long work starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from invoicer.errors import InputError
from invoicer.refit import refit


@pytest.mark.parametrize("labelled", [[], [Path("eval/retail.csv")]])
def test_a_promise_on_a_file_that_is_not_given_is_refused(labelled, tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(InputError, match=r"--promise eval/lines\.csv 不是"):
        refit(labelled, ["eval/lines.csv"], tmp_path, 0, said.append)
    assert said == []
    assert list(tmp_path.iterdir()) == []
