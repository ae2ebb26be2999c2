-- name: of_account
-- What awaits confirmation on one account.
select kind, subject, first_seen_at, last_seen_at, count, counted_at, tried_at, saying
from reconciler.suspicions where book = $1 and account = $2;

-- name: keep
-- Suspicions as they stand after this look.
insert into reconciler.suspicions
  (book, account, kind, subject, first_seen_at, last_seen_at, count, counted_at, tried_at, saying)
select $1, $2, u.kind, u.subject, u.first_seen_at, u.last_seen_at, u.count, u.counted_at,
       u.tried_at, u.saying
from unnest($3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::int[],
            $8::timestamptz[], $9::timestamptz[], $10::text[])
  as u(kind, subject, first_seen_at, last_seen_at, count, counted_at, tried_at, saying)
on conflict (book, account, kind, subject) do update set
  first_seen_at = excluded.first_seen_at, last_seen_at = excluded.last_seen_at,
  count = excluded.count, counted_at = excluded.counted_at, tried_at = excluded.tried_at,
  saying = excluded.saying;

-- name: drop
-- Suspicions whose verdict was not reached again.
delete from reconciler.suspicions s
using unnest($3::text[], $4::text[]) as u(kind, subject)
where s.book = $1 and s.account = $2 and s.kind = u.kind and s.subject = u.subject;

-- name: accounts_turned
-- Accounts whose position differs in a way that contains, first seen about the same time.
select distinct account from reconciler.suspicions
where kind = any($1::text[]) and count > 0 and account = any($2::text[])
  and first_seen_at between $3::timestamptz - $4::interval and $3::timestamptz + $4::interval;
