"""`invoicer db backup | restore | check`: consistent copies, and no way to lose the old file."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from invoicer import cli_access
from invoicer.access import tenants
from invoicer.cli import app
from invoicer.errors import InvoicerError
from invoicer.store import Store, StoreError, backup


def names(path: Path) -> list[str]:
    store = Store.open(path)
    found = [row["tenant"] for row in store.rows("select tenant from tenants order by tenant")]
    store.close()
    return found


def db(*args: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["db", *map(str, args)])
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, done.output


@pytest.fixture
def copy(store: Store, tmp_path: Path) -> Path:
    """A backup that knows tenant acme; the database goes on with tenant later."""
    target = tmp_path / "copy.db"
    backup.backup(store, target)
    tenants.create(store, "later")
    store.close()
    return target


def test_a_backup_is_one_private_file_that_restores(copy: Path, database: Path) -> None:
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert [p.name for p in copy.parent.iterdir() if p.name.startswith((".", "copy"))] == [
        copy.name
    ]
    kept = backup.restore(copy, database)
    assert names(database) == ["acme"]
    assert kept is not None
    assert names(kept) == ["acme", "later"]
    assert stat.S_IMODE(database.stat().st_mode) == 0o600


def test_every_restore_keeps_the_database_it_replaced(copy: Path, database: Path) -> None:
    first = backup.restore(copy, database)
    second = backup.restore(copy, database)
    assert first is not None
    assert second is not None
    assert names(first) == ["acme", "later"]
    assert names(second) == ["acme"]


def test_a_backup_goes_where_there_was_no_database(copy: Path, tmp_path: Path) -> None:
    assert backup.restore(copy, tmp_path / "new" / "invoicer.db") is None
    assert names(tmp_path / "new" / "invoicer.db") == ["acme"]


def test_a_damaged_database_can_be_replaced(copy: Path, database: Path) -> None:
    database.write_bytes(b"garbage " * 1000)
    kept = backup.restore(copy, database)
    assert names(database) == ["acme"]
    assert kept is not None
    assert kept.read_bytes().startswith(b"garbage")


def test_a_backup_under_writes_is_consistent(store: Store, tmp_path: Path) -> None:
    with store.transaction() as conn:
        conn.execute("create table pairs (a integer, b integer)")
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with store.transaction() as conn:
                conn.execute("insert into pairs (a) values (?)", [number])
                conn.execute("update pairs set b = a where b is null")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for i in range(5):
            backup.backup(store, tmp_path / f"{i}.db")
    finally:
        stop.set()
        writer.join()
    for i in range(5):
        copy = Store(tmp_path / f"{i}.db")
        assert copy.rows("select * from pairs where a is not b") == []
        (row,) = copy.rows("select count(*) as n, coalesce(max(a), 0) as last from pairs")
        assert row["n"] == row["last"]
        assert backup.check(tmp_path / f"{i}.db")


HOLD = """
import sys
from pathlib import Path
from invoicer.store import Store
store = Store.open(Path(sys.argv[1]))
store.rows("select * from tenants")
print("open", flush=True)
sys.stdin.read()
"""


def test_restoring_while_the_database_is_in_use_is_refused(copy: Path, database: Path) -> None:
    user = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        cwd=Path(__file__).resolve().parents[3],
    )  # fmt: skip
    try:
        assert user.stdout is not None
        assert user.stdout.readline() == "open\n"
        with pytest.raises(StoreError, match="正在使用"):
            backup.restore(copy, database)
    finally:
        user.communicate()
    assert names(database) == ["acme", "later"]
    assert backup.restore(copy, database)


def damaged(copy: Path) -> None:
    copy.write_bytes(copy.read_bytes()[:5000])


def from_a_newer_program(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("update _sqlite_migrations set name = '999' where name like '002%'")
        connection.commit()


def with_rows_that_point_nowhere(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("insert into principals values ('k','gone','key','x','client','','')")
        connection.commit()


def of_another_program(copy: Path) -> None:
    copy.unlink()
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("create table songs (title text)")


def missing(copy: Path) -> None:
    copy.unlink()


@pytest.mark.parametrize(
    "spoil",
    [damaged, from_a_newer_program, with_rows_that_point_nowhere, of_another_program, missing],
)
def test_a_backup_that_is_none_leaves_the_old_database_untouched(
    copy: Path, database: Path, spoil
) -> None:
    spoil(copy)
    before = database.read_bytes()
    with pytest.raises(StoreError):
        backup.restore(copy, database)
    assert database.read_bytes() == before
    assert sorted(p.name for p in database.parent.iterdir()) == ["invoicer.db", "invoicer.db.lock"]
    assert names(database) == ["acme", "later"]


@pytest.mark.parametrize("target", ["missing/copy.db", "copy.db", "service"])
def test_a_backup_never_overwrites_and_needs_a_folder(
    store: Store, copy: Path, tmp_path: Path, target: str
) -> None:
    before = copy.read_bytes()
    with pytest.raises(InvoicerError):
        backup.backup(store, tmp_path / target)
    assert copy.read_bytes() == before


def test_a_backup_leaves_the_database_to_whoever_restores_next(
    copy: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INVOICER_DATABASE", str(database))
    stores: list[Store] = []  # kept: nothing else but the command itself closes them

    class Kept(Store):
        def __init__(self, path: Path):
            super().__init__(path)
            stores.append(self)

    monkeypatch.setattr(cli_access, "Store", Kept)
    assert db("backup", copy.with_name("second.db"))[0] == 0
    assert db("restore", copy)[0] == 0
    assert len(stores) == 2


def test_the_commands_say_what_they_did_and_are_audited(
    copy: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INVOICER_DATABASE", str(database))
    assert db("check")[1].startswith("完好,结构版本 0")
    code, said = db("backup", copy.with_name("second.db"))
    assert (code, said) == (0, f"已备份 → {copy.with_name('second.db')}\n")
    code, said = db("restore", copy)
    assert code == 0
    assert "原数据库保留为" in said
    assert '"action": "db.restore"' in db("audit")[1]
    code, said = db("restore", copy.with_name("nothing.db"))
    assert code == 2
    assert said.startswith("错误:数据库不存在")
