"""A database of its own for each test, with one tenant in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from invoicer.access import tenants
from invoicer.store import Store


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "service" / "invoicer.db"


@pytest.fixture
def store(database: Path) -> Store:
    store = Store.open(database)
    tenants.create(store, "acme")
    return store
