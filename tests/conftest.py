"""What all tests share: one assistant a session, on the bundle of this data directory.

The bundle is compiled on first use under a lock and shared between test processes; set
INVOICER_DATA_DIR to keep it elsewhere.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# pytest puts tests/ on the path, whose folders models/ and invoicer/ would pass for the packages.
sys.path.insert(0, str(ROOT))

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

from invoicer import Assistant  # noqa: E402
from knowledge_base import KnowledgeBase  # noqa: E402
from models.compiled import Compiled  # noqa: E402
from models.reading import Reader  # noqa: E402
from models.tokenizer import available_engine  # noqa: E402

settings.register_profile("invoicer", deadline=None, max_examples=100)
settings.load_profile("invoicer")


@pytest.fixture(scope="session")
def assistant() -> Assistant:
    return Assistant.load()


@pytest.fixture(scope="session")
def kb(assistant: Assistant) -> KnowledgeBase:
    return assistant.kb


@pytest.fixture(scope="session")
def reader(compiled: Compiled) -> Reader:
    return compiled.words.reader(available_engine())


@pytest.fixture(scope="session")
def compiled(assistant: Assistant) -> Compiled:
    return assistant.matcher.compiled
