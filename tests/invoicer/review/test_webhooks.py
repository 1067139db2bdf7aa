"""Webhooks: only allowed https hosts at public addresses, signed, retried, never redirected."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import trustme

from invoicer.access.principals import Principal
from invoicer.errors import InputError
from invoicer.review import webhooks
from invoicer.review.decisions import Decisions
from invoicer.review.webhooks import PAUSES, Sender, is_public, signature
from invoicer.store import Store

People = dict[str, Principal]
HOST = "localhost"


@dataclass
class Receiver:
    """A real https server on this machine; status: what it answers."""

    port: int
    authority: trustme.CA
    status: int = 200
    got: list[tuple[dict[str, str], str]] = field(default_factory=list)

    def sender(self, store: Store) -> Sender:
        trust = ssl.create_default_context()
        self.authority.configure_trust(trust)
        return Sender(store, {HOST}, permitted=lambda address: True, trust=trust)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    authority = trustme.CA()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            here.got.append((dict(self.headers), body))
            self.send_response(here.status)
            self.send_header("Location", f"https://{HOST}:{here.port}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    here = Receiver(server.server_port, authority)
    # A test server cannot have port 443.
    monkeypatch.setattr(webhooks, "PORTS", (server.server_port,))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield here
    server.shutdown()


@pytest.fixture
def hook(store: Store, receiver: Receiver) -> str:
    """The secret of acme's webhook."""
    url = f"https://{HOST}:{receiver.port}/hook?a=1"
    return webhooks.add(store, "acme", url, {HOST})[1]


@pytest.mark.parametrize(
    "url",
    ["http://erp.example/hook", "https://evil.example/", "https://erp.example@evil.example/",
     "https://user:pw@erp.example/", "https://erp.example:22/", "https://erp.example:x/",
     "https:///hook", "file:///etc/passwd", "https://169.254.169.254/"],
)  # fmt: skip
def test_only_https_to_allowed_hosts(store: Store, url: str) -> None:
    with pytest.raises(InputError):
        webhooks.add(store, "acme", url, {"erp.example"})


def test_no_host_is_allowed_by_default(store: Store) -> None:
    with pytest.raises(InputError, match="INVOICER_WEBHOOK_HOSTS"):
        webhooks.add(store, "acme", "https://erp.example/hook", ())


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "::1", "fd00::1",
                "::ffff:10.0.0.1", "0.0.0.0", "100.64.0.1",
                "64:ff9b::7f00:1", "2002:a00:1::", "224.0.0.1", "ff0e::1"],
)  # fmt: skip
def test_private_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "64:ff9b::808:808"])
def test_addresses_of_the_open_internet_are(address: str) -> None:
    assert is_public(address)


def test_a_private_address_is_never_called(
    store: Store, receiver: Receiver, hook: str, decisions: Decisions, people: People,
    add_line: Callable[..., str],
) -> None:  # fmt: skip
    decisions.send_back(people["anna"], add_line("薯片"), "原切还是薯泥?")
    assert Sender(store, {HOST}).deliver_due() == 0
    assert receiver.got == []
    assert store.rows("select problem from deliveries") == [{"problem": "address is not public"}]


def test_what_became_of_an_item_is_told_and_signed(
    store: Store, receiver: Receiver, hook: str, decisions: Decisions, people: People,
    add_line: Callable[..., str],
) -> None:  # fmt: skip
    item = add_line("薯片")
    decisions.send_back(people["anna"], item, "原切还是薯泥?")
    assert receiver.sender(store).deliver_due() == 1
    ((headers, body),) = receiver.got
    told = json.loads(body)
    assert (told["event"], told["review_id"], told["why"]) == (
        "review.sent_back", item, "原切还是薯泥?",
    )  # fmt: skip
    assert headers["X-Invoicer-Signature"] == signature(hook, headers["X-Invoicer-Timestamp"], body)
    assert receiver.sender(store).deliver_due() == 0


def test_other_tenants_are_not_told(
    store: Store, receiver: Receiver, hook: str, decisions: Decisions, people: People,
    add_line: Callable[..., str],
) -> None:  # fmt: skip
    decisions.send_back(people["otto"], add_line("薯片", "other"), "原切还是薯泥?")
    assert receiver.sender(store).deliver_due() == 0


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_refusal_is_tried_again_later_and_given_up_in_the_end(
    store: Store, receiver: Receiver, hook: str, decisions: Decisions, people: People,
    add_line: Callable[..., str], status: int,
) -> None:  # fmt: skip
    receiver.status = status
    decisions.send_back(people["anna"], add_line("薯片"), "原切还是薯泥?")
    sender = receiver.sender(store)
    for _ in range(len(PAUSES) + 3):
        sender.deliver_due()
        store.db.execute("update deliveries set due_at = '2020' where due_at is not null")
    assert len(receiver.got) == len(PAUSES) + 1
    (row,) = webhooks.webhooks(store, "acme")
    assert (row["waiting"], row["failed"]) == (0, 1)


def test_an_undone_transaction_tells_nothing(
    store: Store, receiver: Receiver, hook: str, decisions: Decisions, people: People,
    add_line: Callable[..., str],
) -> None:  # fmt: skip
    with pytest.raises(RuntimeError), store.transaction():
        decisions.send_back(people["anna"], add_line("薯片"), "原切还是薯泥?")
        raise RuntimeError
    assert receiver.sender(store).deliver_due() == 0


def test_a_removed_webhook_is_not_called(
    store: Store, receiver: Receiver, hook: str, decisions: Decisions, people: People,
    add_line: Callable[..., str],
) -> None:  # fmt: skip
    decisions.send_back(people["anna"], add_line("薯片"), "原切还是薯泥?")
    webhooks.remove(store, webhooks.webhooks(store)[0]["id"])
    assert receiver.sender(store).deliver_due() == 0
