"""The queue of jobs: who gets which, what a lost process costs, and what goes with a tenant."""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
from pathlib import Path

import pytest

from invoicer.access import keys, tenants
from invoicer.access.principals import Principal, Role
from invoicer.errors import InputError, UnavailableError
from invoicer.jobs import files, queue
from invoicer.jobs.job import Job, Kind, Options, StageProgress
from invoicer.jobs.queue import StoppedError, TooManyJobsError
from invoicer.recode.progress import Stage
from invoicer.store import Store, utc_text
from knowledge_base.rate_advice import TaxpayerType

NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
def store(tmp_path, monkeypatch) -> Store:
    monkeypatch.setenv("INVOICER_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("INVOICER_DATABASE", raising=False)
    return Store.open(tmp_path / "invoicer.db")


def caller(store: Store, tenant: str = "acme") -> Principal:
    if store.row("select 1 from tenants where tenant = ?", [tenant]) is None:
        tenants.create(store, tenant)
    return keys.create(store, tenant, "ERP", Role.CLIENT)[0]


def add(store: Store, who: Principal, *, most: int = 100, options: Options | None = None) -> Job:
    place, _ = files.receive(io.BytesIO("商品名称\n停车费\n".encode()), ".csv")
    return queue.add(store, who, place, ".csv", options or Options(), most)


def again(store: Store, job: Job) -> Job:
    found = queue.find(store, job.tenant, job.id)
    assert found is not None
    return found


def claimed(store: Store, most: int = 100) -> Job:
    job = queue.claim(store, most)
    assert job is not None
    return job


# -- handing in -------------------------------------------------------------------------------


def test_ids_cannot_be_guessed(store) -> None:
    who = caller(store)
    ids = {add(store, who).id for _ in range(20)}
    assert len(ids) == 20
    assert all(len(bytes.fromhex(ident.removeprefix("jb_"))) == 20 for ident in ids)


def test_a_jobs_folder_is_the_owners_alone(store) -> None:
    place = files.folder(add(store, caller(store)).id)
    assert place.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in place.iterdir()] == ["input.csv"]


@pytest.mark.parametrize("ident", ["..", "jb_../../etc", "", "jb_" + "A" * 40])
def test_only_a_real_id_names_a_folder(store, ident) -> None:
    with pytest.raises(ValueError, match="not the id"):
        files.folder(ident)


def test_options_survive_the_store(store) -> None:
    given = Options(
        "xlsx", dt.date(2019, 3, 15), TaxpayerType.SMALL, "某物业公司", True, 0.01, True,
        Kind.RECODE, {"货品": "name"}, True, True,
    )  # fmt: skip
    assert again(store, add(store, caller(store), options=given)).options == given


def test_options_of_an_earlier_version_are_those_of_a_classification(store) -> None:
    job = add(store, caller(store))
    with store.transaction() as db:
        db.execute(
            "update jobs set options = ?",
            ['{"form": "csv", "on": null, "taxpayer": null, "seller_industry": "",'
             ' "review": false, "random_slice": 0.0, "rates": false}'],
        )  # fmt: skip
    assert again(store, job).options == Options(kind=Kind.CLASSIFY)


def test_a_tenant_may_have_only_so_many_waiting(store) -> None:
    acme, other = caller(store), caller(store, "other")
    add(store, acme, most=2)
    add(store, acme, most=2)
    with pytest.raises(TooManyJobsError) as refused:
        add(store, acme, most=2)
    assert refused.value.context == {"retry_after": 30, "limit": 2}
    add(store, other, most=2)


def test_a_refused_file_is_no_job(store) -> None:
    who = caller(store)
    place, _ = files.receive(io.BytesIO(b"x"), ".csv")
    with pytest.raises(TooManyJobsError):
        queue.add(store, who, place, ".csv", Options(), 0)
    assert place.exists() and queue.page(store, "acme", 10) == ([], "")


def test_nothing_is_queued_for_an_erased_tenant(store) -> None:
    who = caller(store)
    tenants.erase(store, "acme")
    with pytest.raises(InputError, match="没有租户"):
        add(store, who)


def test_pages_hold_the_newest_first_and_every_job_once(store) -> None:
    who = caller(store)
    made = [add(store, who).id for _ in range(5)]
    add(store, caller(store, "other"))
    seen, mark = [], ""
    while True:
        jobs, mark = queue.page(store, "acme", 2, mark)
        seen += [job.id for job in jobs]
        if not mark:
            break
    assert seen == made[::-1]


