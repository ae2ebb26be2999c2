-- name: recent
-- Requests for a pass within the window: whoever asks knows which it has heard.
select id, subject from reconciler.requests
where requested_at > clock_timestamp() - $1::interval order by id;

-- name: keep_alive
-- A connection that says nothing is cut by firewalls, and nobody is told.
select 1;

-- name: ask
-- A pass over this account, or with an empty subject over all of them.
insert into reconciler.requests (subject, requested_by) values ($1, $2);
