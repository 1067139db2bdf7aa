create table tenants (
  tenant text primary key,
  name text not null,
  created_at text not null,
  retention_days integer,
  erased_at text
);

create table principals (
  principal text primary key,
  tenant text not null references tenants,
  kind text not null check (kind in ('key', 'user')),
  name text not null,
  role text not null check (role in ('client', 'reviewer', 'expert', 'admin')),
  created_at text not null,
  disabled_at text
);

create table keys (
  principal text primary key references principals on delete cascade,
  tenant text not null references tenants,
  sha256 text not null,
  review text not null check (review in ('none', 'auto')),
  lines_per_second real,
  expires_at text
);

create table audit (
  id integer primary key,
  at text not null,
  tenant text not null,
  actor text not null,
  action text not null,
  subject text not null,
  detail text not null
);

create index audit_tenant on audit (tenant, id);

create trigger audit_keeps_rows before delete on audit
begin select raise(abort, 'the audit is append-only'); end;

create trigger audit_keeps_values before update on audit
begin select raise(abort, 'the audit is append-only'); end;

create trigger audit_replaces_nothing before insert on audit
when exists (select 1 from audit where id = new.id)
begin select raise(abort, 'the audit is append-only'); end;
