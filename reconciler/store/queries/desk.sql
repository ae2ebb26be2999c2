-- name: incidents
-- Incidents as people list them: the unresolved and grave first, then the youngest.
select id, kind, severity, status, book, account, profile_id, symbol, order_id, title, opened_at,
       extract(epoch from clock_timestamp() - opened_at)::float8 as age_seconds,
       acknowledged_at, acknowledged_by, resolved_at, resolved_by
from reconciler.incidents
where status = any($1::text[]) and ($2::text is null or severity = $2)
  and ($3::text is null or kind = $3) and ($4::text is null or account = $4)
order by (status = 'resolved'), severity, opened_at desc, id desc limit $5;

-- name: incident
-- One incident, with its details.
select id, kind, severity, status, book, account, subject, profile_id, symbol, order_id, title,
       opened_at, extract(epoch from clock_timestamp() - opened_at)::float8 as age_seconds,
       acknowledged_at, acknowledged_by, resolved_at, resolved_by, details,
       parity_streak, parity_seen_at, clock_timestamp() as now
from reconciler.incidents where id = $1;

-- name: incident_for_change
-- The same, held until the end of the transaction.
select id, kind, severity, status, book, account, subject, profile_id, symbol, order_id, title,
       acknowledged_by, details
from reconciler.incidents where id = $1 for no key update;

-- name: incidents_of
-- Unresolved incidents of one account of a book.
select id, kind, severity, status, book, account, subject, profile_id, symbol, order_id, title,
       opened_at, extract(epoch from clock_timestamp() - opened_at)::float8 as age_seconds,
       acknowledged_at, acknowledged_by, resolved_at, resolved_by, details,
       parity_streak, parity_seen_at
from reconciler.incidents
where book = $1 and account = $2 and status <> 'resolved' order by severity, id;

-- name: timeline
-- The events of one incident, oldest first.
select at, event, text, by, details from reconciler.incident_events
where incident_id = $1 order by id;

-- name: evidence
-- The bundles of one incident, newest first.
select id, at, run_id, bundle from reconciler.evidence
where incident_id = $1 order by id desc limit $2;

-- name: audit_of_incident
-- Writes to the book because of one incident, oldest first.
select at, rule, target, target_id, before, after, applied, mode, by
from reconciler.audit where incident_id = $1 order by id;

-- name: containments_of_incident
-- Profiles set inactive because of one incident.
select profile_id, account, book, incident_id, reason, status_before, contained_at, parity_streak,
       released_at, released_by
from reconciler.containments where incident_id = $1 order by id;

-- name: containments_standing
-- Profiles of one account that are contained now, the oldest containment first.
select c.id, c.profile_id, c.account, c.book, c.incident_id, c.reason, c.status_before,
       c.contained_at, c.parity_streak, c.parity_seen_at, c.released_at, c.released_by, c.pending,
       c.driver_key, i.kind as asked, i.last_error, clock_timestamp() as now,
       (select n.symbol from reconciler.incidents n where n.id = c.incident_id) as symbol
from reconciler.containments c
left join reconciler.intents i on i.book = c.book and i.target = c.profile_id
  and i.kind <> 'update_orders' and i.done_at is null
where c.book = $1 and c.account = $2 and c.released_at is null order by c.id;

-- name: containments_of_profile
-- Every containment of one profile, the newest first.
select profile_id, account, book, incident_id, reason, status_before, contained_at, parity_streak,
       released_at, released_by
from reconciler.containments where book = $1 and profile_id = $2 order by id desc limit 50;

-- name: release_containments
-- A person re-enabled the profile.
update reconciler.containments set released_at = now(), released_by = $3
where book = $1 and profile_id = $2 and released_at is null
returning id, incident_id, status_before;

-- name: quarantine
-- Quarantined orders as people list them, the youngest first.
select order_id, book, account, profile_id, symbol, reason, status_before, quarantined_at,
       extract(epoch from clock_timestamp() - quarantined_at)::float8 as age_seconds, review,
       final_status, reviewed_by, reviewed_at, note, incident_id, seen_again_at, details
from reconciler.quarantine
where review = any($1::text[]) and ($2::text is null or account = $2)
order by quarantined_at desc, order_id limit $3;

-- name: quarantined
-- One order by its id, in any book or in one.
select order_id, book, account, profile_id, symbol, reason, status_before, quarantined_at,
       extract(epoch from clock_timestamp() - quarantined_at)::float8 as age_seconds, review,
       final_status, reviewed_by, reviewed_at, note, incident_id, seen_again_at, details
from reconciler.quarantine
where order_id = $1 and ($2::text is null or book = $2) order by book;

-- name: quarantine_of_incident
-- The order that an incident set aside.
select order_id, book, account, profile_id, symbol, reason, status_before, quarantined_at,
       extract(epoch from clock_timestamp() - quarantined_at)::float8 as age_seconds, review,
       final_status, reviewed_by, reviewed_at, note, incident_id, seen_again_at, details
from reconciler.quarantine where incident_id = $1 order by order_id;

-- name: quarantined_for_change
-- The review row, held until the end of the transaction.
select review, reviewed_by, final_status, incident_id, account from reconciler.quarantine
where book = $1 and order_id = $2 for no key update;

