"""The SQLite file: opened safely or refused with one sentence, written whole or not at all."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicer.access import audit
from invoicer.store import Store, StoreError, database
from invoicer.store.database import inspect

ROOT = Path(__file__).resolve().parents[3]


def refusal(path: Path) -> str:
    with pytest.raises(StoreError) as caught:
        Store.open(path)
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message
    return caught.value.message


def test_a_new_database_and_its_companions_are_private(store: Store, database: Path) -> None:
    kinds = {path.name: stat.S_IMODE(path.stat().st_mode) for path in database.parent.iterdir()}
    assert {kinds[f"invoicer.db{ending}"] for ending in ("", "-wal", "-shm")} == {0o600}
    assert stat.S_IMODE(database.parent.stat().st_mode) == 0o700


def test_a_commit_is_on_disk_before_it_is_acknowledged(store: Store) -> None:
    values = [store.rows(f"pragma {name}")[0] for name in ("journal_mode", "synchronous")]
    assert values == [{"journal_mode": "wal"}, {"synchronous": 2}]


def test_only_a_transaction_that_says_so_may_be_undone_by_a_power_cut(store: Store) -> None:
    def synchronous() -> int:
        return int(store.rows("pragma synchronous")[0]["synchronous"])

    with store.transaction(durable=False) as db:
        assert synchronous() == 1
        db.execute("update tenants set name = 'x'")
    assert synchronous() == 2
    with pytest.raises(ZeroDivisionError), store.transaction(durable=False):
        _ = 1 / 0
    assert synchronous() == 2
    assert Store(store.path).rows("select name from tenants") == [{"name": "x"}]


def test_a_lock_is_waited_for(store: Store) -> None:
    held, asked = threading.Event(), threading.Event()

    def hold() -> None:
        with store.transaction() as db:
            held.set()
            asked.wait()
            db.execute("update tenants set name = 'a'")

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    threading.Timer(0.2, asked.set).start()
    with store.transaction() as db:
        db.execute("update tenants set name = name || 'b'")
    holder.join()
    assert store.rows("select name from tenants") == [{"name": "ab"}]


def test_opening_again_changes_nothing(store: Store, database: Path) -> None:
    schema = store.rows("select sql from sqlite_master order by name")
    again = Store.open(database)
    assert again.rows("select sql from sqlite_master order by name") == schema
    assert again.rows("select tenant from tenants") == [{"tenant": "acme"}]


def test_a_garbage_file_is_refused_and_left_alone(database: Path) -> None:
    database.parent.mkdir()
    database.write_bytes(b"garbage " * 1000)
    assert "已损坏" in refusal(database)
    assert database.read_bytes() == b"garbage " * 1000


def test_a_truncated_database_is_refused(store: Store, database: Path) -> None:
    store.rows("pragma wal_checkpoint(truncate)")
    store.close()
    os.truncate(database, database.stat().st_size // 2)
    assert "invoicer db restore" in refusal(database)


def test_an_emptied_database_is_not_taken_for_a_new_one(store: Store, database: Path) -> None:
    store.close()
    database.write_bytes(b"")
    assert "不是 invoicer 的数据库" in refusal(database)


def test_the_database_of_another_program_is_refused_and_left_alone(database: Path) -> None:
    database.parent.mkdir()
    with closing(sqlite3.connect(database)) as other:
        other.execute("create table songs (title text)")
    before = database.read_bytes()
    assert "不是 invoicer 的数据库" in refusal(database)
    assert database.read_bytes() == before


def test_the_database_of_a_newer_program_is_refused(store: Store, database: Path) -> None:
    with store.transaction() as db:
        db.execute(
            "insert into _sqlite_migrations (migration_set, name, applied_at)"
            " values ('invoicer', 'm999_future', '2030-01-01')"
        )
    message = refusal(database)
    assert "m999_future" in message
    assert "请升级 invoicer" in message


@pytest.mark.parametrize("command", [("keys", "list"), ("db", "check")])
def test_a_directory_that_cannot_be_written_is_one_line_and_exit_code_2(
    command: tuple[str, ...], request: pytest.FixtureRequest
) -> None:
    for place in (Path(sys.prefix), ROOT):
        if not all(path.stat().st_mode & 0o001 for path in (place, *place.parents)):
            pytest.skip(f"only its owner may look into {place}: nobody else can run the program")
    # Not under pytest's own folder, into which nobody but its owner may look.
    folder = Path(tempfile.mkdtemp())
    request.addfinalizer(folder.rmdir)
    folder.chmod(0o555)
    done = subprocess.run(
        [sys.executable, "-c", _AS_NOBODY, *command],
        capture_output=True, encoding="utf-8", cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "INVOICER_DATABASE": str(folder / "i.db")},
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("错误:数据库")


# Whoever runs the tests as root may write everywhere: rights are given up after the imports.
_AS_NOBODY = """
import os, invoicer.cli
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
invoicer.cli.app()
"""


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction():
        audit.record(store, "acme", "key:1", "key.create", "key:2")
        _ = 1 / 0
    assert [act["action"] for act in audit.acts(store)] == ["tenant.create"]


def test_a_failed_commit_leaves_the_connection_usable(store: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError), store.transaction() as db:
        db.execute("pragma defer_foreign_keys=on")
        db.execute(
            "insert into principals values ('key:1', 'nobody', 'key', 'x', 'client', '', '')"
        )
    audit.record(store, "acme", "operator", "test", "acme")
    other = Store(store.path)
    assert other.row("select count(*) as n from audit") == {"n": 2}


def test_a_database_that_stays_locked_is_unavailable_without_saying_where_it_lies(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with (
        closing(sqlite3.connect(store.path)) as other,
        pytest.raises(StoreError) as caught,
    ):
        other.execute("begin immediate")
        fresh = Store(store.path)
        with fresh.transaction():
            pass
    assert caught.value.to_dict() == {
        "error": {
            "code": "store_unavailable", "message": "数据库暂时不可用,请稍后重试", "context": {},
        }
    }  # fmt: skip


def test_a_database_that_vanishes_is_not_made_anew(store: Store) -> None:
    store.path.unlink()
    with pytest.raises(StoreError):
        Store(store.path).rows("select 1")
    assert not store.path.exists()


def test_threads_write_side_by_side(store: Store) -> None:
    def write(number: int) -> None:
        for i in range(20):
            audit.record(store, "acme", f"key:{number}", "test", str(i))

    threads = [threading.Thread(target=write, args=[n]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.row("select count(*) as n from audit where action = 'test'") == {"n": 80}


def test_processes_that_open_a_new_database_together_both_succeed(database: Path) -> None:
    code = (
        "from pathlib import Path; from invoicer.store import Store;"
        f"Store.open(Path({str(database)!r}))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = [
        subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment) for _ in range(4)
    ]
    assert [process.wait() for process in started] == [0, 0, 0, 0]
    assert "001_principals" in inspect(database)


@given(text=st.text())
def test_hostile_text_comes_back_as_it_went_in(tmp_path_factory, text: str) -> None:
    store = Store.open(tmp_path_factory.getbasetemp() / "hostile.db")
    clean = text.encode("utf-8", "replace").decode()  # halves of character pairs are no text
    audit.record(store, "acme", clean, "test", "'; drop table audit; --", said=clean)
    (act,) = audit.acts(store, limit=1)
    assert (act["actor"], act["subject"]) == (clean, "'; drop table audit; --")
    assert json.loads(act["detail"]) == {"said": clean}
    store.close()
