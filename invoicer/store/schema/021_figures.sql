alter table review_items add column core text
  generated always as (coalesce(suggestion ->> '$.core', '')) virtual;
alter table review_items add column suggested text
  generated always as (coalesce(suggestion ->> '$.candidates[0].code', '')) virtual;
alter table review_items add column seller text
  generated always as (coalesce(line ->> 'seller_industry', '')) virtual;
alter table review_items add column decided_on text
  generated always as (date(decided_at, '+8 hours')) virtual;
create index review_items_decided
  on review_items (tenant, state, decided_on, code, suggested, tier, seller, id);
create index review_items_suggested
  on review_items (tenant, state, suggested, code, times, amount);
create index review_items_code on review_items (tenant, state, code, suggested, times, amount);
create index review_items_missing
  on review_items (tenant, core, state, tier, code, suggested, times, amount);
create table answered_by (
  tenant text not null references tenants,
  month text not null,
  chapter text not null,
  industry text not null,
  tier text not null,
  lines integer not null,
  primary key (tenant, month, chapter, industry, tier)
);
