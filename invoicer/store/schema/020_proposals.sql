create table proposals (
  id text primary key,
  tenant text not null references tenants,
  state text not null default 'open' check (state in ('open', 'accepted', 'rejected')),
  edits text not null,
  why text not null,
  provisional integer not null,
  item text not null,
  ruling text not null,
  proposed_by text not null,
  proposed_at text not null,
  answered_by text,
  answered_at text,
  answer text not null default '',
  version text not null default ''
);
create index proposals_tenant on proposals (tenant, state, proposed_at);
create table previews (
  key text primary key,
  asked_at text not null,
  ended_at text,
  bundle text not null default '',
  effect text,
  problem text not null default ''
);
