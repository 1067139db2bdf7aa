"""The start: refuses what is broken in one line, says how to make the first key, opens nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from checks import bearer, problem

from api.serve import key_hint
from api.settings import ServiceSettings
from invoicer.access import keys, tenants
from invoicer.access.principals import Role
from invoicer.store import Store, backup

ROOT = Path(__file__).resolve().parents[2]


def start(folder: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`invoicer serve` where it has to end by itself."""
    return subprocess.run(
        [sys.executable, "-m", "api.cli", "serve", *options],
        capture_output=True, encoding="utf-8", cwd=ROOT, timeout=120,
        env={
            **os.environ, "PYTHONPATH": str(ROOT), "INVOICER_DATA_DIR": str(folder / "data"),
            "INVOICER_DATABASE": str(folder / "invoicer.db"), **variables,
        },
    )  # fmt: skip


def refused(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    (line,) = [text for text in done.stderr.splitlines() if text.startswith("错误:")]
    assert done.stderr.endswith(line + "\n")
    return line


@pytest.fixture
def folder(settings: ServiceSettings, tmp_path: Path) -> Path:
    """Where a service with a key is installed."""
    store = Store.open(settings.database_path)
    tenants.create(store, "acme")
    keys.create(store, "acme", "ERP", Role.CLIENT)
    store.rows("pragma wal_checkpoint(truncate)")
    store.close()
    return tmp_path


def garbage(database: Path) -> None:
    database.write_bytes(b"garbage " * 1000)


def truncated(database: Path) -> None:
    os.truncate(database, database.stat().st_size // 2)


def newer(database: Path) -> None:
    store = Store(database)
    with store.transaction() as db:
        db.execute("update _sqlite_migrations set name = 'm999_future' where id = 2")


def limits_garbage(database: Path) -> None:
    database.with_name("limits.db").write_bytes(b"garbage " * 1000)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [(garbage, "已损坏"), (truncated, "已损坏"), (newer, "升级"), (limits_garbage, "limits.db")],
)
def test_a_broken_database_is_refused_in_one_line(folder: Path, spoil, said: str) -> None:
    spoil(folder / "invoicer.db")
    assert said in refused(start(folder))


def test_a_place_that_cannot_be_written_is_refused_in_one_line(folder: Path) -> None:
    (folder / "file").write_text("not a folder")
    line = refused(start(folder, INVOICER_DATABASE=str(folder / "file" / "invoicer.db")))
    assert "无法使用" in line


def test_a_broken_bundle_is_refused_in_one_line(folder: Path) -> None:
    bundles = (folder / "data" / "bundles").resolve()
    (folder / "data" / "bundles").unlink()
    shutil.copytree(bundles, folder / "data" / "bundles")
    for array in (folder / "data" / "bundles").glob("*/*.npy"):
        array.write_bytes(array.read_bytes()[:-8] + b"\xff" * 8)
    assert str(folder / "data" / "bundles") in refused(start(folder))


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"INVOICER_PORT": "99999"}, "INVOICER_PORT"),
        ({"INVOICER_WORKERS": "0"}, "INVOICER_WORKERS"),
        ({"INVOICER_LINES_PER_SECOND": "inf"}, "INVOICER_LINES_PER_SECOND"),
        ({"INVOICER_LINES_PER_SECOND": "nan"}, "INVOICER_LINES_PER_SECOND"),
        ({"INVOICER_REQUEST_SECONDS": "0"}, "INVOICER_REQUEST_SECONDS"),
        ({"INVOICER_TRUSTED_PROXIES": "everybody"}, "INVOICER_TRUSTED_PROXIES"),
        ({"INVOICER_OPEN_DOCS": "perhaps"}, "INVOICER_OPEN_DOCS"),
    ],
    ids=str,
)
def test_a_setting_that_makes_no_sense_is_named(folder: Path, variables, name: str) -> None:
    assert name in refused(start(folder, **variables))


def test_the_hint_goes_away_with_the_first_key_and_comes_back_with_the_last(tmp_path) -> None:
    store = Store.open(tmp_path / "invoicer.db")
    assert "invoicer keys create" in key_hint(store)
    tenants.create(store, "acme")
    made, _ = keys.create(store, "acme", "ERP", Role.CLIENT)
    assert key_hint(store) == ""
    keys.revoke(store, made.id)
    assert "invoicer keys create" in key_hint(store)


