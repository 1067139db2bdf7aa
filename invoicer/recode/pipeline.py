"""A run from end to end: collect, classify, judge, join; each stage can be taken up again."""

from __future__ import annotations

import csv
import io
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
from invoicer.recode.reviews import enqueue
from invoicer.recode.sources import Part, Sources, expand
from invoicer.recode.tally import Tally
from invoicer.recode.work import Work
from invoicer.recode.workers import Worker, Workers, part_name
from invoicer.settings import Settings
from invoicer.store import Store

# Told how far a stage has come: its name in Chinese, done, total (None where not known).
Progress = Callable[[str, int, int | None], None]


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


def silent(stage: str, done: int, total: int | None) -> None:
    pass


class Run:
    """One re-coding under way, in a work folder beside its output."""

    def __init__(self, assistant: Assistant, options: Options, progress: Progress = silent):
        self.assistant = assistant
        self.options = options
        self.progress = progress
        self.form = options.form  # refused here where it is not known
        if not options.output.parent.is_dir():
            raise InputError(f"输出文件夹不存在:{options.output.parent}")
        if options.review:
            tenants.require(Store.open(Settings().database), options.tenant)
        self.template = OfficialTemplate(options.template) if options.template else None
        self.sources = Sources(expand(options.inputs), options.mapping)
        if options.output.resolve() in {s.path.resolve() for s in self.sources.sources}:
            raise InputError("输出文件不能是输入文件之一", file=str(options.output))
        sizes = [source.size for source in self.sources.sources]
        self._size = None if None in sizes else sum(size or 0 for size in sizes)

    def run(self, resume: bool = False) -> Outcome:
        """Do what is not done yet; the work folder goes when the output is there."""
        work = self.options.work
        if resume and not work.is_dir():
            raise InputError(f"没有未完成的任务:{work} 不存在", file=str(work))
        work.mkdir(exist_ok=True)
        try:
            with FileLock(work / "lock", timeout=0):
                return self._run(work, resume)
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
            outcome = self._join(parts, database, worker.names)
        finally:
            database.close()
        shutil.rmtree(work)
        return outcome

    def _collect(self, database: Work, workers: Workers) -> int:
        """The number of parts, once all their questions are known."""
        if parts := database.done("collected"):
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
            self.progress("读取", lines, self._size)
        if not parts:
            raise InputError("没有数据行")
        self._size = lines
        database.finish_collecting(parts)
        return parts

    def _classify(self, database: Work, workers: Workers) -> None:
        total, done = database.count("questions"), database.count("answers")
        for _, answers in workers.classify(database.open_questions()):
            database.answer(answers)
            done += len(answers)
            self.progress("赋码(不重复的名称)", done, total)

    def _judge(self, parts: int, workers: Workers, database: Work) -> None:
        lines = 0

        def waiting() -> Iterator[Part]:
            nonlocal lines
            for part in self.sources.parts():
                if self._stem(part.number).with_suffix(".json").exists():
                    lines += len(part.rows)
                else:
                    yield part

        for _, size in workers.write(waiting()):
            lines += size
            self.progress("判断", lines, self._size)

    def _stem(self, number: int) -> Path:
        return self.options.work / part_name(number)

    def _join(self, parts: int, database: Work, names: list[str]) -> Outcome:
        options = self.options
        files = [self._stem(n).with_suffix(f".{self.form}") for n in range(parts)]
        self.progress("写出", 0, None)
        temporary = options.work / "whole"
        join(self.form, files, names, temporary)
        tally = Tally()
        rejects = [[e.context["file"], "", "", e.message] for e in self.sources.unreadable]
        for n in range(parts):
            kept = orjson.loads(self._stem(n).with_suffix(".json").read_bytes())
            tally.merge(kept["tally"])
            rejects += kept["rejects"]
        templates: list[Path] = []
        notes = list(self.sources.notes)
        if self.template is not None:
            templates, left = fill(self.template, self._template_rows(parts), options.output)
            rejects += [[options.output.name, n, column, why] for n, column, why in left]
            notes.append(f"官方模板版本 {self.template.version},共 {len(templates)} 个文件")
        queued = self._queue(parts, database) if options.review else 0
        _write_rejects(options.rejects, rejects)
        os.replace(temporary, options.output)
        return Outcome(
            lines=sum(tally.total.get(key, [0])[0] for key in ("judged", "rejected")),
            rejected=len(rejects),
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
            (key, orjson.dumps(f).decode(), times, fen) for key, f, times, fen in kept
        )
        return enqueue(self.assistant, database, self.options.tenant, self.progress)


def _empty(folder: Path) -> None:
    """Take away what an earlier run left; the lock stays."""
    for path in folder.iterdir():
        if path.name != "lock":
            path.unlink()


def _write_rejects(path: Path, rejects: list[list[Any]]) -> None:
    """The rows that were no lines; no file where there are none."""
    if not rejects:
        path.unlink(missing_ok=True)
        return
    temporary = path.with_name(f".{path.name}.part")
    with temporary.open("w", encoding="utf-8", newline="") as file:
        file.write(reject_lines(rejects, headed=True))
    os.replace(temporary, path)


def reject_lines(rejects: list[list[Any]], headed: bool) -> str:
    """Rejects as CSV. headed: with what a file of them begins with."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    if headed:
        buffer.write(BOM)
        writer.writerow(["input", "row", "field", "reason"])
    writer.writerows([guarded(str(cell)) for cell in row] for row in rejects)
    return buffer.getvalue()