-- name: review
-- A person has said how the order ended.
update reconciler.quarantine
set review = 'resolved', final_status = $3, reviewed_by = $4, reviewed_at = now(), note = $5
where book = $1 and order_id = $2 and review = 'pending';

-- name: quarantined_ids
-- Orders of one account that wait for a review.
select order_id from reconciler.quarantine
where book = $1 and account = $2 and review = 'pending';

-- name: suspicions
-- What awaits confirmation on one account, by subject.
select kind, subject, first_seen_at, count from reconciler.suspicions
where book = $1 and account = $2;

-- name: still_suspected
-- Whether the daemon's last look still saw this, or something else about the same thing.
select exists (
  select 1 from reconciler.suspicions
  where book = $1 and account = $2 and subject = $3 and count > 0);

-- name: acknowledge
-- A person has it.
update reconciler.incidents
set status = 'acknowledged', acknowledged_at = now(), acknowledged_by = $2
where id = $1 and status = 'open' returning id;

-- name: resolve
-- A person ended it.
update reconciler.incidents set status = 'resolved', resolved_at = now(), resolved_by = $2
where id = $1 and status <> 'resolved' returning id;

-- name: add_event
-- One line of the timeline, with who said it.
insert into reconciler.incident_events (incident_id, event, text, details, by)
values ($1, $2, $3, $4::jsonb, $5) returning id;

-- name: add_audit
-- One write to the book by a person.
insert into reconciler.audit
  (book, account, mode, applied, rule, target, target_id, before, after, incident_id, by)
values ($1, $2, $3, true, $4, $5, $6, $7::jsonb, $8::jsonb, $9, $10);

-- name: add_operation
-- One command of a person.
insert into reconciler.operations
  (who, surface, operation, account, target, outcome, said, details, incident_id)
values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9);

-- name: operations
-- What people did, or were refused, the newest first.
select at, who, surface, operation, account, target, outcome, said, incident_id, details
from reconciler.operations where ($1::text is null or account = $1) order by id desc limit $2;

-- name: clock
-- The clock that every age is measured by.
select clock_timestamp();

-- name: pause
-- Judged, not acted on, until then.
insert into reconciler.pauses (account, until, paused_by, note)
values ($1, clock_timestamp() + $2::interval, $3, $4)
on conflict (account) do update set
  until = excluded.until, paused_by = excluded.paused_by, note = excluded.note, paused_at = now()
returning until;

-- name: resume
-- Acted on again. One whose end has passed was over by itself.
delete from reconciler.pauses where account = $1
returning (until is null or until > clock_timestamp()) as standing;

-- name: pauses
-- Accounts that are paused now.
select account, until, paused_by, paused_at, note from reconciler.pauses
where until is null or until > clock_timestamp();

-- name: lease_holders
-- Who judges which account now.
select account, holder from reconciler.leases where expires_at > clock_timestamp();

-- name: count_open_by_account
-- Unresolved incidents by account and severity.
select account, severity, count(*)::int as n from reconciler.incidents
where status <> 'resolved' group by account, severity;

-- name: count_quarantined_by_account
-- Orders that wait for a review.
select account, count(*)::int as n from reconciler.quarantine
where review = 'pending' group by account;

-- name: count_contained_by_account
-- Profiles that are contained.
select account, count(distinct (book, profile_id))::int as n from reconciler.containments
where released_at is null group by account;

-- name: held_guards
-- Mass changes that are held back, and whoever let one through.
select i.id, i.account, i.subject, i.opened_at, i.details ->> 'why' as why,
       a.accepted_by, a.expires_at
from reconciler.incidents i
left join lateral (
  select accepted_by, expires_at from reconciler.acceptances
  where account = i.account and guard = 'mass_change' and used_at is null
    and expires_at > clock_timestamp() and accepted_at >= i.opened_at
  order by id desc limit 1) a on true
where i.kind = 'mass_change' and i.status <> 'resolved'
  and ($1::text is null or i.account = $1)
order by i.opened_at;

-- name: lock_held_guards
-- Two people who accept at once take turns.
select id from reconciler.incidents
where kind = 'mass_change' and status <> 'resolved' and account = $1
order by id for no key update;

-- name: accept
-- Let it through once, soon.
insert into reconciler.acceptances (account, guard, accepted_by, note, expires_at)
values ($1, 'mass_change', $2, $3, clock_timestamp() + $4::interval) returning expires_at;

-- name: ignores
-- Known manual positions and orders.
select account, what, value, ignored_by, note, ignored_at from reconciler.ignores
where $1::text is null or account = $1 order by account, what, value;

-- name: add_ignore
-- One more; the first who said it stays.
insert into reconciler.ignores (account, what, value, ignored_by, note)
values ($1, $2, $3, $4, $5) on conflict (account, what, value) do nothing returning value;

-- name: remove_ignore
-- Judged again.
delete from reconciler.ignores where account = $1 and what = $2 and value = $3 returning value;

-- name: incidents_around
-- What else was opened shortly before one incident, on any account, or just after.
select id, kind, account, title, opened_at from reconciler.incidents
where opened_at between $1::timestamptz - $2::interval and $1::timestamptz + interval '1 minute'
  and id <> $3
order by id limit 200;
