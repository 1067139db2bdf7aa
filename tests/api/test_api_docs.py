"""docs/api.md and docs/openapi.json say what is so, and their examples run as they stand."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from checks import schema

import api.app  # noqa: F401 - so that every error class is known
import invoicer
from api.answers import EXAMPLES
from api.errors import REFUSALS
from invoicer.errors import InvoicerError

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
OPENAPI = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))


def test_the_documents_are_up_to_date() -> None:
    script = ROOT / "scripts" / "refresh_docs.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, f"run: python scripts/refresh_docs.py\n{done.stdout}{done.stderr}"


# -- what is told -----------------------------------------------------------------------------


def operations() -> Iterator[tuple[str, str, dict]]:
    for path, methods in OPENAPI["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def test_every_endpoint_is_documented() -> None:
    for method, path, _ in operations():
        told = re.sub(r"{\w+_id}", "{id}", path)
        assert f"`{method} {told}`" in TEXT, (method, path)


def test_every_endpoint_says_what_it_does_and_shows_an_answer() -> None:
    for method, path, operation in operations():
        assert re.search("[一-鿿]", operation["summary"]), (method, path)
        answers = [
            content.get("example")
            for status, answer in operation["responses"].items()
            for kind, content in answer.get("content", {}).items()
            if status.startswith("2") and kind == "application/json"
        ]
        assert all(answers), (method, path)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("classify", "SuggestionOut"), ("feedback", "FeedbackOut"), ("codes", "CodeHitsOut"),
        ("code", "CodeOut"), ("rates", "RatesOut"), ("model", "ModelOut"), ("job", "JobOut"),
        ("job_queued", "JobOut"), ("jobs", "JobsOut"), ("status", "StatusOut"),
        ("error", "ErrorOut"), ("review", "ReviewStatusOut"), ("review_item", "ReviewItemOut"),
        ("review_leased", "ReviewItemsOut"), ("ruling", "RulingOut"), ("rulings", "RulingsOut"),
        ("affected", "AffectedOut"), ("case", "CaseOut"), ("case_opened", "CaseRowOut"),
        ("cases", "CasesOut"), ("appeal", "AppealOut"), ("appeals", "AppealsOut"),
        ("attachment", "AttachmentOut"), ("desk_code", "CodeNotesOut"),
        ("desk_words", "WordsOut"), ("desk_proposal", "ProposalOut"),
        ("desk_proposals", "ProposalsOut"), ("desk_effect", "EffectOut"),
        ("desk_versions", "VersionsOut"), ("desk_diff", "DiffOut"),
    ],
)  # fmt: skip
def test_the_shown_answers_have_the_shape_of_real_ones(name, model) -> None:
    kind = schema(model)
    kind.model_validate(EXAMPLES[name])
    assert set(EXAMPLES[name]) == set(kind.model_fields)


def test_no_shown_answer_is_left_out_of_the_check() -> None:
    assert len(EXAMPLES) == 33


def test_the_shown_classification_is_what_is_answered(client, auth) -> None:
    body = {"name": "柚子味鱼排 200g", "unit": "袋", "review": "auto"}
    answer = client.post("/v1/classify", json=body, headers=auth()).json()
    shown = EXAMPLES["classify"]
    for field in ("code", "short_name", "tier", "rate", "treatment", "hint", "questions", "rates"):
        assert answer[field] == shown[field]
    assert set(answer) == set(shown)


def codes_of(kind: type[InvoicerError]) -> set[str]:
    return {kind.code}.union(*(codes_of(below) for below in kind.__subclasses__()))


def test_every_error_code_is_documented() -> None:
    told = set()
    for line in TEXT.partition("| code | status |")[2].partition("\n\n")[0].splitlines():
        told.update(re.findall(r"`(\w+)`", line.split("|")[1]))
    for module in pkgutil.walk_packages(invoicer.__path__, "invoicer."):
        importlib.import_module(module.name)  # whatever error any of them raises
    known = codes_of(InvoicerError) - {"error"}
    known |= {code for code, _ in REFUSALS.values()} | {"internal"}
    assert told == known


# -- the examples run -------------------------------------------------------------------------


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture
def run(live, tmp_path):
    """Runs a program on an example, with the address of the running service in it."""

    def run(text: str, file: str, *command: str) -> str:
        path = tmp_path / file
        path.write_text(text.replace("http://127.0.0.1:8000", live.url), encoding="utf-8")
        environment = {
            **os.environ, "INVOICER_KEY": live.key_of(tenant="docs"), "PYTHONPATH": str(ROOT),
            "LC_ALL": "C.UTF-8", "JAVA_TOOL_OPTIONS": "-Dfile.encoding=UTF-8",
        }  # fmt: skip
        done = subprocess.run(
            [*command, file], cwd=tmp_path, env=environment, capture_output=True, text=True,
            timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize("text", blocks("python"), ids=lambda text: text.count("\n"))
def test_the_python_examples_run(run, text, tmp_path) -> None:
    out = run(text, "example.py", sys.executable)
    if "submit_job" in text:
        assert out.startswith("2 0 ") and (tmp_path / "answers.xlsx").stat().st_size > 0
    elif "appeals" in text:
        assert re.search(r"ap_[0-9a-f]+ received 20\d\d-", out)
    else:
        assert "水产加工品" in out and "软体家具" in out and "404 not_found" in out


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize(
    "text", [text for text in blocks("sh") if "curl" in text], ids=lambda text: text.count("\n")
)
def test_the_curl_examples_run(run, text, tmp_path) -> None:
    out = run(text, "example.sh", "bash", "-e", "-o", "pipefail")
    if "/v1/jobs" in text:
        assert (tmp_path / "answers.xlsx").read_bytes().startswith(b"PK")
    else:
        assert '"kb_version"' in out


@pytest.mark.skipif(not shutil.which("java"), reason="java is not installed")
def test_the_java_example_runs(run) -> None:
    (text,) = blocks("java")
    assert json.loads(run(text, "Classify.java", "java"))["code"] == EXAMPLES["classify"]["code"]


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_the_javascript_example_runs(run) -> None:
    (text,) = blocks("js")
    first, result = run(text, "classify.mjs", "node").splitlines()[:2]
    assert first == "medium 水产加工品 1030109050000000000"
    assert json.loads(result)["商品名称"] == "停车费"