# -- claiming ---------------------------------------------------------------------------------


def test_a_job_is_claimed_once(store) -> None:
    job = add(store, caller(store))
    assert claimed(store).id == job.id
    assert queue.claim(store, 100) is None


def test_no_more_run_than_allowed(store) -> None:
    who = caller(store)
    add(store, who), add(store, who)
    first = claimed(store, 1)
    assert queue.claim(store, 1) is None
    queue.finish(store, first, {})
    assert queue.claim(store, 1) is not None


def test_tenants_take_turns(store) -> None:
    acme, other = caller(store), caller(store, "other")
    add(store, acme), add(store, acme), add(store, acme), add(store, other)
    assert [claimed(store).tenant for _ in range(4)] == ["acme", "other", "acme", "acme"]


def test_progress_gives_rate_and_time_left(store) -> None:
    add(store, caller(store))
    job = claimed(store)
    queue.progress(store, job, total=3000, done=1000, failed=7)
    with store.transaction() as db:
        db.execute("update jobs set started_at = ?, heartbeat = ?",
                   [utc_text(NOW), utc_text(NOW + dt.timedelta(seconds=10))])  # fmt: skip
    after = again(store, job)
    assert (after.rows_total, after.rows_done, after.rows_failed) == (3000, 1000, 7)
    assert (after.rows_per_second, after.seconds_left) == (100, 20)


def test_a_stage_has_its_own_rate_and_time_left(store) -> None:
    add(store, caller(store))
    job = claimed(store)
    # An earlier attempt had judged 400 of 1,000 rows; 100 more took ten seconds.
    began = utc_text(NOW - dt.timedelta(seconds=10))
    queue.enter(store, job, StageProgress(Stage.JUDGE, 500, 1000, 400, began), rows_done=500)
    with store.transaction() as db:
        db.execute("update jobs set heartbeat = ?", [utc_text(NOW)])
    after = again(store, job)
    assert after.stage == StageProgress(Stage.JUDGE, 500, 1000, 400, began)
    assert (after.rows_per_second, after.seconds_left) == (10, 50)
    queue.finish(store, job, {"strong": 1000}, ["说明"], rows_done=1000)
    after = again(store, job)
    assert (after.stage, after.seconds_left, after.tiers) == (None, None, {"strong": 1000})
    assert after.notes == ["说明"]


def test_a_cancelled_recode_learns_it_at_the_next_step(store) -> None:
    add(store, caller(store))
    job = claimed(store)
    queue.cancel(store, "acme", job.id)
    with pytest.raises(StoppedError):
        queue.enter(store, job, StageProgress(Stage.READ, 1, None, 0, utc_text()))


# -- stopping, dying, coming back -------------------------------------------------------------


def test_a_cancelled_job_cannot_go_on(store) -> None:
    add(store, caller(store))
    job = claimed(store)
    cancelled = queue.cancel(store, "acme", job.id)
    assert cancelled is not None and cancelled.state == "cancelled"
    with pytest.raises(StoppedError):
        queue.progress(store, job, 10, 5, 0)
    with pytest.raises(StoppedError):
        queue.finish(store, job, {})
    assert again(store, job).state == "cancelled"


def test_another_tenant_can_neither_see_nor_stop_a_job(store) -> None:
    job = add(store, caller(store))
    assert queue.find(store, "other", job.id) is None
    assert queue.cancel(store, "other", job.id) is None
    queue.delete(store, "other", job.id)
    assert again(store, job).state == "queued"


def test_a_job_with_a_fresh_heartbeat_is_left_alone(store) -> None:
    add(store, caller(store))
    job = claimed(store)
    queue.recover(store)
    assert again(store, job).state == "running"


def test_a_lost_job_is_taken_up_again_and_the_lost_process_has_no_say(store) -> None:
    add(store, caller(store))
    lost = claimed(store)
    later = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=queue.STALE_SECONDS + 5)
    queue.recover(store, later)
    second = claimed(store)
    assert (second.id, second.attempts) == (lost.id, 2)
    with pytest.raises(StoppedError):
        queue.finish(store, lost, {})
    queue.finish(store, second, {})
    assert again(store, lost).state == "done"


