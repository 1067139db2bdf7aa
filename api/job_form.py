"""The form with which a file is handed in: what may be asked for, and what goes together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile

from api.schemas_job import JobIn
from api.uploads import file_of, multipart
from invoicer.access.principals import Principal
from invoicer.columns import given_columns
from invoicer.errors import InputError
from invoicer.jobs.job import Kind, Options
from invoicer.readers import SUFFIXES
from invoicer.recode.einvoice import EINVOICE_SUFFIXES
from invoicer.recode.options import FORMS
from invoicer.recode.sources import READABLE
from invoicer.writers import FORMATS

MAX_FORM_FIELDS = 70
INPUTS: Mapping[Kind, Sequence[str]] = {Kind.CLASSIFY: SUFFIXES, Kind.RECODE: READABLE}
OUTPUTS: Mapping[Kind, Sequence[str]] = {Kind.CLASSIFY: FORMATS, Kind.RECODE: FORMS}
# Fields that one kind alone knows.
ONLY = {"rates": Kind.CLASSIFY, "report": Kind.RECODE, "template": Kind.RECODE}
UPLOAD = multipart(
    {
        "file": f"{' '.join(SUFFIXES)} 文件,须有商品名称列;"
        f"recode 另可用 {' '.join(EINVOICE_SUFFIXES)}",
        "template": "只用于 recode:自己下载的最新官方批量开票模板(xlsx),填好后可下载",
    },
    JobIn.model_json_schema(ref_template="#/components/schemas/{model}")["properties"],
    {"kind": "recode", "format": "xlsx", "on": "2026-11-27", "taxpayer": "small"},
)


@dataclass(frozen=True, slots=True)
class Asked:
    """suffix: ending of the file's name, all that is used of it."""

    file: IO[bytes]
    suffix: str
    template: IO[bytes] | None
    options: Options


def read_form(form: FormData, caller: Principal, random_slice: float) -> Asked:
    """What a form asks for. Raises RequestValidationError for a field that does not fit, and
    InputError for what does not go together."""
    upload, template = file_of(form), _template(form)
    options = _options(form, caller, random_slice, template is not None)
    suffix = _suffix(upload, options.kind)
    return Asked(upload.file, suffix, template.file if template else None, options)


def _template(form: FormData) -> UploadFile | None:
    """The official template; None where the field is left out or left empty."""
    given = form.get("template")
    if not given or (isinstance(given, UploadFile) and not given.filename and not given.size):
        return None
    template = file_of(form, "template")
    if PurePath(template.filename or "").suffix.lower() != ".xlsx" or not template.size:
        raise InputError("模板应是从电子税务局下载的 .xlsx 文件", field="template")
    return template


def _suffix(upload: UploadFile, kind: Kind) -> str:
    """The ending of a file's name; raises InputError for one that is not taken."""
    suffix = PurePath(upload.filename or "").suffix.lower()
    if suffix not in INPUTS[kind]:
        raise InputError(f"不支持的文件类型,请使用 {' '.join(INPUTS[kind])}", field="file")
    if not upload.size:
        raise InputError("文件是空的", field="file")
    return suffix


def _options(form: FormData, caller: Principal, random_slice: float, template: bool) -> Options:
    """What the fields ask for; an empty one is none."""
    fields = {k: v for k, v in form.items() if k not in ("file", "template", "map") and v != ""}
    columns = [pair for pair in form.getlist("map") if pair != ""]
    try:
        given = JobIn.model_validate({**fields, "map": columns})
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None
    kind = given.kind
    for field, value in (
        ("rates", given.rates), ("report", given.report), ("template", template),
    ):  # fmt: skip
        if value and kind is not ONLY[field]:
            raise InputError(f"{field} 只用于 kind={ONLY[field]}", field=field)
    if given.format not in OUTPUTS[kind]:
        raise InputError(f"kind={kind} 的结果格式只能是 {'、'.join(OUTPUTS[kind])}", field="format")
    return Options(
        form=given.format,
        on=given.on,
        taxpayer=given.taxpayer,
        seller_industry=given.seller_industry,
        review=(given.review or caller.review) == "auto",
        random_slice=random_slice,
        rates=given.rates,
        kind=kind,
        mapping=given_columns(given.map),
        report=kind is Kind.RECODE and given.report is not False,
        template=template,
    )
