-- name: count_pending
-- Notices that wait to be delivered.
select count(*)::int from reconciler.outbox where delivered_at is null;

-- name: due
-- The next notices, in the order of their events; only the oldest pending one of an incident is
-- due, so that an incident's notices arrive in order. Locked: two daemons share the work.
select o.id, o.key, o.payload, o.attempts from reconciler.outbox o
where o.delivered_at is null and o.next_attempt_at <= clock_timestamp()
  and not exists (
    select 1 from reconciler.outbox earlier
    where earlier.incident_id = o.incident_id and earlier.delivered_at is null
      and earlier.id < o.id)
order by o.id limit $1
for update of o skip locked;

-- name: claim
-- Others leave it alone while it is being delivered; if we die, it is due again after that.
update reconciler.outbox
set attempts = attempts + 1, next_attempt_at = clock_timestamp() + $2::interval
where id = any($1::bigint[]);

-- name: delivered
-- The receiver said yes.
update reconciler.outbox set delivered_at = clock_timestamp(), last_error = null where id = $1;

-- name: failed
-- It did not; again later.
update reconciler.outbox
set last_error = $2, next_attempt_at = clock_timestamp() + $3::interval where id = $1;
