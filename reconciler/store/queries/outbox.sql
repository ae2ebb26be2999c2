-- name: count_pending
-- Notices that wait to be delivered.
select count(*)::int from reconciler.outbox where delivered_at is null;

-- name: plan_alone
-- One process plans at a time: what a window held back of one incident is judged as a whole.
select pg_try_advisory_xact_lock($1);

-- name: unplanned
-- Notices that no channel was given yet, or that a maintenance window held back until now.
select id, key, incident_id, payload, created_at, withheld_until, clock_timestamp() as now
from reconciler.outbox
where planned_at is null and delivered_at is null and next_attempt_at <= clock_timestamp()
order by id limit 500
for update skip locked;

-- name: plan
-- Give one notice to each channel, due when it has waited for others of the same cause.
with planned as (
  update reconciler.outbox set planned_at = clock_timestamp(), cause = $2 where id = $1
  returning id, incident_id, created_at, coalesce(payload ->> 'severity', 'SEV-3') as severity)
insert into reconciler.deliveries (channel, outbox_id, incident_id, severity, next_attempt_at)
select channel, p.id, p.incident_id, p.severity, p.created_at + $4::interval
from planned p, unnest($3::text[]) as channel
on conflict do nothing;

-- name: adopt
-- Notices that no channel has taken, for channels that were not there when they were planned: an
-- address that failed was mended.
insert into reconciler.deliveries (channel, outbox_id, incident_id, severity, next_attempt_at)
select channel, o.id, o.incident_id, coalesce(o.payload ->> 'severity', 'SEV-3'), clock_timestamp()
from reconciler.outbox o, unnest($1::text[]) as channel
where o.delivered_at is null and o.planned_at is not null and o.delivered_to = '{}'
on conflict do nothing;

-- name: look_again
-- Windows may be configured otherwise than when they held these back.
update reconciler.outbox set next_attempt_at = clock_timestamp()
where planned_at is null and delivered_at is null and withheld_until is not null;

-- name: withhold
-- A maintenance window is open: looked at again at its end.
update reconciler.outbox set withheld_until = $2, next_attempt_at = $2 where id = $1;

-- name: note_not_told
-- The timeline says it, once for each window and opening.
insert into reconciler.incident_events (incident_id, event, text)
select i.id, 'not_told', $2 from reconciler.incidents i
where i.id = $1 and not exists (
  select 1 from reconciler.incident_events e
  where e.incident_id = i.id and e.event = 'not_told' and e.text = $2 and e.at >= i.opened_at);

-- name: never_told
-- It opened and ended inside a maintenance window, or a later notice says more.
update reconciler.outbox
set planned_at = clock_timestamp(), delivered_at = clock_timestamp(), last_error = $2
where id = any($1::bigint[]);

-- name: incident_now
-- Whether an incident goes on, and the last event of it that people were told.
select i.status,
  (select o.payload ->> 'event' from reconciler.outbox o
   where o.incident_id = i.id and o.id < $2 and (o.delivered_at is null or o.last_error is null)
   order by o.id desc limit 1) as told
from reconciler.incidents i where i.id = $1;

-- name: affected
-- At how many of these accounts an incident of this kind goes on.
select count(distinct account)::int from reconciler.incidents
where kind = $1 and account = any($2::text[]) and status <> 'resolved';

-- name: wait_no_longer
-- Nothing more can come of this cause: told at once.
update reconciler.deliveries d set next_attempt_at = clock_timestamp()
from reconciler.outbox o
where o.id = d.outbox_id and o.cause = $1 and o.delivered_at is null and d.delivered_at is null
  and d.batch is null and d.next_attempt_at > clock_timestamp();

-- name: moot
-- Reminders that wait for this channel, of what somebody has by now or what is over: not said any
-- more. One that was told with others before is said again as it was.
update reconciler.deliveries set delivered_at = clock_timestamp(), abandoned = true
where channel = $1 and outbox_id in (
  select d.outbox_id from reconciler.deliveries d
  join reconciler.outbox o on o.id = d.outbox_id
  join reconciler.incidents i on i.id = d.incident_id
  where d.channel = $1 and d.delivered_at is null and d.next_attempt_at <= clock_timestamp()
    and (d.batch is null or d.batch = o.key)
    and o.payload ->> 'event' = 'incident_reminder'
    and (i.status <> 'open' or i.severity <> 'SEV-1')
  for update of d skip locked)
returning outbox_id;

