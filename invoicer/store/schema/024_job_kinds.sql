alter table jobs add column stage text;

alter table jobs add column rows_with_findings integer;

alter table jobs add column tiers text;

alter table jobs add column notes text not null default '[]';

alter table first_answers add column location text;
