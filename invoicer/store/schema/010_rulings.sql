alter table review_items add column subject text not null default '';

alter table feedback add column subject text not null default '';

update review_items set subject = subject_key(line ->> 'name');

update feedback set subject = subject_key(line ->> 'name');

create index review_items_subject on review_items (subject, code);

create index feedback_subject on feedback (subject, code);

create table ruling_numbers (
  year integer primary key,
  last integer not null
);

create table rulings (
  number text primary key,
  tenant text references tenants,
  scope text not null check (scope in ('tenant', 'industry', 'all')),
  industry text not null,
  ruled_on text not null,
  effective_on text not null,
  subject text not null,
  name text not null,
  spec text not null,
  unit text not null,
  code text not null,
  rate_note text not null,
  text text not null,
  panel_case text not null,
  supersedes text unique references rulings,
  check ((scope = 'tenant') = (tenant is not null)),
  check ((scope = 'industry') = (industry <> ''))
);

create index rulings_subject on rulings (subject);

create trigger rulings_keep_values before update on rulings
begin select raise(abort, 'rulings are never changed'); end;

create trigger rulings_keep_rows before delete on rulings
when (select erased_at from tenants where tenant = old.tenant) is null
begin select raise(abort, 'rulings are never deleted'); end;

create trigger rulings_replace_nothing before insert on rulings
when exists (select 1 from rulings where number = new.number or supersedes = new.supersedes)
begin select raise(abort, 'rulings are never changed'); end;
