-- name: read
-- One row of what people decided about an account, who is contained, and the stale backlog.
select
  (select jsonb_build_object('by', p.paused_by, 'until', p.until)
   from reconciler.pauses p
   where p.account = $2 and (p.until is null or p.until > clock_timestamp())) as pause,
  (select jsonb_build_object('id', a.id, 'by', a.accepted_by, 'at', a.accepted_at,
                             'expires_at', a.expires_at)
   from reconciler.acceptances a
   where a.account = $2 and a.guard = 'mass_change' and a.used_at is null
     and a.expires_at > clock_timestamp()
   order by a.id desc limit 1) as acceptance,
  (select jsonb_agg(jsonb_build_array(i.what, i.value) order by i.what, i.value)
   from reconciler.ignores i where i.account = $2) as ignores,
  (select jsonb_agg(to_jsonb(c) || jsonb_build_object(
            'symbol', (select i.symbol from reconciler.incidents i where i.id = c.incident_id),
            'reviewed_at', (select e.resolved_at from reconciler.incidents e
                            where e.kind = 'entry_after_containment' and e.book = c.book
                              and e.account = c.account and e.subject = c.profile_id))
          order by c.id)
   from reconciler.containments c
   where c.account = $2 and c.book = $1 and c.released_at is null) as containments,
  (select jsonb_agg(jsonb_build_array(b.profile_id, b.at, b.stale))
   from (select profile_id, at, stale from reconciler.backlogs
         where book = $1 and account = $2 and at > now() - interval '1 day'
         order by at desc limit 2000) b) as backlog;

-- name: pause
-- Whether it is paused at this very moment.
select paused_by, until from reconciler.pauses
where account = $1 and (until is null or until > clock_timestamp());

-- name: keep_backlog
-- Stale orders of each profile at this look.
insert into reconciler.backlogs (book, account, profile_id, at, stale)
select $1, $2, u.profile_id, u.at, u.stale
from unnest($3::text[], $4::timestamptz[], $5::int[]) as u(profile_id, at, stale)
on conflict (book, account, profile_id, at) do nothing;

-- name: prune_backlog
-- What is older says nothing any more.
delete from reconciler.backlogs
where book = $1 and account = $2 and at <= now() - interval '1 day';

-- name: backlog_elsewhere
-- Stale orders of the book's other accounts.
select account, profile_id, at, stale from reconciler.backlogs
where at > now() - $3::interval and book = $1 and account <> $2;

-- name: keep_parity
-- How many complete looks in a row agreed, for each contained profile.
update reconciler.containments c set parity_streak = u.streak, parity_seen_at = u.at
from unnest($1::bigint[], $2::int[], $3::timestamptz[]) as u(id, streak, at)
where c.id = u.id and c.released_at is null;

-- name: release_containment
-- A contained profile that trades again, but for one that a person is having trade again just now:
-- that one's own record says so.
update reconciler.containments c set released_at = now(), released_by = $2
where c.id = $1 and c.released_at is null and not exists (
  select 1 from reconciler.intents i
  where i.book = c.book and i.target = c.profile_id and i.kind = 'activate' and i.done_at is null)
returning c.id;

-- name: use_acceptance
-- The one time that a person's leave was for.
update reconciler.acceptances set used_at = now(), used_run = $2
where id = $1 and used_at is null returning id;
