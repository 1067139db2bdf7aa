alter table panel_cases add column reminded text not null default '';

alter table appeals add column reminded text not null default '';
