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
);

create index appeals_tenant on appeals (tenant, state, due_on);

create index appeals_case on appeals (panel_case) where panel_case is not null;

create table appeal_files (
  id text primary key,
  appeal text not null references appeals on delete cascade,
  tenant text not null references tenants,
  name text not null,
  kind text not null,
  size integer not null,
  sha256 text not null,
  at text not null
);

create index appeal_files_appeal on appeal_files (appeal);