def test_after_three_deaths_a_job_has_failed_with_the_reason(store) -> None:
    add(store, caller(store))
    for _ in range(3):
        job = claimed(store)
        queue.died(store, job)
    after = again(store, job)
    assert (after.state, after.attempts) == ("failed", 3)
    assert after.error is not None and after.error["code"] == "job_died"
    assert "3 次意外结束" in after.error["message"]
    assert queue.claim(store, 100) is None


def test_stopping_the_service_costs_no_attempt(store) -> None:
    add(store, caller(store))
    for _ in range(5):
        queue.give_back(store, claimed(store))
    assert claimed(store).deaths == 0


# -- leaving ----------------------------------------------------------------------------------


def test_deleting_takes_the_files_along(store) -> None:
    add(store, caller(store))
    job = claimed(store)
    queue.delete(store, "acme", job.id)
    assert files.folder(job.id).exists(), "a running job is not deleted"
    queue.finish(store, job, {})
    queue.delete(store, "acme", job.id)
    assert queue.find(store, "acme", job.id) is None
    assert list(job_folders(store)) == []


def job_folders(store: Store) -> list[Path]:
    return list((store.path.parent / "jobs").iterdir())


def test_erasing_a_tenant_takes_its_files_and_no_others(store) -> None:
    job, other = add(store, caller(store)), add(store, caller(store, "other"))
    tenants.erase(store, "acme")
    assert queue.find(store, "acme", job.id) is None
    assert job_folders(store) == [files.folder(other.id)]


def test_retention_takes_old_jobs_with_their_files(store) -> None:
    tenants.create(store, "short", retention_days=7)
    job, other = add(store, caller(store, "short")), add(store, caller(store))
    tenants.retain(store, NOW + dt.timedelta(days=6))
    assert again(store, job).state == "queued"
    tenants.retain(store, NOW + dt.timedelta(days=8))
    assert queue.find(store, "short", job.id) is None
    assert job_folders(store) == [files.folder(other.id)]


def test_ended_jobs_are_forgotten_after_their_days(store) -> None:
    add(store, caller(store)), add(store, caller(store))
    ended = claimed(store)
    queue.finish(store, ended, {})
    with store.transaction() as db:
        db.execute("update jobs set ended_at = ? where ended_at is not null",
                   [utc_text(NOW - dt.timedelta(days=31))])  # fmt: skip
    queue.forget_old(store, 30)
    jobs, _ = queue.page(store, "acme", 10)
    assert [job.state for job in jobs] == ["queued"]
    assert job_folders(store) == [files.folder(jobs[0].id)]


def test_jobs_are_part_of_a_tenants_export(store, tmp_path) -> None:
    job, large = add(store, caller(store)), b"x" * (3 << 20)
    add(store, caller(store, "other"))
    place = files.folder(job.id)
    files.result_file(place, "csv").write_bytes(large)
    (place / files.TRACEBACK).write_text("inside", encoding="utf-8")
    files.work(job.id).mkdir()
    count = tenants.export(store, "acme", tmp_path / "acme.jsonl")
    text = (tmp_path / "acme.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    assert count == len(rows)
    assert [r["row"]["id"] for r in rows if r["table"] == "jobs"] == [job.id]
    exported: dict[str, bytes] = {}
    for row in (r["row"] for r in rows if r["table"] == "job_files"):
        assert (row["tenant"], row["job"]) == ("acme", job.id)
        content = base64.b64decode(row["content"])
        exported[row["name"]] = exported.get(row["name"], b"") + content
    assert exported == {"input.csv": "商品名称\n停车费\n".encode(), "result.csv": large}


def test_files_leave_the_last_of_the_disk_to_the_database(store, monkeypatch) -> None:
    monkeypatch.setattr(files, "KEEP_FREE", 1 << 60)
    with pytest.raises(UnavailableError, match="磁盘空间不足"):
        add(store, caller(store))
    assert job_folders(store) == []


def test_what_a_cut_off_upload_left_is_swept_after_a_day(store, tmp_path) -> None:
    import os

    place, _ = files.receive(io.BytesIO(b"x"), ".csv")
    files.sweep()
    assert place.exists()
    os.utime(place, (0, 0))
    files.sweep()
    assert not place.exists()
