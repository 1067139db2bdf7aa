"""A service on a database of its own, keys for it, and ways to call it: inside this process, or
over the network as `invoicer serve` runs."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from checks import bearer
from fastapi.testclient import TestClient
from sqlite_utils import Database

from api.app import create_app
from api.service import Service
from api.settings import ServiceSettings
from invoicer import Assistant
from invoicer.access import keys, tenants
from invoicer.access.principals import Role
from invoicer.settings import Settings
from invoicer.store import Store

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120

# (role, tenant, what else keys.create takes) → the text of a new key
KeyOf = Callable[..., str]


def data_dir_in(folder: Path) -> Path:
    """A data directory of its own that shares the compiled bundles of this test run."""
    data = folder / "data"
    data.mkdir()
    (data / "bundles").symlink_to((Settings().data_dir / "bundles").absolute())
    return data


def key_maker(store: Store) -> KeyOf:
    """Makes keys, and the tenants they belong to."""

    def make(role: Role = Role.CLIENT, tenant: str = "acme", **given: object) -> str:
        if store.row("select 1 from tenants where tenant = ?", [tenant]) is None:
            tenants.create(store, tenant)
        return keys.create(store, tenant, f"{tenant} {role}", role, **given)[1]

    return make


class StoreBesideTheLoop(Store):
    """The store, which no test may change from an event loop: whoever holds its write lock would
    keep all requests waiting."""

    def transaction(self, durable: bool = True) -> AbstractContextManager[Database]:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return super().transaction(durable)
        raise AssertionError("the event loop would wait for the store's write lock")


@pytest.fixture
def settings(assistant: Assistant, tmp_path, monkeypatch) -> ServiceSettings:
    """Settings on a fresh data directory and database; `assistant` has made the bundles."""
    monkeypatch.setenv("INVOICER_DATA_DIR", str(data_dir_in(tmp_path)))
    monkeypatch.setenv("INVOICER_DATABASE", str(tmp_path / "invoicer.db"))
    return ServiceSettings.load(lines_per_second=1_000_000)


@pytest.fixture
def service(settings: ServiceSettings, assistant: Assistant) -> Service:
    return Service(settings, StoreBesideTheLoop.open(settings.database_path), assistant)


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    """Calls the running service without a key; mistakes of ours come as answers, not raised."""
    app = create_app(service.settings, service)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def key_of(service: Service) -> KeyOf:
    return key_maker(service.store)


@pytest.fixture
def auth(key_of: KeyOf) -> Callable[..., dict[str, str]]:
    """Headers with a new key: `auth(Role.ADMIN, tenant="acme")`."""
    return lambda *args, **given: bearer(key_of(*args, **given))


@dataclass(frozen=True)
class Live:
    """`invoicer serve` in a process of its own."""

    url: str
    data_dir: Path
    store: Store
    key_of: KeyOf


@pytest.fixture(scope="session")
def live(assistant: Assistant, tmp_path_factory) -> Iterator[Live]:
    with serving(tmp_path_factory.mktemp("live")) as server:
        yield server


@pytest.fixture(scope="session")
def serve(assistant: Assistant) -> Callable[..., AbstractContextManager[Live]]:
    """`with serve(folder, INVOICER_…="…") as live`: a service of one's own."""
    return serving


@contextmanager
def serving(folder: Path, **variables: str) -> Iterator[Live]:
    """`invoicer serve` on a free port until the block ends; data and database in the folder."""
    data, database, log = folder / "data", folder / "invoicer.db", folder / "serve.log"
    if not data.exists():
        data_dir_in(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "api.cli", "serve", "--port", str(port)],
            cwd=ROOT, stdout=output, stderr=output,
            env={
                **os.environ, "PYTHONPATH": str(ROOT), "INVOICER_DATA_DIR": str(data),
                "INVOICER_DATABASE": str(database), **variables,
            },
        )  # fmt: skip
    try:
        if not _is_ready(url, process):
            pytest.fail(log.read_text(encoding="utf-8", errors="replace"))
        store = Store.open(database)
        yield Live(url, data, store, key_maker(store))
    finally:
        process.terminate()
        process.wait(60)


def _is_ready(url: str, process: subprocess.Popen[bytes]) -> bool:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return True
        except httpx.TransportError:
            time.sleep(0.1)
    return False
