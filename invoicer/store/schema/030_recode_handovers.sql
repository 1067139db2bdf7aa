create table recode_handovers (
  run text primary key,
  pages integer not null
);
