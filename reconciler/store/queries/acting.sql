-- name: add_intent
-- Written before a request to a venue is sent: a kill in between leaves it to be settled.
insert into reconciler.operations
  (who, surface, operation, account, target, outcome, said, details, incident_id)
values ($1, $2, $3, $4, $5, 'intended', $6, $7::jsonb, $8) returning id, at;

-- name: intents_of_incident
-- Requests whose end is not known yet, oldest first.
select id, at, who, operation, account, target, said, details, incident_id,
       clock_timestamp() - at as age
from reconciler.operations where incident_id = $1 and outcome = 'intended' order by id;

-- name: intents
-- The same of every incident.
select id, at, who, operation, account, target, said, details, incident_id,
       clock_timestamp() - at as age
from reconciler.operations where outcome = 'intended' order by id;

-- name: acted_since
-- Whoever sent something for this incident, or settled it, after it was read.
select who from reconciler.operations
where incident_id = $1 and details ? 'request'
  and (at >= $2 or (details ->> 'settled_at')::timestamptz >= $2) limit 1;

-- name: settle_intent
-- What came of it. Of two who read at once, one says so.
update reconciler.operations
set outcome = $2, said = $3,
    details = details || $4::jsonb || jsonb_build_object('settled_at', clock_timestamp())
where id = $1 and outcome = 'intended' returning id;

-- name: note_intent
-- What is known so far.
update reconciler.operations set said = $2, details = details || $3::jsonb
where id = $1 and outcome = 'intended' returning id;

-- name: unresolved_positions
-- Open incidents about positions of one account.
select id, kind, severity, subject, symbol, opened_at, details from reconciler.incidents
where book = $1 and account = $2 and status <> 'resolved' and kind = any($3::text[]) order by id;

-- name: stuck_order
-- The open incident of one order that is stuck.
select id from reconciler.incidents
where book = $1 and account = $2 and order_id = $3 and kind = 'stuck_order'
  and status <> 'resolved' order by id;
