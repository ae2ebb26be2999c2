-- name: lock
-- One process at a time; within a transaction, so that a pooler in between does not matter.
select pg_try_advisory_xact_lock($1);

-- name: kept
-- Incidents of which nothing is deleted: not resolved, with an order that awaits review, or with a
-- profile that is still contained. And the runs that their timelines name.
with kept as (
  select id from reconciler.incidents where status <> 'resolved'
  union select incident_id from reconciler.quarantine
  where review = 'pending' and incident_id is not null
  union select incident_id from reconciler.containments
  where released_at is null and incident_id is not null)
select coalesce(array_agg(distinct k.id), '{}') as incidents,
  coalesce(array_agg(distinct e.run_id) filter (where e.run_id is not null), '{}') as runs
from kept k left join reconciler.incident_events e on e.incident_id = k.id;

-- name: evidence
-- The oldest evidence. $1: before, $2: how many, $3: incidents that are kept.
delete from reconciler.evidence where id in (
  select id from reconciler.evidence
  where at < $1 and incident_id <> all ($3::bigint[]) order by at limit $2)
returning pg_column_size(bundle) + 60 as bytes;

-- name: runs
-- The oldest records of passes. $3: runs that are kept.
delete from reconciler.runs where id in (
  select id from reconciler.runs
  where started_at < $1 and id <> all ($3::text[]) order by started_at limit $2)
returning pg_column_size(findings) + pg_column_size(sentence) + 160 as bytes;

-- name: audit
-- The oldest changes to the book; not of an order that awaits review, nor of a contained profile.
delete from reconciler.audit where id in (
  select a.id from reconciler.audit a
  where a.at < $1 and (a.incident_id is null or a.incident_id <> all ($3::bigint[]))
    and not exists (
      select 1 from reconciler.quarantine q
      where a.target = 'order' and q.book = a.book and q.order_id = a.target_id
        and q.review = 'pending')
    and not exists (
      select 1 from reconciler.containments c
      where a.target = 'profile' and c.book = a.book and c.profile_id = a.target_id
        and c.released_at is null)
  order by a.at limit $2)
returning pg_column_size(before) + pg_column_size(after) + 160 as bytes;

-- name: operations
-- The oldest commands of people.
delete from reconciler.operations where id in (
  select id from reconciler.operations
  where at < $1 and (incident_id is null or incident_id <> all ($3::bigint[]))
  order by at limit $2)
returning pg_column_size(details) + pg_column_size(said) + 120 as bytes;

-- name: events
-- The oldest lines of timelines.
delete from reconciler.incident_events where id in (
  select id from reconciler.incident_events
  where at < $1 and incident_id <> all ($3::bigint[]) order by at limit $2)
returning pg_column_size(text) + pg_column_size(details) + 80 as bytes;

-- name: notices
-- The oldest notices that were delivered.
delete from reconciler.outbox where id in (
  select id from reconciler.outbox
  where delivered_at < $1 and (incident_id is null or incident_id <> all ($3::bigint[]))
  order by delivered_at limit $2)
returning pg_column_size(payload) + 160 as bytes;

-- name: incidents
-- Incidents that were over long ago, with whatever is left of them.
delete from reconciler.incidents where id in (
  select id from reconciler.incidents
  where status = 'resolved' and resolved_at < $1 and id <> all ($3::bigint[])
  order by resolved_at limit $2)
returning pg_column_size(details) + 200 as bytes;

-- name: requests
-- Requests that were heard long ago.
delete from reconciler.requests where id in (
  select id from reconciler.requests where requested_at < $1 order by requested_at limit $2)
returning 60 as bytes;

-- name: intents
-- The oldest writes to books that were done or dropped.
delete from reconciler.intents where id in (
  select id from reconciler.intents
  where done_at < $1 and (incident_id is null or incident_id <> all ($3::bigint[]))
  order by done_at limit $2)
returning 200 as bytes;

-- name: abandon
-- Deliveries to a channel of which nobody has tried any for long: it is configured no more. One
-- that only waits behind an earlier notice of its incident is not given up.
update reconciler.deliveries d set delivered_at = clock_timestamp(), abandoned = true
where delivered_at is null and next_attempt_at < $1
  and not exists (
    select 1 from reconciler.deliveries tried
    where tried.channel = d.channel and tried.delivered_at is null and tried.next_attempt_at >= $1)
returning outbox_id;

-- name: now
-- The clock that ages are measured by (rule 13).
select clock_timestamp();

-- name: cutoff
-- Until when evidence, runs and audit have to go to free $3 bytes, as far as the oldest $4 rows of
-- each tell; null where none may go. $1, $2: incidents and runs that are kept.
with evidence as (
  select at, pg_column_size(bundle) + 60 as bytes from reconciler.evidence
  where incident_id <> all ($1::bigint[]) order by at limit $4),
runs as (
  select started_at as at, pg_column_size(findings) + pg_column_size(sentence) + 160 as bytes
  from reconciler.runs where id <> all ($2::text[]) order by started_at limit $4),
audit as (
  select a.at, pg_column_size(before) + pg_column_size(after) + 160 as bytes
  from reconciler.audit a
  where (a.incident_id is null or a.incident_id <> all ($1::bigint[]))
    and not exists (
      select 1 from reconciler.quarantine q
      where a.target = 'order' and q.book = a.book and q.order_id = a.target_id
        and q.review = 'pending')
    and not exists (
      select 1 from reconciler.containments c
      where a.target = 'profile' and c.book = a.book and c.profile_id = a.target_id
        and c.released_at is null)
  order by a.at limit $4),
told_until as (
  select min(until) as at from (
    select max(at) as until from evidence having count(*) = $4
    union all select max(at) from runs having count(*) = $4
    union all select max(at) from audit having count(*) = $4) full_ones),
counted as (
  select at, sum(bytes) over (order by at rows unbounded preceding) - bytes as before
  from (select * from evidence union all select * from runs union all select * from audit) oldest)
select max(at) from counted
where before < $3 and at <= coalesce((select at from told_until), 'infinity');

-- name: size_at_most
-- Bytes of the three large records on disk, with what was deleted and not yet used again.
select pg_total_relation_size('reconciler.evidence') + pg_total_relation_size('reconciler.runs')
  + pg_total_relation_size('reconciler.audit') as bytes;

-- name: size
-- Bytes of the rows themselves: reads every row, and is asked only where the disk holds too much.
select (select coalesce(sum(pg_column_size(bundle) + 60), 0) from reconciler.evidence)
  + (select coalesce(sum(pg_column_size(findings) + pg_column_size(sentence) + 160), 0)
     from reconciler.runs)
  + (select coalesce(sum(pg_column_size(before) + pg_column_size(after) + 160), 0)
     from reconciler.audit) as bytes;
