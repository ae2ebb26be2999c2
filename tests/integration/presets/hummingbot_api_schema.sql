-- hummingbot-api's tables that speak of orders and positions, with the types, defaults and indexes
-- that SQLAlchemy makes of its models on Postgres (2026-09).

create table orders (
  id serial primary key,
  client_order_id varchar not null,
  exchange_order_id varchar,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  account_name varchar not null,
  connector_name varchar not null,
  trading_pair varchar not null,
  trade_type varchar not null,
  order_type varchar not null,
  amount numeric(30, 18) not null,
  price numeric(30, 18),
  status varchar not null,
  filled_amount numeric(30, 18) not null,
  average_fill_price numeric(30, 18),
  fee_paid numeric(30, 18),
  fee_currency varchar,
  error_message text
);
create index ix_orders_id on orders (id);
create unique index ix_orders_client_order_id on orders (client_order_id);
create index ix_orders_exchange_order_id on orders (exchange_order_id);
create index ix_orders_created_at on orders (created_at);
create index ix_orders_account_name on orders (account_name);
create index ix_orders_connector_name on orders (connector_name);
create index ix_orders_trading_pair on orders (trading_pair);
create index ix_orders_status on orders (status);

create table trades (
  id serial primary key,
  order_id integer not null references orders (id),
  trade_id varchar not null unique,
  "timestamp" timestamp with time zone not null,
  trading_pair varchar not null,
  trade_type varchar not null,
  amount numeric(30, 18) not null,
  price numeric(30, 18) not null,
  fee_paid numeric(30, 18) not null,
  fee_currency varchar
);

create table position_snapshots (
  id serial primary key,
  account_name varchar not null,
  connector_name varchar not null,
  trading_pair varchar not null,
  "timestamp" timestamp with time zone not null default now(),
  side varchar not null,
  exchange_size numeric(30, 18) not null,
  entry_price numeric(30, 18),
  calculated_size numeric(30, 18),
  size_difference numeric(30, 18),
  is_reconciled varchar not null
);

create table position_holds (
  id serial primary key,
  account_name varchar not null,
  connector_name varchar not null,
  trading_pair varchar not null,
  controller_id varchar not null,
  buy_amount_base numeric(30, 18) not null,
  sell_amount_base numeric(30, 18) not null,
  status varchar not null,
  created_at timestamp with time zone not null default now(),
  last_updated timestamp with time zone not null default now(),
  unique (account_name, connector_name, trading_pair, controller_id)
);
