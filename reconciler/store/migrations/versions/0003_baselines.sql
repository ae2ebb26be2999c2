-- Runs before the deploy of 0.2: what of each currency is a person's, and not the bot's.

-- The first complete reading of an account's balances was made. Delete the row, and the next
-- complete reading takes every baseline of the account anew.
create table reconciler.baseline_readings (
  book text not null default 'main',
  account text not null,
  noted_at timestamptz not null default now(),
  primary key (book, account)
);

-- A currency without a row has the baseline 0.
create table reconciler.baselines (
  book text not null default 'main',
  account text not null,
  asset text not null,
  qty numeric not null,
  symbol text,
  noted_at timestamptz not null default now(),
  primary key (book, account, asset)
);

comment on column reconciler.baselines.symbol is
  'A spot market by which the bot trades the currency; null: it never did, and is not judged';
