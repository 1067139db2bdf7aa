"""The schema, step by step. A step that was released never changes; a new one is added below it."""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

MIGRATIONS = Migrations("invoicer")


def run_script(db: Database, script: str) -> None:
    """Run statements one by one: sqlite3's own executescript would end the transaction.

    Statements are separated by lines that hold a single semicolon.
    """
    for statement in script.split("\n;\n"):
        if statement.strip():
            db.execute(statement)


@MIGRATIONS()
def m001_principals(db: Database) -> None:
    run_script(
        db,
        """
create table tenants (
  tenant text primary key,
  name text not null,
  created_at text not null,
  retention_days integer,
  erased_at text
)
;
create table principals (
  principal text primary key,
  tenant text not null references tenants,
  kind text not null check (kind in ('key', 'user')),
  name text not null,
  role text not null check (role in ('client', 'reviewer', 'expert', 'admin')),
  created_at text not null,
  disabled_at text
)
;
create table keys (
  principal text primary key references principals on delete cascade,
  tenant text not null references tenants,
  sha256 text not null,
  review text not null check (review in ('none', 'auto')),
  lines_per_second real,
  expires_at text
)
;
create table audit (
  id integer primary key,
  at text not null,
  tenant text not null,
  actor text not null,
  action text not null,
  subject text not null,
  detail text not null
)
;
create index audit_tenant on audit (tenant, id)
;
create trigger audit_keeps_rows before delete on audit
begin select raise(abort, 'the audit is append-only'); end
;
create trigger audit_keeps_values before update on audit
begin select raise(abort, 'the audit is append-only'); end
""",
    )


@MIGRATIONS()
def m002_answers(db: Database) -> None:
    run_script(
        db,
        """
create table review_items (
  id text primary key,
  tenant text not null references tenants,
  state text not null default 'open',
  line text not null,
  suggestion text not null,
  tier text not null,
  confidence real not null,
  times integer not null,
  amount integer not null,
  first_seen text not null,
  last_seen text not null
)
;
create index review_items_tenant on review_items (tenant, state, last_seen)
;
create table feedback (
  id text primary key,
  tenant text not null references tenants,
  principal text not null,
  at text not null,
  review_id text not null,
  line text not null,
  code text not null,
  short_name text not null,
  rate text not null
)
;
create index feedback_tenant on feedback (tenant, at)
;
create table first_answers (
  tenant text not null references tenants,
  principal text not null,
  idempotency_key text not null,
  at text not null,
  request_sha256 text not null,
  status integer,
  body text,
  primary key (principal, idempotency_key)
)
""",
    )


@MIGRATIONS()
def m004_review_queue(db: Database) -> None:
    run_script(
        db,
        """
alter table review_items add column question text not null default ''
;
alter table review_items add column alike text not null default ''
;
alter table review_items add column sampled integer not null default 0
;
alter table review_items add column priority real not null default 0
;
alter table review_items add column leased_by text
;
alter table review_items add column leased_until text
;
alter table review_items add column code text
;
alter table review_items add column decided_by text
;
alter table review_items add column decided_at text
;
alter table review_items add column why text not null default ''
;
alter table review_items add column learned_in text
;
alter table review_items add column held text
;
drop index review_items_tenant
;
create index review_items_queue on review_items (tenant, state, priority desc, id)
;
create index review_items_leased on review_items (leased_by) where leased_by is not null
;
create index review_items_alike on review_items (tenant, state, alike)
;
create index review_items_question on review_items (question, state)
;
create table review_votes (
  item text not null references review_items on delete cascade,
  tenant text not null references tenants,
  principal text not null,
  at text not null,
  code text not null,
  why text not null,
  primary key (item, principal)
)
;
create table review_events (
  id integer primary key,
  item text not null references review_items on delete cascade,
  tenant text not null references tenants,
  at text not null,
  actor text not null,
  action text not null,
  from_state text not null,
  to_state text not null,
  code text not null,
  why text not null,
  model_version text not null,
  kb_version text not null
)
;
create index review_events_item on review_events (item, id)
;
create index review_events_actor on review_events (tenant, actor, id)
;
create trigger review_events_keep_values before update on review_events
begin select raise(abort, 'the history is append-only'); end
;
create trigger review_events_keep_rows before delete on review_events
when exists (select 1 from review_items where id = old.item)
  and (select erased_at from tenants where tenant = old.tenant) is null
begin select raise(abort, 'the history is append-only'); end
;
create table promoted (
  question text primary key,
  code text not null,
  at text not null,
  actor text not null,
  by_expert integer not null,
  why text not null
)
""",
    )


@MIGRATIONS()
def m005_users(db: Database) -> None:
    run_script(
        db,
        """
create table users (
  principal text primary key references principals on delete cascade,
  tenant text not null references tenants,
  login text not null unique,
  password_hash text not null,
  failures integer not null default 0,
  locked_until text
)
;
create table sessions (
  sha256 text primary key,
  principal text not null references principals on delete cascade,
  tenant text not null references tenants,
  created_at text not null,
  expires_at text not null
)
;
create index sessions_principal on sessions (principal)
""",
    )


@MIGRATIONS()
def m006_webhooks(db: Database) -> None:
    run_script(
        db,
        """
create table webhooks (
  id text primary key,
  tenant text not null references tenants,
  url text not null,
  secret text not null,
  created_at text not null
)
;
create table deliveries (
  id text primary key,
  webhook text not null references webhooks on delete cascade,
  tenant text not null references tenants,
  body text not null,
  created_at text not null,
  due_at text,
  attempts integer not null default 0,
  delivered_at text,
  problem text not null default ''
)
;
create index deliveries_due on deliveries (due_at) where due_at is not null
""",
    )


@MIGRATIONS()
def m007_trainings(db: Database) -> None:
    run_script(
        db,
        """
create table trainings (
  id integer primary key,
  at text not null,
  decisions integer not null,
  held integer not null,
  version text not null,
  accepted integer not null,
  verdict text not null
)
""",
    )
