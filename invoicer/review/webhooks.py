"""Telling callers what became of their items: signed POSTs to addresses that were allowed."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import ipaddress
import json
import secrets
import socket
import ssl
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

from invoicer.access import audit, tenants
from invoicer.errors import InputError
from invoicer.store import Store, utc_text

PAUSES = (60, 300, 1_800, 7_200, 43_200)  # seconds before each further attempt
CLAIM_SECONDS = 120
TIMEOUT = 10.0
AT_ONCE = 20
PORTS = (443, 8443)
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def add(store: Store, tenant: str, url: str, hosts: Collection[str]) -> tuple[str, str]:
    """A new webhook of a tenant; returns (id, secret), the secret to be shown once.

    hosts: those that may be called; raises InputError for any other or an unsafe address.
    """
    tenants.require(store, tenant)
    check_url(url, hosts)
    ident, secret = "wh_" + secrets.token_hex(8), secrets.token_urlsafe(32)
    with store.transaction() as db:
        db.execute("insert into webhooks values (?, ?, ?, ?, ?)",
                   [ident, tenant, url, secret, utc_text()])  # fmt: skip
        audit.record(store, tenant, audit.OPERATOR, "webhook.add", ident, url=url)
    return ident, secret


def remove(store: Store, ident: str) -> None:
    """End a webhook and what it still had to deliver."""
    with store.transaction() as db:
        row = store.row("select tenant from webhooks where id = ?", [ident])
        if row is None:
            raise InputError(f"没有回调“{ident[:40]}”")
        db.execute("delete from webhooks where id = ?", [ident])
        audit.record(store, row["tenant"], audit.OPERATOR, "webhook.remove", ident)


def webhooks(store: Store, tenant: str | None = None) -> list[dict[str, Any]]:
    """Webhooks without their secrets, with what waits and what failed for good."""
    return store.rows(
        """select w.id, w.tenant, w.url, w.created_at,
                  count(d.id) filter (where d.due_at is not null) as waiting,
                  count(d.id) filter (where d.due_at is null and d.delivered_at is null) as failed
           from webhooks w left join deliveries d on d.webhook = w.id
           where :tenant is null or w.tenant = :tenant group by w.id order by w.created_at""",
        {"tenant": tenant},
    )


def enqueue(
    store: Store, about: dict[str, Any], event: str, code: str, why: str, id_name: str = "review_id"
) -> None:
    """Note what has to be told about an item, inside the transaction that makes it true.

    id_name: what its id is called in the message.
    """
    now = utc_text()
    body = {"event": event, id_name: about["id"], "code": code, "why": why, "at": now}
    for hook in store.rows("select id from webhooks where tenant = ?", [about["tenant"]]):
        store.db.execute(
            "insert into deliveries (id, webhook, tenant, body, created_at, due_at)"
            " values (?, ?, ?, ?, ?, ?)",
            ["dl_" + secrets.token_hex(12), hook["id"], about["tenant"],
             json.dumps(body, ensure_ascii=False), now, now],
        )  # fmt: skip


def check_url(url: str, hosts: Collection[str]) -> SplitResult:
    """The parts of an address that may be called; raises InputError for any other."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InputError("回调地址无效", field="url") from None
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.fragment:
        raise InputError("回调地址须是不含用户名的 https 地址", field="url")
    if parts.hostname not in hosts or port not in (None, *PORTS):
        raise InputError(
            f"主机 {parts.hostname} 不在 INVOICER_WEBHOOK_HOSTS 允许的名单中,或端口不允许",
            field="url",
        )
    return parts


def signature(secret: str, at: str, body: str) -> str:
    """`v1=` and the hex HMAC-SHA256 of `AT.BODY`."""
    digest = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256)
    return "v1=" + digest.hexdigest()


def is_public(address: str) -> bool:
    """Whether an address is one of the open internet. What only carries an IPv4 address is as
    public as that one."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        carried = found.ipv4_mapped or found.sixtofour
        if found in NAT64:
            carried = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        found = carried or found
    return found.is_global and not found.is_multicast


@dataclass(slots=True)
class Sender:
    """Delivers what is due. hosts: those that may be called; permitted: which of their addresses;
    trust: certificates, the system's by default."""

    store: Store
    hosts: Collection[str]
    permitted: Callable[[str], bool] = is_public
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def deliver_due(self) -> int:
        """Try everything that is due once; returns how many were taken in."""
        delivered = 0
        for row in self._claim():
            problem = self._post(row)
            delivered += not problem
            self._note(row, problem)
        return delivered

    def _claim(self) -> list[dict[str, Any]]:
        """Due deliveries, put off for a while so that no other worker sends them too."""
        now = dt.datetime.now(dt.UTC)
        later = utc_text(now + dt.timedelta(seconds=CLAIM_SECONDS))
        with self.store.transaction() as db:
            rows = self.store.rows(
                """select d.*, w.url, w.secret from deliveries d join webhooks w on w.id = d.webhook
                   where d.due_at <= ? order by d.due_at limit ?""",
                [utc_text(now), AT_ONCE],
            )
            db.conn.executemany(
                "update deliveries set due_at = ? where id = ?", [(later, r["id"]) for r in rows]
            )
        return rows

    def _post(self, row: dict[str, Any]) -> str:
        """What went wrong; empty where the receiver took it in."""
        # Loaded when there is something to send: the command line starts without it.
        import httpx

        try:
            parts = check_url(row["url"], self.hosts)
            host, port = str(parts.hostname), parts.port or 443
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found = sorted({str(answer[4][0]) for answer in answers})
            if not all(map(self.permitted, found)):
                return "address is not public"
            # Called by the address that was checked: a name that is looked up again may differ.
            target = f"[{found[0]}]" if ":" in found[0] else found[0]
            at = utc_text()
            with httpx.Client(verify=self.trust, timeout=TIMEOUT, trust_env=False) as client:
                request = client.build_request(
                    "POST",
                    parts._replace(netloc=f"{target}:{port}").geturl(),
                    content=row["body"].encode(),
                    headers={
                        "Host": parts.netloc,
                        "Content-Type": "application/json",
                        "X-Invoicer-Delivery": row["id"],
                        "X-Invoicer-Timestamp": at,
                        "X-Invoicer-Signature": signature(row["secret"], at, row["body"]),
                    },
                    extensions={"sni_hostname": host},
                )
                response = client.send(request, stream=True, follow_redirects=False)
                response.close()
            return "" if response.is_success else f"status {response.status_code}"
        except InputError as error:
            return error.message
        except (httpx.HTTPError, OSError, ValueError) as error:
            return type(error).__name__

    def _note(self, row: dict[str, Any], problem: str) -> None:
        attempts = row["attempts"] + 1
        due = None
        if problem and attempts <= len(PAUSES):
            pause = dt.timedelta(seconds=PAUSES[attempts - 1])
            due = utc_text(dt.datetime.now(dt.UTC) + pause)
        with self.store.transaction() as db:
            db.execute(
                "update deliveries set attempts = ?, due_at = ?, problem = ?, delivered_at = ?"
                " where id = ?",
                [attempts, due, problem, None if problem else utc_text(), row["id"]],
            )
