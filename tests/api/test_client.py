"""The Python client against the service as it runs, and against servers that misbehave."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, get_type_hints

import pytest
from checks import schema

from invoicer import client_types
from invoicer.access.principals import Role
from invoicer.client import ApiError, Client

FISH = "1030109050000000000"


@pytest.fixture(scope="module")
def ours(live) -> Iterator[Client]:
    with Client(live.url, live.key_of(Role.CLIENT, "client-tests")) as client:
        yield client


# -- the whole service ------------------------------------------------------------------------


def test_a_name_is_classified(ours) -> None:
    answer = ours.classify("柚子味鱼排 200g")
    assert answer["candidates"][0]["code"] == FISH and answer["review_id"] == ""


def test_many_lines_come_back_in_order(ours) -> None:
    answers = ours.classify(["停车费", {"name": ""}, {"name": "柚子味鱼排", "unit": "袋"}])
    assert [bool(answer["error"]) for answer in answers] == [False, True, False]


def test_an_uncertain_line_goes_to_review_and_back_as_feedback(ours) -> None:
    answer = ours.classify({"name": "柚子味鱼排 200g"}, review="auto")
    assert answer["review_id"].startswith("rv_")
    sent = ours.feedback("柚子味鱼排 200g", FISH, rate="0.13", review_id=answer["review_id"])
    assert sent.startswith("fb_")


def test_codes_and_rates_are_looked_up(ours) -> None:
    assert any(hit["code"] == FISH for hit in ours.find_codes("鱼糜", limit=20))
    assert ours.code(FISH)["name"] == "鱼糜（熟肉）制品"
    assert ours.rates(FISH, on="2017-01-01")["rates"][0]["rate"] == "0.17"
    assert ours.current_model()["model_version"] == ours.classify("手机")["model_version"]


def test_a_file_goes_in_and_its_result_comes_out(ours, tmp_path) -> None:
    lines = tmp_path / "开票明细.csv"
    lines.write_text("商品名称\n停车费\n\n ,\n", encoding="utf-8")
    job = ours.submit_job(lines, format="jsonl", on="2018-06-01", taxpayer="small")
    assert ours.wait_for_job(job["id"], timeout=60)["rows_failed"] == 1
    result = ours.download_result(job["id"], tmp_path / "答复.jsonl").read_text(encoding="utf-8")
    assert '"short_name": "经营租赁"' in result
    rejects = ours.download_rejects(job["id"], tmp_path / "rejects.csv")
    assert rejects.read_text(encoding="utf-8-sig").splitlines()[1].startswith("3,name,")
    ours.cancel_job(job["id"])
    with pytest.raises(ApiError) as gone:
        ours.job(job["id"])
    assert (gone.value.status, gone.value.code) == (404, "not_found")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "rejects.csv", "开票明细.csv", "答复.jsonl",
    ]  # fmt: skip


def test_a_job_that_fails_raises_its_own_reason(ours, tmp_path) -> None:
    (tmp_path / "a.csv").write_text("甲\n1\n", encoding="utf-8")
    job = ours.submit_job(tmp_path / "a.csv")
    with pytest.raises(ApiError, match="没有找到商品名称列") as failed:
        ours.wait_for_job(job["id"], timeout=60)
    assert failed.value.code == "bad_input"


def test_a_refusal_says_why_and_under_which_number(ours) -> None:
    with pytest.raises(ApiError) as refused:
        ours.feedback("停车费", "123")
    error = refused.value
    assert (error.status, error.code, error.context) == (422, "bad_request", {"field": "code"})
    assert len(error.request_id) >= 8


def test_a_wrong_key_is_refused_at_once(live) -> None:
    with Client(live.url, "ivk_wrong") as client, pytest.raises(ApiError) as refused:
        client.classify("停车费")
    assert (refused.value.status, refused.value.code) == (401, "not_authenticated")


def test_a_history_is_handed_in_and_its_report_comes_back(ours, tmp_path) -> None:
    source = tmp_path / "history.csv"
    source.write_text("货,税收分类编码,税率\n螺纹钢,1080207050000000000,9%\n", encoding="utf-8")
    job = ours.submit_job(
        source, kind="recode", format="jsonl", map={"货": "name"}, on="2024-05-06"
    )
    job = ours.wait_for_job(job["id"], timeout=300)
    assert (job["kind"], job["rows_done"], job["rows_with_findings"]) == ("recode", 1, 1)
    report = ours.download_report(job["id"], tmp_path / "report.html")
    assert report.read_bytes().startswith(b"<!doctype html>")
    with pytest.raises(ApiError) as missing:
        ours.download_template(job["id"], tmp_path / "template.zip")
    assert missing.value.code == "not_found"
    assert not (tmp_path / "template.zip").exists()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Line", "OneIn"), ("Suggestion", "SuggestionOut"), ("Candidate", "CandidateOut"),
        ("Rate", "RateOut"), ("Option", "OptionOut"), ("Question", "QuestionOut"),
        ("CodeHit", "CodeHitOut"), ("Code", "CodeOut"), ("Exclusion", "ExclusionOut"),
        ("Rates", "RatesOut"), ("Model", "ModelOut"), ("Job", "JobOut"), ("Stage", "StageOut"),
        ("Fault", "Fault"),
    ],
)  # fmt: skip
def test_the_clients_types_are_the_services(ours, theirs) -> None:
    fields = set(get_type_hints(getattr(client_types, ours)))
    assert fields == set(schema(theirs).model_fields)


# -- servers that misbehave -------------------------------------------------------------------

Seen = list[tuple[str, str | None]]
BUSY = b'{"error": {"code": "too_many_requests", "message": "", "context": {}, "request_id": "1"}}'


@contextmanager
def server(*answers: tuple[int, dict[str, str], bytes] | None) -> Iterator[tuple[str, Seen]]:
    """Gives these answers in turn, None breaks the connection; (url, (body, key) of each call)."""
    left, seen = iter(answers), []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            seen.append((body.decode(), self.headers.get("Idempotency-Key")))
            answer = next(left)
            if answer is None:
                self.connection.close()
                return
            status, headers, text = answer
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(text))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None: ...

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{http.server_port}", seen
    finally:
        http.shutdown()
        http.server_close()


@pytest.fixture
def waits(monkeypatch) -> list[float]:
    """The seconds the client waited, without waiting them."""
    seconds: list[float] = []
    monkeypatch.setattr("invoicer.client.time.sleep", seconds.append)
    return seconds


def call(url: str, **given: Any) -> str:
    with Client(url, "ivk_key", **given) as client:
        return client.feedback("停车费", FISH)


def test_a_limit_is_waited_for_as_long_as_the_service_asks(waits) -> None:
    done = (201, {}, b'{"feedback_id": "fb_1"}')
    with server((429, {"Retry-After": "7"}, BUSY), (503, {}, b"<html>"), None, done) as (url, seen):
        assert call(url) == "fb_1"
    assert waits[0] == 7 and len(waits) == 3 and 0.5 <= waits[1] <= 1 and 1 <= waits[2] <= 2
    assert len(set(seen)) == 1 and seen[0][1], "the same body under the same key each time"


def test_two_calls_have_two_keys(waits) -> None:
    done = (201, {}, b'{"feedback_id": "fb_1"}')
    with server(done, done) as (url, seen):
        call(url), call(url)
    assert seen[0][1] != seen[1][1]


def test_no_wait_is_longer_than_the_caller_allows(waits) -> None:
    with server((429, {"Retry-After": "3600"}, BUSY), (201, {}, b'{"feedback_id": "1"}')) as (u, _):
        call(u, longest_wait=5)
    assert waits == [5]


def test_a_first_try_that_is_still_running_is_waited_for(waits) -> None:
    running = BUSY.replace(b"too_many_requests", b"idempotency_conflict")
    with server(None, (409, {}, running), (201, {}, b'{"feedback_id": "1"}')) as (url, _):
        assert call(url) == "1"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 500])
def test_what_will_not_get_better_is_not_repeated(waits, status) -> None:
    with server((status, {}, BUSY)) as (url, seen), pytest.raises(ApiError):
        call(url)
    assert len(seen) == 1 and waits == []


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [((503, {}, BUSY), 503, "too_many_requests"), (None, 0, "unreachable")],
)
def test_in_the_end_the_last_failure_is_raised(waits, answer, status, code) -> None:
    with server(*[answer] * 3) as (url, seen), pytest.raises(ApiError) as failed:
        call(url, retries=2)
    assert (failed.value.status, failed.value.code, len(seen)) == (status, code, 3)


@pytest.mark.parametrize("text", [b"<html>", b"{}", b"[]"])
def test_an_answer_of_something_in_between_is_an_api_error(waits, text) -> None:
    with server((502, {}, text)) as (url, _), pytest.raises(ApiError) as failed:
        call(url)
    assert (failed.value.status, failed.value.code) == (502, "bad_answer")


def test_a_file_is_sent_whole_again_after_a_broken_connection(waits, tmp_path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("商品名称\n停车费\n", encoding="utf-8")
    with server(None, (202, {}, b'{"id": "jb_1"}')) as (url, seen), Client(url, "k") as client:
        assert client.submit_job(path)["id"] == "jb_1"
    assert all("停车费" in body for body, _ in seen) and len({key for _, key in seen}) == 1


def test_the_package_alone_needs_no_http() -> None:
    code = "import sys, invoicer; assert 'httpx' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_client_needs_no_service_code() -> None:
    code = "import sys, invoicer.client; assert not {'api', 'fastapi'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
