alter table jobs add column kind text not null default 'classify'
  check (kind in ('classify', 'recode'));

alter table jobs add column template integer not null default 0;

alter table jobs add column stage text not null default '';

alter table jobs add column stage_at text;

alter table jobs add column stage_first integer not null default 0;

alter table jobs add column stage_done integer not null default 0;

alter table jobs add column stage_total integer;

alter table jobs add column rows_found integer;

alter table jobs add column tiers text;

alter table first_answers add column location text;
