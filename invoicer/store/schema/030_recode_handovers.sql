-- How many pages of questions of an unfinished re-coding its tenant's queue has got.
create table recode_handovers (
  run text primary key,
  tenant text not null references tenants,
  pages integer not null,
  at text not null
);
