create index review_items_core
  on review_items (tenant, state, suggestion ->> '$.core', decided_at);

create index review_events_at on review_events (tenant, at);

create table answered (
  tenant text not null references tenants,
  day text not null,
  tier text not null,
  lines integer not null,
  primary key (tenant, day, tier)
);
