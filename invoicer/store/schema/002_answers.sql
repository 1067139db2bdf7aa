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
);

create index review_items_tenant on review_items (tenant, state, last_seen);

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
);

create index feedback_tenant on feedback (tenant, at);

create table first_answers (
  tenant text not null references tenants,
  principal text not null,
  idempotency_key text not null,
  at text not null,
  request_sha256 text not null,
  status integer,
  body blob,
  primary key (principal, idempotency_key)
);
