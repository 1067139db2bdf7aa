"""What the OpenAPI description says is what the service does, for any input made from it.

Schemathesis makes valid and invalid requests from the description; they go to `invoicer serve`.
Two of its checks are left out, for two decisions: text fields take numbers too, and some valid
text is no valid line (an empty name, a date before VAT).
"""

from __future__ import annotations

import pytest
import schemathesis
from checks import bearer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS

from api.app import create_app
from api.settings import ServiceSettings

EXAMPLES = 40  # for each operation and kind of request
DESCRIPTION = schemathesis.openapi.from_dict(create_app(ServiceSettings()).openapi())
OPERATIONS = {found.ok().label: found.ok() for found in DESCRIPTION.get_all_operations()}
LEFT_OUT = CHECKS.get_by_names(["positive_data_acceptance", "negative_data_rejection"])


@pytest.fixture(scope="session")
def key(live) -> dict[str, str]:
    """A key of a tenant of its own, whose items disturb no other test."""
    return bearer(live.key_of(tenant="fuzz", review="auto", lines_per_second=1_000_000))


@pytest.mark.parametrize(
    ("operation", "mode"),
    [
        (label, mode)
        for label, found in OPERATIONS.items()
        for mode in GenerationMode
        # Where nothing is given, nothing can be given wrongly.
        if mode is GenerationMode.POSITIVE or found.query or found.path_parameters or found.body
    ],
)
def test_every_operation_answers_as_described(
    live, key: dict[str, str], operation: str, mode: GenerationMode
) -> None:
    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(data=st.data())
    def call(data: st.DataObject) -> None:
        case = data.draw(OPERATIONS[operation].as_strategy(generation_mode=mode))
        case.call_and_validate(base_url=live.url, headers=key, excluded_checks=LEFT_OUT)

    call()
