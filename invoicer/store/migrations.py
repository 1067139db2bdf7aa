"""The schema, step by step. A step that was released never changes; a new one is added below it."""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from invoicer.review.subjects import subject_key

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
def m003_jobs(db: Database) -> None:
    run_script(
        db,
        """
create table jobs (
  id text primary key,
  tenant text not null references tenants,
  principal text not null,
  state text not null default 'queued'
    check (state in ('queued', 'running', 'done', 'failed', 'cancelled')),
  suffix text not null,
  options text not null,
  created_at text not null,
  started_at text,
  ended_at text,
  heartbeat text,
  attempts integer not null default 0,
  deaths integer not null default 0,
  rows_total integer,
  rows_done integer not null default 0,
  rows_failed integer not null default 0,
  rows_reviewed integer not null default 0,
  error text
)
;
create index jobs_tenant on jobs (tenant, created_at)
;
create index jobs_state on jobs (state, created_at)
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
def m008_reviewers_web(db: Database) -> None:
    run_script(
        db,
        """
create index review_items_core on review_items (tenant, state, suggestion ->> '$.core', decided_at)
;
create index review_events_at on review_events (tenant, at)
;
create table answered (
  tenant text not null references tenants,
  day text not null,
  tier text not null,
  lines integer not null,
  primary key (tenant, day, tier)
)
""",
    )


@MIGRATIONS()
def m010_rulings(db: Database) -> None:
    run_script(
        db,
        """
alter table review_items add column subject text not null default ''
;
alter table feedback add column subject text not null default ''
;
create index review_items_subject on review_items (subject, code)
;
create index feedback_subject on feedback (subject, code)
;
create table ruling_numbers (
  year integer primary key,
  last integer not null
)
;
create table rulings (
  number text primary key,
  tenant text references tenants,
  scope text not null check (scope in ('tenant', 'industry', 'all')),
  industry text not null,
  ruled_on text not null,
  effective_on text not null,
  subject text not null,
  name text not null,
  spec text not null,
  unit text not null,
  code text not null,
  rate_note text not null,
  text text not null,
  panel_case text not null,
  supersedes text unique references rulings,
  check ((scope = 'tenant') = (tenant is not null)),
  check ((scope = 'industry') = (industry <> ''))
)
;
create index rulings_subject on rulings (subject)
;
create trigger rulings_keep_values before update on rulings
begin select raise(abort, 'rulings are never changed'); end
;
create trigger rulings_keep_rows before delete on rulings
when (select erased_at from tenants where tenant = old.tenant) is null
begin select raise(abort, 'rulings are never deleted'); end
;
create trigger rulings_replace_nothing before insert on rulings
when exists (select 1 from rulings where number = new.number or supersedes = new.supersedes)
begin select raise(abort, 'rulings are never changed'); end
""",
    )
    for table in ("review_items", "feedback"):
        known = db.execute(f"select rowid, line ->> 'name' from [{table}]").fetchall()
        db.conn.executemany(
            f"update [{table}] set subject = ? where rowid = ?",
            [(subject_key(name), row) for row, name in known],
        )


@MIGRATIONS()
def m011_panel(db: Database) -> None:
    run_script(
        db,
        """
create table panel_cases (
  id text primary key,
  tenant text not null references tenants,
  state text not null default 'voting' check (state in ('voting', 'counted', 'closed')),
  outcome text not null default '' check (outcome in ('', 'ruling', 'uncodable')),
  item text references review_items on delete set null,
  line text not null,
  suggestion text not null,
  why text not null,
  opened_by text not null,
  opened_at text not null,
  deadline text not null,
  code text not null default '',
  note text not null default '',
  ruling text not null default '',
  closed_at text
)
;
create index panel_cases_tenant on panel_cases (tenant, state, deadline)
;
create unique index panel_cases_item on panel_cases (item) where state <> 'closed'
;
create table panel_votes (
  panel_case text not null references panel_cases on delete cascade,
  tenant text not null references tenants,
  principal text not null,
  at text not null,
  code text not null,
  why text not null,
  primary key (panel_case, principal)
)
;
create trigger panel_votes_are_final before update on panel_votes
when (select state from panel_cases where id = old.panel_case) <> 'voting'
begin select raise(abort, 'the vote is closed'); end
;
create table panel_events (
  id integer primary key,
  panel_case text not null references panel_cases on delete cascade,
  tenant text not null references tenants,
  at text not null,
  actor text not null,
  action text not null,
  note text not null
)
;
create index panel_events_case on panel_events (panel_case, id)
;
create trigger panel_events_keep_values before update on panel_events
begin select raise(abort, 'the history is append-only'); end
;
create trigger panel_events_keep_rows before delete on panel_events
when exists (select 1 from panel_cases where id = old.panel_case)
  and (select erased_at from tenants where tenant = old.tenant) is null
begin select raise(abort, 'the history is append-only'); end
""",
    )


@MIGRATIONS()
def m012_appeals(db: Database) -> None:
    run_script(
        db,
        """
create table appeals (
  id text primary key,
  tenant text not null references tenants,
  principal text not null,
  state text not null default 'received'
    check (state in ('received', 'referred', 'upheld', 'rejected')),
  line text not null,
  contested_code text not null,
  contested_rate text not null,
  wanted_code text not null,
  wanted_rate text not null,
  reason text not null,
  created_at text not null,
  due_on text not null,
  panel_case text references panel_cases on delete set null,
  code text not null default '',
  answer text not null default '',
  answered_by text,
  ruling text not null default '',
  closed_at text
)
;
create index appeals_tenant on appeals (tenant, state, due_on)
;
create index appeals_case on appeals (panel_case) where panel_case is not null
;
create table appeal_files (
  id text primary key,
  appeal text not null references appeals on delete cascade,
  tenant text not null references tenants,
  name text not null,
  kind text not null,
  size integer not null,
  sha256 text not null,
  at text not null
)
;
create index appeal_files_appeal on appeal_files (appeal)
""",
    )
