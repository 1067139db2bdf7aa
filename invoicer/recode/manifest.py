"""What a run was started with: it is resumed only where nothing of that has changed."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import orjson

from invoicer.errors import InputError
from invoicer.files import write_whole
from invoicer.recode.options import Options
from invoicer.recode.sources import PART_ROWS, Sources

FORMAT = 2
_LABELS = {
    "inputs": "输入文件", "mapping": "--map", "defaults": "默认日期等", "form": "输出格式",
    "raw": "--raw", "review": "--review", "tenant": "租户", "template": "模板",
    "model_version": "模型版本", "kb_version": "知识库版本", "part_rows": "分段大小",
    "format": "程序版本", "header": "表头",
}  # fmt: skip


class NotResumableError(InputError):
    """Nothing was begun, or what was begun is something else."""


def manifest_of(
    options: Options, sources: Sources, model_version: str, kb_version: str
) -> dict[str, Any]:
    """Everything that the output depends on."""
    return {
        "format": FORMAT,
        "part_rows": PART_ROWS,
        "inputs": [_identity(source.path) for source in sources.sources],
        "header": sources.header,
        "mapping": dict(options.mapping),
        "defaults": {
            name: str(getattr(options.defaults, name) or "")
            for name in ("date", "taxpayer", "seller_industry", "answer")
        },
        "form": options.form,
        "raw": options.raw,
        "review": options.review,
        "tenant": options.tenant,
        "template": _identity(options.template) if options.template else None,
        "model_version": model_version,
        "kb_version": kb_version,
    }


def _identity(path: Path) -> list[Any]:
    stat = path.stat()
    return [str(path.resolve()), stat.st_size, stat.st_mtime_ns]


def check(path: Path, now: dict[str, Any]) -> None:
    """Raises InputError where a run was started otherwise than it would be resumed."""
    try:
        before = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise NotResumableError(
            f"{path.parent} 中没有可以继续的任务,请去掉 --resume 重新开始"
        ) from error
    changed = [label for key, label in _LABELS.items() if before.get(key) != now[key]]
    if changed:
        raise NotResumableError(
            f"与上次相比已改变:{'、'.join(changed)};不能继续,请去掉 --resume 重新开始",
            changed=changed,
        )


def save(path: Path, now: dict[str, Any]) -> None:
    """Keep what a new run was started with, and a name of its own for it."""
    write_whole(path, orjson.dumps({**now, "run": uuid.uuid4().hex}))


def run_of(path: Path) -> str:
    """The name that a run keeps when it is resumed."""
    return str(orjson.loads(path.read_bytes())["run"])
