-- name: read
-- Who judges an account now, and whether that lease still runs.
select holder, epoch, expires_at, expires_at > clock_timestamp() as running
from reconciler.leases where account = $1;

-- name: found
-- The first lease of an account: whoever inserts it has it.
insert into reconciler.leases (account, holder, epoch, expires_at)
values ($1, $2, 1, clock_timestamp() + $3::interval)
on conflict (account) do nothing
returning epoch;

-- name: lock
-- Takeover waits here for writers that hold the row by key share.
select holder, epoch, expires_at > clock_timestamp() as running
from reconciler.leases where account = $1 for update;

-- name: take
-- A new epoch: whatever the last holder still has in flight is refused from here on.
update reconciler.leases
set holder = $2, epoch = epoch + 1, acquired_at = clock_timestamp(),
    expires_at = clock_timestamp() + $3::interval
where account = $1
returning epoch;

-- name: renew
-- Every lease of this process at once; a plain update, which writers do not block.
update reconciler.leases
set expires_at = clock_timestamp() + $2::interval
where holder = $1
returning account, epoch;

-- name: release
-- A clean end hands the accounts over at once.
update reconciler.leases set expires_at = clock_timestamp() where holder = $1;

-- name: hold
-- The first statement of every write transaction (rule 11).
select 1 from reconciler.leases
where account = $1 and holder = $2 and epoch = $3 and expires_at > clock_timestamp()
for key share;
