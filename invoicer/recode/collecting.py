"""First pass over a part: which questions it asks, and how its sellers coded each name."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping

from invoicer.batch import Defaults
from invoicer.recode.judge import Judge
from invoicer.recode.lines import Heads, plain_name, row_of, seller_of
from invoicer.recode.questions import question_of
from invoicer.recode.work import Gathered, GroupKey
from knowledge_base.taxonomy import is_code

NAME_BYTES = 8


def name_key(name: str) -> bytes:
    """The name of a product as it is grouped by."""
    plain = plain_name(name).encode("utf-8", "replace")
    return hashlib.blake2b(plain, digest_size=NAME_BYTES).digest()


def gather(
    judge: Judge,
    rows: list[list[str]],
    places: Mapping[str, int],
    defaults: Defaults,
    heads: Heads,
) -> Gathered:
    """What the rows of a part hold; rows that are no lines hold nothing. heads: of the rows
    before."""
    questions: dict[bytes, str] = {}
    groups: Counter[GroupKey] = Counter()
    for cells in rows:
        row = row_of(cells, places, defaults, heads)
        if row.line is None:
            continue
        question = question_of(row.fields, judge.period(row.line.date))
        key = question.hash
        if key not in questions:
            questions[key] = question.text
        code = row.fields.get("declared_code", "").strip()
        if is_code(code):
            group = (seller_of(row.fields), name_key(question.name), question.period, code)
            groups[group] += 1
    return Gathered(questions, groups)
