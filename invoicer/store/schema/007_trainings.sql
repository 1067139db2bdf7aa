create table trainings (
  id integer primary key,
  at text not null,
  decisions integer not null,
  held integer not null,
  version text not null,
  accepted integer not null,
  verdict text not null
);
