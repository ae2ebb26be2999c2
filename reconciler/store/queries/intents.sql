-- name: add
-- One write that is to be made; a profile that is to be written so already keeps its intent.
insert into reconciler.intents (book, account, kind, target, key, incident_id, payload)
values ($1, $2, $3, $4, $5, $6, $7::jsonb)
on conflict (book, kind, target) where done_at is null and kind <> 'update_orders'
  do update set next_at = now(), account = excluded.account
returning id;

-- name: drop_other
-- What was to be done to a profile before, and is not any more.
update reconciler.intents set done_at = now(), outcome = 'superseded', payload = '{}'
where book = $1 and target = $2 and kind = $3 and done_at is null;

-- name: open_of_account
-- What is not known to be done, and since when each may be tried again.
select i.id, i.kind, i.target, i.key, i.incident_id, i.payload, i.mark, i.attempts, i.last_error,
  i.next_at - clock_timestamp() as due_in,
  exists (
    select 1 from reconciler.containments c
    join reconciler.incidents n on n.id = c.incident_id and n.status <> 'resolved'
    where c.book = i.book and c.profile_id = i.target and c.pending and c.released_at is null
  ) as is_wanted
from reconciler.intents i
where i.book = $1 and i.account = $2 and i.done_at is null
order by i.id;

-- name: orphans
-- What is open of accounts and books that this daemon does not have (as it says), nor another one
-- that was alive lately: what was written to orders is known to whoever has them alone, and what a
-- bot was to be asked is asked anew.
select i.id, i.book, i.account, i.kind, i.target, i.incident_id
from reconciler.intents i,
  lateral (select clock_timestamp() - case i.kind
    when 'update_orders' then interval '1 day' else interval '1 hour' end as lately) as since
where i.done_at is null and i.created_at < since.lately
  and not exists (
    select 1 from unnest($1::text[], $2::text[]) as known (book, account)
    where known.book = i.book and known.account = i.account)
  and not exists (
    select 1 from reconciler.leases l
    where l.account = i.account and l.holder <> $3 and l.expires_at > since.lately)
order by i.id for update of i skip locked;

-- name: add_event
-- One line of the timeline.
insert into reconciler.incident_events (incident_id, event, text) values ($1, $2, $3);

-- name: close_review
-- A person has said how the order ended.
update reconciler.quarantine
set review = 'resolved', final_status = $3, reviewed_by = $4, reviewed_at = now(), note = $5
where book = $1 and order_id = $2 and review = 'pending'
returning incident_id;

-- name: paused
-- Whether a person wants the account judged, and not acted on.
select exists (
  select 1 from reconciler.pauses p
  where p.account = $1 and (p.until is null or p.until > clock_timestamp()));

-- name: begin_attempt
-- One more attempt: no other process makes one meanwhile.
update reconciler.intents
set attempts = attempts + 1, next_at = clock_timestamp() + $3::interval
where id = $1 and attempts = $2 and done_at is null
returning id;

-- name: fail
-- Why it could not be done, and when it is tried again.
update reconciler.intents set last_error = $2, next_at = clock_timestamp() + $3::interval
where id = $1 and done_at is null
returning id;

-- name: mark
-- The transaction that writes the book, before it is committed.
update reconciler.intents set mark = $2::jsonb where id = $1 and done_at is null returning id;

-- name: finish
-- It is done, or dropped; what it needed is not kept.
update reconciler.intents set done_at = now(), outcome = $2, payload = '{}'
where id = $1 and done_at is null
returning id;

-- name: confirm_containments
-- The bot enters no trade for the profile from now on. What else was held is not known where it
-- took the bot more than a moment.
update reconciler.containments
set pending = false, contained_at = now(), parity_streak = 0, parity_seen_at = null,
  held = case when now() - contained_at > interval '10 seconds' then null else held end
where book = $1 and profile_id = $2 and pending and released_at is null
returning incident_id, status_before, reason;

-- name: drop_containments
-- What was never confirmed, and is not wanted any more.
update reconciler.containments set released_at = now(), released_by = $3
where book = $1 and profile_id = $2 and pending and released_at is null
returning incident_id;

-- name: pending_of_incident
-- Profiles of one incident that the bot has not confirmed yet.
select profile_id from reconciler.containments
where incident_id = $1 and pending and released_at is null order by profile_id;

-- name: details
-- What is known of an incident, held until the end of the transaction.
select details from reconciler.incidents where id = $1 for no key update;

-- name: keep_details
-- What is known of it now.
update reconciler.incidents set details = $2::jsonb where id = $1;

-- name: release_containments
-- A profile that trades again, by whom.
update reconciler.containments set released_at = now(), released_by = $3
where book = $1 and profile_id = $2 and released_at is null
returning incident_id;

-- name: set_aside
-- Orders that were quarantined or reviewed, of those that are asked for.
select order_id, status_before, final_status, review from reconciler.quarantine
where book = $1 and order_id = any($2::text[]);

-- name: transaction_mark
-- The transaction in the book's database, and the times between which it writes.
select txid_current()::text as transaction, now() - interval '1 second' as begun,
  clock_timestamp() + interval '1 second' as now;

-- name: transaction_state
-- What became of it; null: so long ago that the server does not know.
select txid_status($1::text::bigint) as state;
