-- name: count_pending
-- Notices that wait to be delivered.
select count(*)::int from reconciler.outbox where delivered_at is null;

-- name: due
-- The next notice, in the order of events; only the oldest pending one of an incident is due, so
-- that an incident's notices arrive in order. Locked: two daemons share the work.
select o.id, o.key, o.payload, o.attempts, o.delivered_to from reconciler.outbox o
where o.delivered_at is null and o.next_attempt_at <= clock_timestamp()
  and not exists (
    select 1 from reconciler.outbox earlier
    where earlier.incident_id = o.incident_id and earlier.delivered_at is null
      and earlier.id < o.id)
order by o.id limit 1
for update of o skip locked;

-- name: claim
-- Others leave it alone while it is being delivered; if we die, it is due again after that.
update reconciler.outbox
set attempts = attempts + 1, next_attempt_at = clock_timestamp() + $2::interval
where id = $1;

-- name: delivered
-- Every channel said yes.
update reconciler.outbox
set delivered_at = clock_timestamp(), last_error = null, delivered_to = $2 where id = $1;

-- name: failed
-- Some channel did not; those that did are not asked again.
update reconciler.outbox
set last_error = $2, next_attempt_at = clock_timestamp() + $3::interval, delivered_to = $4
where id = $1;
