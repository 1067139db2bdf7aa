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
);

create index panel_cases_tenant on panel_cases (tenant, state, deadline);

create unique index panel_cases_item on panel_cases (item) where state <> 'closed';

create table panel_votes (
  panel_case text not null references panel_cases on delete cascade,
  tenant text not null references tenants,
  principal text not null,
  at text not null,
  code text not null,
  why text not null,
  primary key (panel_case, principal)
);

create trigger panel_votes_are_final before update on panel_votes
when (select state from panel_cases where id = old.panel_case) <> 'voting'
begin select raise(abort, 'the vote is closed'); end;

create table panel_events (
  id integer primary key,
  panel_case text not null references panel_cases on delete cascade,
  tenant text not null references tenants,
  at text not null,
  actor text not null,
  action text not null,
  note text not null
);

create index panel_events_case on panel_events (panel_case, id);

create trigger panel_events_keep_values before update on panel_events
begin select raise(abort, 'the history is append-only'); end;

create trigger panel_events_keep_rows before delete on panel_events
when exists (select 1 from panel_cases where id = old.panel_case)
  and (select erased_at from tenants where tenant = old.tenant) is null
begin select raise(abort, 'the history is append-only'); end;
