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
);

create index jobs_tenant on jobs (tenant, created_at);

create index jobs_state on jobs (state, created_at);
