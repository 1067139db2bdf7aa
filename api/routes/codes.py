"""`/v1/codes`, `/v1/rates`: looking codes and rates up."""

from __future__ import annotations

import datetime as dt
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from api.answers import example, json_response, refusals
from api.schemas_code import CodeHitsOut, CodeOut, RatesOut
from api.security import TheService, allow
from invoicer.access.principals import Role
from invoicer.line import FIRST_DAY, today
from invoicer.suggestion import advice_dict
from invoicer.typeahead import MAX_QUERY
from knowledge_base.rate_advice import TaxpayerType

router = APIRouter(prefix="/v1", tags=["编码与税率"])
MAX_HITS = 50
MAX_EVERYDAY = 50
CodePath = Annotated[
    str, Path(description="税收分类编码,19 位数字", examples=["1030109050000000000"])
]
On = Annotated[dt.date | None, Query(description="日期,省略为今天", ge=FIRST_DAY)]


@router.get(
    "/codes",
    summary="边输边查:名称、关键字、俗名、编码开头或拼音首字母",
    description="只列发票上可以用的编码。例如“软体”“席梦思”“rtjj”都能找到软体家具。",
    response_model=CodeHitsOut,
    responses={**example("codes"), **refusals(422)},
)
@allow(Role.CLIENT)
async def find_codes(
    service: TheService,
    q: Annotated[str, Query(min_length=1, max_length=MAX_QUERY, examples=["软体", "rtjj"])],
    on: On = None,
    limit: Annotated[int, Query(ge=1, le=MAX_HITS)] = 10,
) -> Response:
    taxonomy, day = service.assistant.kb.taxonomy, on or today()
    hits = [
        {
            "code": hit.code.code,
            "name": hit.code.name,
            "short_name": taxonomy.short_name(hit.code.code, day),
            "path": [step.name for step in taxonomy.path(hit.code.code)],
            "matched": hit.matched,
        }
        for hit in service.type_ahead.search(q, day, limit)
    ]
    return json_response({"results": hits, "kb_version": service.assistant.kb_version})


@router.get(
    "/codes/{code}",
    summary="一个编码:层级、关键字、包括与不包括、俗名",
    description="例如 1030109050000000000 是鱼糜（熟肉）制品,印在发票上的简称是水产加工品。",
    response_model=CodeOut,
    responses={**example("code"), **refusals(404, 422)},
)
@allow(Role.CLIENT)
async def show_code(service: TheService, code: CodePath, on: On = None) -> Response:
    kb, row = service.assistant.kb, service.tax_code(code)
    everyday = (name for owner, name in kb.lexicon.everyday_names() if owner == code)
    return json_response(
        {
            "code": row.code,
            "name": row.name,
            "short_name": kb.taxonomy.short_name(code, on or today()),
            "path": [step.name for step in kb.taxonomy.path(code)],
            "is_leaf": row.is_leaf,
            "is_catch_all": row.is_catch_all,
            "keywords": row.keywords,
            "includes": row.includes,
            "excludes": [{"term": e.term, "code": e.code} for e in row.excludes],
            "special_treatments": row.special_treatments,
            "valid_from": row.valid_from,
            "valid_to": row.valid_to,
            "everyday_names": list(islice(everyday, MAX_EVERYDAY)),
            "kb_version": service.assistant.kb_version,
        }
    )


@router.get(
    "/rates/{code}",
    summary="某日、某类纳税人可能适用的所有税率及条件",
    description="第一个是没有其他事实时适用的税率;其余各有条件和法律依据。"
    "例如鱼糜制品 1030109050000000000 在 2017 年是 17%,2018 年 6 月是 16%,2019 年 4 月起是 13%。",
    response_model=RatesOut,
    responses={**example("rates"), **refusals(404, 422)},
)
@allow(Role.CLIENT)
async def show_rates(
    service: TheService,
    code: CodePath,
    on: On = None,
    taxpayer: Annotated[
        TaxpayerType, Query(description="general 一般纳税人,small 小规模纳税人")
    ] = TaxpayerType.GENERAL,
) -> Response:
    row, day = service.tax_code(code), on or today()
    advice = service.assistant.rate_table.advise(row, day, taxpayer)
    return json_response(
        {
            "code": row.code,
            "on": day,
            "taxpayer": taxpayer,
            "rates": [advice_dict(one) for one in advice],
            "kb_version": service.assistant.kb_version,
        }
    )
