-- name: open
-- Open one incident, or reopen the resolved one of the same key; an open one stays as it is.
insert into reconciler.incidents as i
  (book, kind, severity, account, subject, profile_id, symbol, order_id, title, details)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb)
on conflict (kind, book, account, subject) do update set
  status = 'open', severity = excluded.severity, title = excluded.title,
  profile_id = excluded.profile_id, symbol = excluded.symbol, order_id = excluded.order_id,
  details = excluded.details, opened_at = now(), acknowledged_at = null,
  acknowledged_by = null, resolved_at = null, resolved_by = null, parity_streak = 0, parity_seen_at = null
where i.status = 'resolved'
returning id, (xmax <> 0) as reopened;

-- name: unresolved_of_key
-- The incident of this key that is not resolved.
select id, severity, details from reconciler.incidents
where kind = $1 and book = $2 and account = $3 and subject = $4 and status <> 'resolved'
for no key update;

-- name: update_facts
-- What is known has changed: severity, title or details.
update reconciler.incidents
set severity = $2, title = $3, details = $4::jsonb, profile_id = coalesce($5, profile_id)
where id = $1;

-- name: change_severity
-- What it means has changed, and nothing else of it.
update reconciler.incidents
set severity = $2, details = details || $3::jsonb
where id = $1 and status <> 'resolved'
returning title, symbol, profile_id, order_id;

-- name: unresolved_of_account
-- What is open on one account.
select id, kind, subject, severity, status, title, opened_at, parity_streak, parity_seen_at,
       details, profile_id, symbol
from reconciler.incidents where book = $1 and account = $2 and status <> 'resolved';

-- name: note_parity
-- One more complete look that does not show it any more; 0 when it is there again.
update reconciler.incidents set parity_streak = $2, parity_seen_at = $3 where id = $1;

-- name: resolve
-- It is over.
update reconciler.incidents set status = 'resolved', resolved_at = now()
where id = $1 and status <> 'resolved' returning id, severity, title, kind, account, symbol;

-- name: add_event
-- One line of the timeline.
insert into reconciler.incident_events (incident_id, event, text, details, run_id)
values ($1, $2, $3, $4::jsonb, $5)
returning id;

-- name: has_event
-- Whether the timeline already says this.
select exists (
  select 1 from reconciler.incident_events e
  where e.incident_id = $1 and e.event = $2 and e.text = $3
    and e.at >= (select opened_at from reconciler.incidents where id = $1));

-- name: add_evidence
-- What venue and book said.
insert into reconciler.evidence (incident_id, run_id, bundle) values ($1, $2, $3::jsonb);

-- name: count_open
-- For metrics and health.
select severity, kind, count(*)::int as n from reconciler.incidents
where status <> 'resolved' group by severity, kind;
