create table webhooks (
  id text primary key,
  tenant text not null references tenants,
  url text not null,
  secret text not null,
  created_at text not null
);

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
);

create index deliveries_due on deliveries (due_at) where due_at is not null;
