"""`POST /v1/classify`, `POST /v1/feedback`: lines in, suggestions out; what was printed."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response
from pydantic import ValidationError

from api.answers import example, json_response, refusals
from api.errors import problem_of
from api.metrics import LINES, REVIEW_ITEMS
from api.once import IdempotencyKey, once
from api.schemas_line import (
    ClassifyIn,
    FeedbackIn,
    FeedbackOut,
    LineIn,
    OneIn,
    SuggestionOut,
    SuggestionsOut,
)
from api.security import Caller, TheService, allow, identify, serving
from api.service import Service
from invoicer import Assistant, InvoiceLine
from invoicer.access.principals import Principal, Role
from invoicer.errors import LineError
from invoicer.review import feedback
from invoicer.review.items import identity, item_of, needs_review
from invoicer.review.memory import with_known
from invoicer.suggestion import failed_dict

router = APIRouter(prefix="/v1", tags=["赋码"])
FEEDBACK_EXAMPLES: dict[str, Any] = {
    "打印了候选编码": {
        "value": {
            "line": {"name": "柚子味鱼排 200g", "unit": "袋"},
            "code": "1030109050000000000",
            "short_name": "水产加工品",
            "rate": "0.13",
        }
    }
}

ABOUT_CLASSIFY = """一行的字段直接写在最外层;多行写在 `lines` 中,逐行按原顺序答复。

`tier` 说明怎样使用答复:`strong` 可直接采用;`medium` 请按 `prompt` 确认;`weak` 不给编码,
由人从 `candidates` 中选。`questions` 是能定案的提问:把选中的 `answer` 填入该行的 `answer`
再问一次即可,例如“薯片”答“原切”。多行中无法赋码的行在原位给出 `error`,其他行照常答复。
"""
ABOUT_FEEDBACK = """告诉服务发票上最后印的编码和简称,连同 `review_id`(如有)。只作审核员的线索,
不会被当作正确答案学习。
"""
EXAMPLES: dict[str, Any] = {
    "一行": {"value": {"name": "柚子味鱼排 200g", "unit": "袋"}},
    "常用字段名": {"value": {"spmc": "停车费", "销方名称": "某某物业服务有限公司", "je": 300}},
    "回答提问": {"value": {"name": "薯片", "answer": "原切"}},
    "多行": {
        "value": {
            "lines": [{"name": "弹簧床垫 1.8m"}, {"name": "停车管理费", "taxpayer": "small"}],
            "review": "auto",
        }
    },
}


@router.post(
    "/classify",
    summary="给一行或最多 1000 行赋码",
    description=ABOUT_CLASSIFY,
    response_model=SuggestionOut | SuggestionsOut,
    responses={**example("classify"), **refusals(409, 413, 415, 422)},
)
@allow(Role.CLIENT)
async def classify(
    request: Request,
    body: Annotated[ClassifyIn, Body(openapi_examples=EXAMPLES)],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    # Asked for directly: each dependency that FastAPI solves costs a line's worth of time.
    service, caller = serving(request), identify(request)

    async def work() -> Response:
        review = (body.review or caller.review) == "auto"
        if isinstance(body, OneIn):
            line = body.to_line()
            (row,) = await _answers(request, service, service.assistant, caller, [line], review)
            return json_response(row)
        service.limit.take(caller.id, len(body.lines) - 1, caller.lines_per_second)
        assistant = service.assistant
        lines = [_read(raw) for raw in body.lines]
        rows = await _answers(request, service, assistant, caller, lines, review)
        return json_response(
            {
                "results": rows,
                "model_version": assistant.model_version,
                "kb_version": assistant.kb_version,
            }
        )

    return await once(request, service, caller, idempotency_key, work)


def _read(raw: object) -> InvoiceLine | LineError:
    """One line of many, or what is wrong with it."""
    try:
        return LineIn.model_validate(raw).to_line()
    except LineError as error:
        return error
    except ValidationError as error:
        field, problem = problem_of(error.errors()[0])
        return LineError(problem, field=field)


async def _answers(
    request: Request,
    service: Service,
    assistant: Assistant,
    caller: Principal,
    lines: list[InvoiceLine | LineError] | list[InvoiceLine],
    review: bool,
) -> list[dict[str, Any]]:
    """A row a line, in order, all by the same assistant."""
    good = [line for line in lines if isinstance(line, InvoiceLine)]
    good = with_known(service.store, caller.tenant, good, assistant.rate_table)
    suggestions = await service.dispatcher.suggest(assistant, good)
    answered = zip(good, suggestions, strict=True)
    rows = []
    tiers: Counter[str] = Counter()
    for line in lines:
        if isinstance(line, LineError):
            field = line.context.get("field")
            message = f"{field}: {line.message}" if field else line.message
            row = failed_dict(message, assistant.model_version, assistant.kb_version)
            tiers["failed"] += 1
        else:
            line, suggestion = next(answered)
            row = suggestion.to_dict()
            tiers[suggestion.tier.value] += 1
            who = identity(caller.tenant, line, assistant.rate_table) if review else None
            if who and needs_review(suggestion, who.item, service.queue.rules):
                service.inbox.put(item_of(caller.tenant, line, suggestion, who))
                REVIEW_ITEMS.inc()
                row["review_id"] = who.item
        row.setdefault("review_id", "")
        rows.append(row)
    for tier, count in tiers.items():
        LINES.labels(tier).inc(count)
    service.tally.add(caller.tenant, tiers)
    service.tally.add_answers(caller.tenant, zip(good, suggestions, strict=True))
    request.scope["noted"]["tiers"] = tiers
    if service.settings.log_names:
        request.scope["noted"]["names"] = [line.name for line in good]
    return rows


@router.post(
    "/feedback",
    summary="告知最终打印的编码",
    description=ABOUT_FEEDBACK,
    status_code=201,
    response_model=FeedbackOut,
    responses={**example("feedback", 201), **refusals(409, 413, 415, 422)},
)
@allow(Role.CLIENT)
async def give_feedback(
    request: Request,
    caller: Caller,
    service: TheService,
    body: Annotated[FeedbackIn, Body(openapi_examples=FEEDBACK_EXAMPLES)],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    async def work() -> Response:
        ident = await service.change(
            feedback.record, service.store, caller, body.line.to_line(), code=body.code,
            short_name=body.short_name, rate=body.rate, review_id=body.review_id,
        )  # fmt: skip
        return json_response({"feedback_id": ident}, 201)

    return await once(request, service, caller, idempotency_key, work)
