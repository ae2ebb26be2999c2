-- Runs before the deploy: what people do about incidents. New columns have defaults, so that a
-- program of the version before goes on beside it.

alter table reconciler.incidents
  add column acknowledged_by text,
  add column resolved_by text,
  add column told_at timestamptz,
  add column tellings int not null default 0;

alter table reconciler.incident_events add column by text;

alter table reconciler.audit add column by text;

-- Markets with a position or an order when a profile was contained: a position in another one is an
-- entry. Null: not known.
alter table reconciler.containments add column held text[];

create index containments_account on reconciler.containments (book, account)
  where released_at is null;

-- An account that is judged and not acted on, until a time.
create table reconciler.pauses (
  account text primary key,
  until timestamptz,
  paused_by text not null,
  note text not null default '',
  paused_at timestamptz not null default now()
);

-- A held mass change that a person lets through once.
create table reconciler.acceptances (
  id bigint generated always as identity primary key,
  account text not null,
  guard text not null,
  accepted_by text not null,
  note text not null default '',
  accepted_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz,
  used_run text
);

create index acceptances_standing on reconciler.acceptances (account, guard) where used_at is null;

-- Manual positions and orders that are known, beside those of the configuration.
create table reconciler.ignores (
  account text not null,
  what text not null check (what in ('symbol', 'venue_order_id')),
  value text not null,
  ignored_by text not null,
  note text not null default '',
  ignored_at timestamptz not null default now(),
  primary key (account, what, value)
);

-- The stale backlog of each profile over the last looks, for escalation by age and by growth.
create table reconciler.backlogs (
  book text not null default 'main',
  account text not null,
  profile_id text not null,
  at timestamptz not null,
  stale int not null,
  primary key (book, account, profile_id, at)
);

create index backlogs_at on reconciler.backlogs (at);

-- Every command of a person that changed something, or was refused.
create table reconciler.operations (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  who text not null,
  surface text not null check (surface in ('cli', 'http')),
  operation text not null,
  account text,
  target text not null default '',
  -- intended: written before a request to a venue; it stays so while what came of it is not known
  outcome text not null check (outcome in ('intended', 'done', 'refused', 'failed')),
  said text not null default '',
  details jsonb not null default '{}',
  incident_id bigint references reconciler.incidents (id) on delete set null
);

create index operations_at on reconciler.operations (at);

create index operations_intended on reconciler.operations (incident_id)
  where outcome = 'intended';

-- Notices: what is told together, what a maintenance window holds back, and how far each channel is.
alter table reconciler.outbox
  add column cause text,
  add column planned_at timestamptz,
  add column withheld_until timestamptz;

create index outbox_unplanned on reconciler.outbox (id)
  where planned_at is null and delivered_at is null;

create index outbox_incident on reconciler.outbox (incident_id, id);

create index outbox_cause on reconciler.outbox (cause) where delivered_at is null;

create index outbox_delivered on reconciler.outbox (delivered_at) where delivered_at is not null;

-- One row for each notice and channel: each channel has its own order, attempts and back-off.
create table reconciler.deliveries (
  channel text not null,
  outbox_id bigint not null references reconciler.outbox (id) on delete cascade,
  incident_id bigint,
  severity text not null,
  batch text,
  attempts int not null default 0,
  next_attempt_at timestamptz not null,
  last_error text,
  delivered_at timestamptz,
  abandoned boolean not null default false,
  primary key (channel, outbox_id)
);

create index deliveries_pending on reconciler.deliveries (channel, severity, outbox_id)
  where delivered_at is null;

create index deliveries_in_order on reconciler.deliveries (channel, incident_id, outbox_id)
  where delivered_at is null;

create index deliveries_outbox on reconciler.deliveries (outbox_id);

-- A pass asked for by a row: for bots behind a transaction pooler, and for who likes rows better.
create table reconciler.requests (
  id bigint generated always as identity primary key,
  subject text not null check (length(subject) <= 1000),
  requested_by text not null default current_user,
  requested_at timestamptz not null default clock_timestamp()
);

create index requests_at on reconciler.requests (requested_at);

create function reconciler.announce_request() returns trigger language plpgsql as $$
begin perform pg_notify('reconciler_request', new.subject); return null; end $$;

create trigger requests_announced after insert on reconciler.requests
  for each row execute function reconciler.announce_request();

-- What retention asks: the oldest, and whose they are.
create index evidence_at on reconciler.evidence (at);
create index incident_events_at on reconciler.incident_events (at);
create index incidents_over on reconciler.incidents (resolved_at) where status = 'resolved';
create index audit_incident on reconciler.audit (incident_id) where incident_id is not null;
create index operations_incident on reconciler.operations (incident_id)
  where incident_id is not null;
create index quarantine_pending on reconciler.quarantine (incident_id) where review = 'pending';
create index quarantine_incident on reconciler.quarantine (incident_id)
  where incident_id is not null;
create index containments_incident on reconciler.containments (incident_id)
  where incident_id is not null;
