-- name: clock
-- The clock that ages and spacing are measured by (rule 13).
select clock_timestamp();

-- name: limit_transaction
-- Below the lease's expiry, so that a frozen writer wedges nobody (rule 11).
select set_config('lock_timeout', $1, true),
       set_config('idle_in_transaction_session_timeout', $2, true);

-- name: add_audit
-- One write to the book, done or (in observe) not done.
insert into reconciler.audit
  (run_id, book, account, mode, applied, rule, target, target_id, before, after, incident_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, $10::jsonb, $11);

-- name: add_containment
-- A profile that was set inactive, once for each standing incident.
insert into reconciler.containments
  (book, profile_id, account, incident_id, reason, status_before, held, pending, driver_key)
values ($1, $2, $3, $4, $5, $6, $7, $8::text is not null, $8)
on conflict (book, profile_id, incident_id) where released_at is null do update
  set parity_streak = 0, parity_seen_at = null, contained_at = now(), held = excluded.held,
    pending = excluded.pending, driver_key = excluded.driver_key
returning id, (xmax <> 0) as again;

-- name: count_contained
-- For metrics.
select account, count(distinct (book, profile_id))::int as n from reconciler.containments
where released_at is null and not pending group by account;

-- name: add_quarantine
-- One order set aside for a person.
insert into reconciler.quarantine
  (book, order_id, account, profile_id, symbol, reason, status_before, incident_id, details)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb)
on conflict (book, order_id) do update set
  reason = excluded.reason, status_before = excluded.status_before, quarantined_at = now(),
  review = 'pending', final_status = null, reviewed_by = null, reviewed_at = null, note = null,
  incident_id = excluded.incident_id, seen_again_at = null, details = excluded.details;

-- name: quarantined_since
-- How many of an account were quarantined within the window (rule 9's rolling hour), but for those
-- of a mass change that a person let through, and those that a person set aside.
select count(*)::int from reconciler.quarantine
where account = $1 and quarantined_at > clock_timestamp() - $2::interval
  and not details ? 'accepted' and reason <> 'by_hand';

-- name: note_seen_again
-- The venue shows a quarantined order again: the review row says so, nothing is released.
update reconciler.quarantine
set seen_again_at = now(), details = details || $3::jsonb
where book = $1 and order_id = $2 and account = $4 and seen_again_at is null
returning incident_id;

-- name: count_quarantined
-- For metrics and health.
select account, profile_id, count(*)::int as n from reconciler.quarantine
where review = 'pending' group by account, profile_id;

-- name: add_outbox
-- One notice for one event; the key keeps it from being written twice.
insert into reconciler.outbox (key, incident_id, payload) values ($1, $2, $3::jsonb)
on conflict (key) do nothing;

-- name: announce
-- For the bot and for people who LISTEN (DESIGN section 5).
select pg_notify('reconciler_event', $1);

-- name: add_run
-- One pass that found something, or that a person asked for.
insert into reconciler.runs (id, book, account, job, mode, state, sentence, findings, started_at)
values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9) on conflict (id) do nothing;

-- name: read_reading
-- What we remember of the book's rows, by symbol.
select symbols, own_writes from reconciler.readings where book = $1 and account = $2;

-- name: keep_reading
-- What we saw at this reading.
insert into reconciler.readings (book, account, symbols, own_writes, read_at)
values ($1, $2, $3::jsonb, $4::jsonb, $5)
on conflict (book, account) do update set
  symbols = excluded.symbols, own_writes = excluded.own_writes, read_at = excluded.read_at;

-- name: has_audit
-- Whether observe has said this before: the same row, the same change.
select exists (
  select 1 from reconciler.audit
  where book = $1 and target = $2 and target_id = $3 and rule = $4 and not applied
    and before = $5::jsonb and after = $6::jsonb);

-- name: span
-- Between these two lies every `updated_at` that this transaction wrote.
select now() - interval '1 second' as begun, clock_timestamp() + interval '1 second' as now;

-- name: read_baselines
-- One row at least once the first reading was made.
select b.asset, b.qty, b.symbol
from reconciler.baseline_readings r
left join reconciler.baselines b on b.book = r.book and b.account = r.account
where r.book = $1 and r.account = $2;

-- name: note_baseline_reading
-- The first complete reading of the balances; later ones change nothing.
insert into reconciler.baseline_readings (book, account) values ($1, $2)
on conflict (book, account) do nothing;

-- name: keep_baselines
-- Baselines as they are now known; those of other currencies stay.
insert into reconciler.baselines (book, account, asset, qty, symbol)
select $1, $2, asset, qty, symbol
from unnest($3::text[], $4::numeric[], $5::text[]) as u(asset, qty, symbol)
on conflict (book, account, asset) do update set qty = excluded.qty, symbol = excluded.symbol;
