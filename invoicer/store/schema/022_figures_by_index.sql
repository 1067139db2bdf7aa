alter table review_items add column draw real not null default 0;

update review_items set draw = slice_draw(id);

create index review_items_slice
  on review_items (tenant, draw, decided_on, tier, suggested, code, seller, id, state)
  where state = 'decided';

drop index review_items_decided;

create index review_items_decided
  on review_items (tenant, decided_on, tier, suggested, code, state) where state = 'decided';

drop index review_items_suggested;

create index review_items_confused
  on review_items (tenant, suggested, code, times, amount, state)
  where state = 'decided' and code <> suggested;

drop index review_items_missing;

create index review_items_missing
  on review_items (tenant, core, code, times, amount, state, tier, suggested)
  where core <> '' and state <> 'uncodable'
  and (tier = 'weak' or (state = 'decided' and code is not suggested));

create index review_votes_items on review_votes (tenant, item, at, principal, code);

drop index review_events_at;

create index review_events_at on review_events (tenant, at, action, item, id, actor);

create index review_events_held on review_events (tenant, item) where action = 'hold';