def test_a_first_start_says_how_to_make_a_key_and_stays_closed(serve, tmp_path) -> None:
    with serve(tmp_path) as live:
        assert "invoicer keys create" in (tmp_path / "serve.log").read_text(encoding="utf-8")
        for path in ("/docs", "/metrics", "/openapi.json", "/v1/codes?q=鱼"):
            problem(httpx.get(f"{live.url}{path}"), 401, "not_authenticated")
        # The key that the hint leads to works at once, without a restart.
        response = httpx.get(f"{live.url}/v1/codes?q=鱼", headers=bearer(live.key_of()))
        assert response.status_code == 200
        assert "server" not in response.headers


def test_a_database_in_use_is_not_replaced_and_a_backup_of_it_is_sound(live, tmp_path) -> None:
    headers = bearer(live.key_of(review="auto"))
    body = {"lines": [{"name": f"其他 {i}{i}"} for i in range(50)]}
    assert httpx.post(f"{live.url}/v1/classify", json=body, headers=headers).status_code == 200
    backup.backup(live.store, tmp_path / "copy.db")
    assert backup.check(tmp_path / "copy.db")
    database = live.store.path
    live.store.close()
    done = subprocess.run(
        [sys.executable, "-m", "api.cli", "db", "restore", str(tmp_path / "copy.db")],
        capture_output=True, encoding="utf-8", cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "INVOICER_DATABASE": str(database)},
    )  # fmt: skip
    assert "正在使用" in refused(done)
    assert httpx.get(f"{live.url}/readyz").status_code == 200


SECRET = "柚子味鱼排机密品"


@pytest.fixture(scope="module", params=[False, True], ids=["as it comes", "opened by settings"])
def opened(request) -> bool:
    return request.param


@pytest.fixture(scope="module")
def log(serve, tmp_path_factory, opened: bool) -> tuple[str, str, list[dict[str, object]]]:
    """(key, all that was logged, lines of requests) of a service behind a proxy."""
    folder = tmp_path_factory.mktemp("log")
    # FORWARDED_ALLOW_IPS is what gunicorn and uvicorn would heed by themselves.
    variables = {"FORWARDED_ALLOW_IPS": "*"}
    if opened:
        variables |= {"INVOICER_LOG_NAMES": "1", "INVOICER_TRUSTED_PROXIES": "127.0.0.0/8"}
    with serve(folder, **variables) as live:
        key = live.key_of()
        body = {"lines": [{"name": SECRET}, {"name": "停车费"}, {"name": ""}]}
        headers = {
            **bearer(key), "X-Request-ID": "erp-00000001", "X-Forwarded-For": "198.51.100.7",
        }  # fmt: skip
        httpx.post(f"{live.url}/v1/classify", json=body, headers=headers)
        wrong = {**bearer(key[:-1] + "~"), "X-API-Key": key}
        httpx.post(f"{live.url}/v1/classify?key={key}", json=body, headers=wrong)
        httpx.get(f"{live.url}/v1/codes?q={SECRET}", headers=bearer(key))
        httpx.get(f"{live.url}/{key}")
        httpx.get(f"{live.url}/v1/codes/{key}", headers=bearer(key))
    text = (folder / "serve.log").read_text(encoding="utf-8")
    records = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    requests = [r for r in records if r["logger"] == "invoicer.access"]
    return key, text, [r for r in requests if r["route"] != "/readyz"]


def test_the_log_has_one_line_a_request(log) -> None:
    key, _, found = log
    assert [(r["method"], r["route"], r["status"]) for r in found] == [
        ("POST", "/v1/classify", 200), ("POST", "/v1/classify", 401), ("GET", "/v1/codes", 200),
        ("GET", "", 404), ("GET", "/v1/codes/{code}", 404),
    ]  # fmt: skip
    first = found[0]
    assert (first["request_id"], first["tenant"]) == ("erp-00000001", "acme")
    assert first["principal"] == f"key:{key.split('_')[1]}"
    assert first["tiers"]["strong"] >= 1 and first["tiers"]["failed"] == 1
    assert first["ms"] > 0


def test_no_key_is_ever_logged(log) -> None:
    key, text, _ = log
    assert key not in text
    assert key.split("_", 2)[2] not in text


def test_product_names_are_logged_only_where_the_settings_say_so(log, opened: bool) -> None:
    _, text, found = log
    assert found[0].get("names") == ([SECRET, "停车费"] if opened else None)
    assert (SECRET in text) is opened


def test_forwarded_headers_are_believed_only_from_trusted_proxies(log, opened: bool) -> None:
    _, _, found = log
    assert found[0]["client"] == ("198.51.100.7" if opened else "127.0.0.1")
