"""A run from end to end: collect, classify, judge, join; each stage can be taken up again."""

from __future__ import annotations

import csv
import io
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import orjson
from filelock import FileLock, Timeout

from invoicer.access import tenants
from invoicer.assistant import Assistant
from invoicer.errors import InputError
from invoicer.guard import guarded
from invoicer.recode import manifest
from invoicer.recode.forms import BOM, join
from invoicer.recode.official import OfficialTemplate, fill
from invoicer.recode.options import Options
from invoicer.recode.progress import Progress, Stage
from invoicer.recode.reviews import enqueue
from invoicer.recode.sources import Part, Sources, expand
from invoicer.recode.tally import LINES, Tally
from invoicer.recode.work import Work
from invoicer.recode.workers import Worker, Workers, part_name
from invoicer.settings import Settings
from invoicer.store import Store


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run made. lines: all of them; rejected: rows in the rejects file; notes: what else
    to know, in Chinese; consistency: (seller, lines, names, names coded in several ways, lines of
    these), worst first."""

    lines: int
    rejected: int
    questions: int
    tally: Tally
    consistency: list[tuple[str, int, int, int, int]]
    templates: list[Path]
    queued: int
    notes: list[str]


def silent(stage: Stage, done: int, total: int | None) -> None:
    pass


class Run:
    """One re-coding under way, in a work folder beside its output.

    faulty, rejected: lines with a finding, and rows that were no lines, as far as it is judged.
    """

    def __init__(self, assistant: Assistant, options: Options, progress: Progress = silent):
        self.assistant = assistant
        self.options = options
        self.progress = progress
        self.faulty = self.rejected = 0
        self.form = options.form  # refused here where it is not known
        if not options.output.parent.is_dir():
            raise InputError(f"输出文件夹不存在:{options.output.parent}")
        if options.review:
            tenants.require(Store.open(Settings().database), options.tenant)
        self.template = OfficialTemplate(options.template) if options.template else None
        self.sources = Sources(expand(options.inputs), options.mapping, options.raw)
        if options.output.resolve() in {s.path.resolve() for s in self.sources.sources}:
            raise InputError("输出文件不能是输入文件之一", file=str(options.output))
        sizes = [source.size for source in self.sources.sources]
        self._size = None if None in sizes else sum(size or 0 for size in sizes)

    def run(self, resume: bool = False, keep: bool = False) -> Outcome:
        """Do what is not done yet; the work folder goes when the output is there.

        keep: it stays, so that what the caller does with the output can be resumed, too.
        Raises NotResumableError where there is nothing that fits to be resumed.
        """
        work = self.options.work
        if resume and not work.is_dir():
            raise manifest.NotResumableError(f"没有未完成的任务:{work} 不存在", file=str(work))
        work.mkdir(exist_ok=True)
        try:
            with FileLock(work / "lock", timeout=0):
                outcome = self._run(work, resume)
                if not keep:
                    shutil.rmtree(work)
                return outcome
        except Timeout as error:
            raise InputError(f"{self.options.output.name} 正由另一个进程写入") from error

    def _run(self, work: Path, resume: bool) -> Outcome:
        now = manifest.manifest_of(
            self.options, self.sources, self.assistant.model_version, self.assistant.kb_version
        )
        if resume:
            manifest.check(work / "manifest.json", now)
        else:
            _empty(work)
            manifest.save(work / "manifest.json", now)
        database = Work(work / "work.db")
        try:
            worker = Worker(self.assistant, self.options, self.sources)
            with Workers(worker) as workers:
                parts = self._collect(database, workers)
                self._classify(database, workers)
                self._judge(parts, workers, database)
            return self._join(parts, database, worker.names)
        finally:
            database.close()

    def _collect(self, database: Work, workers: Workers) -> int:
        """The number of parts, once all their questions are known."""
        if parts := database.done("collected"):
            self._size = database.done("lines")
            return parts
        done, lines = database.done("collect"), 0

        def waiting() -> Iterator[Part]:
            nonlocal lines
            for part in self.sources.parts():
                if part.number >= done:
                    yield part
                else:
                    lines += len(part.rows)

        parts = done
        for part, gathered in workers.collect(waiting()):
            database.gather(part.number, gathered)
            parts, lines = part.number + 1, lines + len(part.rows)
            self.progress(Stage.READ, lines, self._size)
        if not parts:
            raise InputError("没有数据行")
        self._size = lines
        database.finish_collecting(parts, lines)
        return parts

    def _classify(self, database: Work, workers: Workers) -> None:
        total, done = database.count("questions"), database.count("answers")
        for _, answers in workers.classify(database.open_questions()):
            database.answer(answers)
            done += len(answers)
            self.progress(Stage.CLASSIFY, done, total)

    def _judge(self, parts: int, workers: Workers, database: Work) -> None:
        lines = 0

        def waiting() -> Iterator[Part]:
            nonlocal lines
            for part in self.sources.parts():
                if self._stem(part.number).with_suffix(".json").exists():
                    lines += len(part.rows)
                    self._count(part.number)
                else:
                    yield part

        for part, size in workers.write(waiting()):
            lines += size
            self._count(part.number)
            self.progress(Stage.JUDGE, lines, self._size)

    def _count(self, number: int) -> None:
        total = self._kept(number)["tally"]["total"]
        self.faulty += total.get("faulty", [0])[LINES]
        self.rejected += total.get("rejected", [0])[LINES]

    def _kept(self, number: int) -> dict[str, Any]:
        """What a judged part keeps beside its rows: tally and rejects."""
        kept: dict[str, Any] = orjson.loads(self._stem(number).with_suffix(".json").read_bytes())
        return kept

    def _stem(self, number: int) -> Path:
        return self.options.work / part_name(number)

    def _join(self, parts: int, database: Work, names: list[str]) -> Outcome:
        options = self.options
        files = [self._stem(n).with_suffix(f".{self.form}") for n in range(parts)]
        self.progress(Stage.WRITE, 0, None)
        temporary = options.work / "whole"
        join(self.form, files, names, temporary)
        tally = Tally()
        for kept in map(self._kept, range(parts)):
            tally.merge(kept["tally"])
        rejects = chain(
            ([e.context["file"], "", "", e.message] for e in self.sources.unreadable),
            (row for kept in map(self._kept, range(parts)) for row in kept["rejects"]),
        )
        templates: list[Path] = []
        notes = list(self.sources.notes)
        if self.template is not None:
            templates, left = fill(self.template, self._template_rows(parts), options.output)
            unfit = ([options.output.name, n, column, why] for n, column, why in left)
            rejects = chain(rejects, unfit)
            notes.append(f"官方模板版本 {self.template.version},共 {len(templates)} 个文件")
        queued = self._queue(parts, database) if options.review else 0
        rejected = _write_rejects(options.rejects, rejects)
        os.replace(temporary, options.output)
        return Outcome(
            lines=sum(tally.total.get(key, [0])[0] for key in ("judged", "rejected")),
            rejected=rejected,
            questions=database.count("questions"),
            tally=tally,
            consistency=database.seller_consistency(),
            templates=templates,
            queued=queued,
            notes=notes,
        )

    def _template_rows(self, parts: int) -> Iterator[tuple[int, dict[str, str] | str]]:
        """The template rows of all parts, each with its number in the output."""
        number = 1
        for n in range(parts):
            for line in self._stem(n).with_suffix(".template").read_bytes().splitlines():
                number += 1
                yield number, orjson.loads(line)

    def _queue(self, parts: int, database: Work) -> int:
        kept = (
            orjson.loads(line)
            for n in range(parts)
            for line in self._stem(n).with_suffix(".reviews").read_bytes().splitlines()
        )
        database.add_reviews(
            (key, question, orjson.dumps(fields).decode(), times, fen)
            for key, question, fields, times, fen in kept
        )
        run = manifest.run_of(self.options.work / "manifest.json")
        return enqueue(self.assistant, database, self.options.tenant, run, self.progress)


def _empty(folder: Path) -> None:
    """Take away what an earlier run left; the lock stays."""
    for path in folder.iterdir():
        if path.name != "lock":
            path.unlink()


def _write_rejects(path: Path, rejects: Iterator[list[Any]]) -> int:
    """The rows that were no lines, and how many; no file where there are none."""
    first = next(rejects, None)
    if first is None:
        path.unlink(missing_ok=True)
        return 0
    temporary, count = path.with_name(f".{path.name}.part"), 1
    with temporary.open("w", encoding="utf-8", newline="") as file:
        file.write(reject_lines([first], headed=True))
        for row in rejects:
            file.write(reject_lines([row], headed=False))
            count += 1
    os.replace(temporary, path)
    return count


def reject_lines(rejects: Iterable[list[Any]], headed: bool) -> str:
    """Rejects as CSV. headed: with what a file of them begins with."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    if headed:
        buffer.write(BOM)
        writer.writerow(["input", "row", "field", "reason"])
    writer.writerows([guarded(str(cell)) for cell in row] for row in rejects)
    return buffer.getvalue()
