-- Runs before the deploy of 0.1: everything the daemon remembers. Needs no extension.

create table reconciler.runs (
  id text primary key,
  book text not null default 'main',
  account text not null,
  job text not null,
  mode text not null,
  state text not null,
  sentence text not null,
  findings jsonb not null default '[]',
  started_at timestamptz not null,
  finished_at timestamptz not null default now()
);

create index runs_started on reconciler.runs (started_at);

create table reconciler.suspicions (
  book text not null default 'main',
  account text not null,
  kind text not null,
  subject text not null,
  first_seen_at timestamptz not null,
  last_seen_at timestamptz not null,
  count int not null,
  counted_at timestamptz,
  tried_at timestamptz,
  saying text not null default '',
  primary key (book, account, kind, subject)
);

create table reconciler.incidents (
  id bigint generated always as identity primary key,
  book text not null default 'main',
  kind text not null,
  severity text not null check (severity in ('SEV-1', 'SEV-2', 'SEV-3')),
  status text not null default 'open' check (status in ('open', 'acknowledged', 'resolved')),
  account text not null,
  subject text not null,
  profile_id text,
  symbol text,
  order_id text,
  opened_at timestamptz not null default now(),
  acknowledged_at timestamptz,
  resolved_at timestamptz,
  title text not null,
  details jsonb not null default '{}',
  parity_streak int not null default 0,
  parity_seen_at timestamptz,
  unique (kind, book, account, subject)
);

create index incidents_unresolved on reconciler.incidents (account) where status <> 'resolved';

create table reconciler.incident_events (
  id bigint generated always as identity primary key,
  incident_id bigint not null references reconciler.incidents (id) on delete cascade,
  at timestamptz not null default now(),
  event text not null,
  text text not null,
  details jsonb not null default '{}',
  run_id text
);

create index incident_events_incident on reconciler.incident_events (incident_id, id);

create table reconciler.evidence (
  id bigint generated always as identity primary key,
  incident_id bigint not null references reconciler.incidents (id) on delete cascade,
  at timestamptz not null default now(),
  run_id text,
  bundle jsonb not null
);

create index evidence_incident on reconciler.evidence (incident_id, id);

create table reconciler.quarantine (
  book text not null default 'main',
  order_id text not null,
  account text not null,
  profile_id text,
  symbol text,
  reason text not null,
  status_before text,
  quarantined_at timestamptz not null default now(),
  review text not null default 'pending' check (review in ('pending', 'resolved')),
  final_status text,
  reviewed_by text,
  reviewed_at timestamptz,
  note text,
  incident_id bigint references reconciler.incidents (id) on delete set null,
  seen_again_at timestamptz,
  details jsonb not null default '{}',
  primary key (book, order_id)
);

create index quarantine_account on reconciler.quarantine (account, quarantined_at);

create table reconciler.containments (
  id bigint generated always as identity primary key,
  book text not null default 'main',
  profile_id text not null,
  account text not null,
  incident_id bigint references reconciler.incidents (id) on delete set null,
  reason text not null,
  status_before text,
  contained_at timestamptz not null default now(),
  parity_streak int not null default 0,
  parity_seen_at timestamptz,
  released_at timestamptz,
  released_by text
);

create unique index containments_standing on reconciler.containments (book, profile_id, incident_id)
  where released_at is null;

create table reconciler.leases (
  account text primary key,
  holder text not null,
  epoch bigint not null,
  acquired_at timestamptz not null default now(),
  expires_at timestamptz not null
);

create table reconciler.outbox (
  id bigint generated always as identity primary key,
  key text not null unique,
  incident_id bigint references reconciler.incidents (id) on delete cascade,
  payload jsonb not null,
  created_at timestamptz not null default now(),
  attempts int not null default 0,
  next_attempt_at timestamptz not null default now(),
  last_error text,
  delivered_to text[] not null default '{}',
  delivered_at timestamptz
);

create index outbox_pending on reconciler.outbox (next_attempt_at) where delivered_at is null;

create table reconciler.audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  run_id text,
  book text not null default 'main',
  account text not null,
  mode text not null,
  applied boolean not null,
  rule text not null,
  target text not null,
  target_id text not null,
  before jsonb not null,
  after jsonb not null,
  incident_id bigint references reconciler.incidents (id) on delete set null
);

create index audit_target on reconciler.audit (book, target, target_id);

create index audit_at on reconciler.audit (at);

create table reconciler.readings (
  book text not null default 'main',
  account text not null,
  symbols jsonb not null,
  own_writes jsonb not null default '{}',
  read_at timestamptz not null,
  primary key (book, account)
);