-- name: due
-- The next delivery of a channel, the gravest first; only the oldest pending one of an incident is
-- due, so that its notices arrive in order. Locked: two daemons share the work.
select d.outbox_id, d.batch, o.cause
from reconciler.deliveries d join reconciler.outbox o on o.id = d.outbox_id
where d.channel = $1 and d.delivered_at is null and d.next_attempt_at <= clock_timestamp()
  and not exists (
    select 1 from reconciler.deliveries earlier
    where earlier.channel = d.channel and earlier.incident_id = d.incident_id
      and earlier.delivered_at is null and earlier.outbox_id < d.outbox_id)
order by d.severity, d.outbox_id limit 1
for update of d skip locked;

-- name: alike
-- Others of the same cause that no message carries yet, still waiting or not.
select d.outbox_id from reconciler.deliveries d join reconciler.outbox o on o.id = d.outbox_id
where d.channel = $1 and d.delivered_at is null and d.batch is null and o.cause = $2
  and not exists (
    select 1 from reconciler.deliveries earlier
    where earlier.channel = d.channel and earlier.incident_id = d.incident_id
      and earlier.delivered_at is null and earlier.outbox_id < d.outbox_id)
order by d.outbox_id limit 500
for update of d skip locked;

-- name: batch
-- Those of one message, as it was put together first: the same again after a kill.
select d.outbox_id from reconciler.deliveries d
where d.channel = $1 and d.batch = $2 and d.delivered_at is null
order by d.outbox_id
for update of d skip locked;

-- name: claim
-- Others leave it alone while it is being delivered; if we die, it is due again after that.
update reconciler.deliveries
set attempts = attempts + 1, batch = $3, next_attempt_at = clock_timestamp() + $4::interval
where channel = $1 and outbox_id = any($2::bigint[]) and delivered_at is null
returning attempts;

-- name: renew
-- Still being delivered.
update reconciler.deliveries set next_attempt_at = clock_timestamp() + $3::interval
where channel = $1 and outbox_id = any($2::bigint[]) and delivered_at is null;

-- name: contents
-- What the claimed notices say.
select id, key, incident_id, payload, withheld_until from reconciler.outbox
where id = any($1::bigint[]) order by id;

-- name: done_about
-- What was written to the book, or would have been, because of these incidents; newest first.
select incident_id, target, target_id, before, after, applied from reconciler.audit
where incident_id = any($1::bigint[]) order by id desc limit 5;

-- name: lock
-- In one order, so that two channels that mark the same notices do not wait for each other.
select 1 from reconciler.outbox where id = any($1::bigint[]) order by id for update;

-- name: delivered
-- This channel said yes.
update reconciler.deliveries set delivered_at = clock_timestamp(), last_error = null
where channel = $1 and outbox_id = any($2::bigint[]) and delivered_at is null;

-- name: delivered_to
-- The notice remembers which channels took it.
update reconciler.outbox
set attempts = attempts + 1, delivered_to = array_append(delivered_to, $1::text)
where id = any($2::bigint[]) and not ($1::text = any (delivered_to));

-- name: finish
-- Every channel said yes, or was given up.
update reconciler.outbox o set delivered_at = clock_timestamp(), last_error = null
where o.id = any($1::bigint[]) and o.delivered_at is null and not exists (
  select 1 from reconciler.deliveries d where d.outbox_id = o.id and d.delivered_at is null);

-- name: failed
-- This channel did not take it: again after a while.
update reconciler.deliveries
set last_error = $3, next_attempt_at = clock_timestamp() + $4::interval
where channel = $1 and outbox_id = any($2::bigint[]) and delivered_at is null;

-- name: note_failure
-- For who reads the table.
update reconciler.outbox set attempts = attempts + 1, last_error = $2
where id = any($1::bigint[]) and delivered_at is null;

-- name: unacknowledged
-- SEV-1 incidents that nobody has acknowledged, and since when they are.
select i.id, i.book, i.kind, i.severity, i.account, i.symbol, i.profile_id, i.order_id, i.title,
  i.told_at, i.tellings, clock_timestamp() as now,
  greatest(i.opened_at, (
    select max(e.at) from reconciler.incident_events e
    where e.incident_id = i.id and e.event = 'severity_changed')) as since
from reconciler.incidents i
where i.status = 'open' and i.severity = 'SEV-1';

-- name: note_telling
-- Only one of two daemons reminds: the number is the one that was read.
update reconciler.incidents set told_at = clock_timestamp(), tellings = tellings + 1
where id = $1 and tellings = $2 and status = 'open' and severity = 'SEV-1'
returning tellings;
