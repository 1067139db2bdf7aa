alter table review_items add column question text not null default '';

alter table review_items add column alike text not null default '';

alter table review_items add column sampled integer not null default 0;

alter table review_items add column priority real not null default 0;

alter table review_items add column leased_by text;

alter table review_items add column leased_until text;

alter table review_items add column code text;

alter table review_items add column decided_by text;

alter table review_items add column decided_at text;

alter table review_items add column why text not null default '';

alter table review_items add column learned_in text;

alter table review_items add column held text;

drop index review_items_tenant;

create index review_items_queue on review_items (tenant, state, priority desc, id);

create index review_items_leased on review_items (leased_by) where leased_by is not null;

create index review_items_alike on review_items (tenant, state, alike);

create index review_items_question on review_items (question, state);

create table review_votes (
  item text not null references review_items on delete cascade,
  tenant text not null references tenants,
  principal text not null,
  at text not null,
  code text not null,
  why text not null,
  primary key (item, principal)
);

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
);

create index review_events_item on review_events (item, id);

create index review_events_actor on review_events (tenant, actor, id);

create trigger review_events_keep_values before update on review_events
begin select raise(abort, 'the history is append-only'); end;

create trigger review_events_keep_rows before delete on review_events
when exists (select 1 from review_items where id = old.item)
  and (select erased_at from tenants where tenant = old.tenant) is null
begin select raise(abort, 'the history is append-only'); end;

create table promoted (
  question text primary key,
  code text not null,
  at text not null,
  actor text not null,
  by_expert integer not null,
  why text not null
);
