create table users (
  principal text primary key references principals on delete cascade,
  tenant text not null references tenants,
  login text not null unique,
  password_hash text not null,
  failures integer not null default 0,
  locked_until text
);

create table sessions (
  sha256 text primary key,
  principal text not null references principals on delete cascade,
  tenant text not null references tenants,
  created_at text not null,
  expires_at text not null
);

create index sessions_principal on sessions (principal);
