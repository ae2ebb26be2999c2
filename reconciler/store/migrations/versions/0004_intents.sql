-- Runs before the deploy of 0.3: writes to a book that no transaction of ours spans. New columns
-- have defaults, so that a program of the version before goes on beside it.

-- What is recorded before a book in another database is written, or a bot is asked, until it is known
-- to be done or dropped.
create table reconciler.intents (
  id bigint generated always as identity primary key,
  book text not null,
  account text not null,
  kind text not null check (kind in ('deactivate', 'activate', 'update_orders')),
  target text not null,
  key text not null,
  incident_id bigint references reconciler.incidents (id) on delete set null,
  payload jsonb not null default '{}',
  mark jsonb,
  attempts int not null default 0,
  next_at timestamptz not null default now(),
  last_error text,
  created_at timestamptz not null default now(),
  done_at timestamptz,
  outcome text
);

create index intents_open on reconciler.intents (book, account) where done_at is null;

create unique index intents_of_profile on reconciler.intents (book, kind, target)
  where done_at is null and kind <> 'update_orders';

create index intents_done on reconciler.intents (done_at) where done_at is not null;

create index intents_incident on reconciler.intents (incident_id) where incident_id is not null;

-- Pending: recorded, and the bot has not confirmed yet that the profile enters no trade.
alter table reconciler.containments
  add column pending boolean not null default false,
  add column driver_key text;

comment on column reconciler.containments.driver_key is
  'What the bot knows the deactivation by; null: its row in the book is all there is';
