-- The native book: schema `bot`, for people who start fresh (DESIGN section 5). Safe to run again.

create schema if not exists bot;

create table if not exists bot.profiles (
  id text primary key,
  name text,
  account text not null,
  status text not null default 'active',
  risk_limit numeric,
  updated_at timestamptz not null default now()
);

create table if not exists bot.orders (
  id text primary key,
  profile_id text not null,
  symbol text not null,
  side text not null,
  type text,
  qty numeric not null,
  filled numeric not null default 0,
  price numeric,
  avg_price numeric,
  reduce_only boolean not null default false,
  role text,
  status text not null,
  client_order_id text,
  venue_order_id text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table if not exists bot.positions (
  id text primary key,
  profile_id text not null,
  symbol text not null,
  side text not null,
  qty numeric not null,
  entry_price numeric,
  status text not null default 'open',
  opened_at timestamptz not null default now(),
  closed_at timestamptz,
  updated_at timestamptz not null default now()
);

create index if not exists orders_not_ended on bot.orders (status)
  where status not in ('filled', 'canceled', 'expired', 'rejected');

create index if not exists orders_updated_at on bot.orders (updated_at);

create index if not exists orders_venue_order_id on bot.orders (venue_order_id);

create index if not exists orders_client_order_id on bot.orders (client_order_id);

create index if not exists positions_open on bot.positions (status) where status <> 'closed';

create index if not exists positions_updated_at on bot.positions (updated_at);
