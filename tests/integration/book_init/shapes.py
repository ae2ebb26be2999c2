"""Databases of bots that nobody described, each with an open order and an open position.

Invented, in the manner of the frameworks that bots are written with.
"""

from dataclasses import dataclass

ANY = "?"
"""A value that the database made up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One database, and what is to be read of it."""

    name: str
    sql: str
    order: tuple[str | None, ...]
    """Profile, symbol, side, quantity, filled, state, client and venue id of the order."""
    position: tuple[str, ...]
    """Profile, symbol, side, quantity of the position."""
    stops: bool
    """A profile can be set inactive."""
    writes: bool
    """An order can be written."""


SHAPES = (
    # Serial keys, a signed size, closed_at, naive local times, a history table beside.
    Shape(
        name="serial",
        sql="""
create schema app;
create table app.strategies (
  id serial primary key, name text, exchange_account text, state text default 'running',
  max_loss numeric, api_secret text);
create table app.orders (
  id bigserial primary key, strategy_id int references app.strategies, pair text,
  direction text,
  amount numeric, executed numeric, price numeric, average_price numeric, state text,
  cl_ord_id text, exchange_order_id text, created timestamp default now(), changed
  timestamp default now());
create table app.positions (
  id serial primary key, strategy_id int references app.strategies, pair text, signed_size
  numeric, closed_at timestamp, changed timestamp default now());
create table app.orders_history (
  like app.orders);
create table app.users(
  id serial primary key, email text, password text);
insert into app.strategies(name, exchange_account,state) values
  ('alpha','binance','running'),('beta','binance','halted');
insert into
  app.orders(strategy_id,pair,direction,amount,executed,price,state,cl_ord_id,exchange_order_id)
  values
  (1,'BTC/USDT:USDT','BUY',0.5,0.1,100,'WORKING','c1','v1'),(1,'BTC/USDT:USDT','SELL',0.5,0.5,100,'FILLED','c2','v2'),(1,'BTC/USDT:USDT','SELL',0.5,0.5,100,'CANCELLED','c2','v2');
insert into app.positions(strategy_id,pair,signed_size,closed_at) values
  (1,'BTC/USDT:USDT',-0.4,null),(2,'ETH/USDT:USDT',1,now());
""",
        order=("1", "BTC/USDT:USDT", "buy", "0.5", "0.1", "open", "c1", "v1"),
        position=("1", "BTC/USDT:USDT", "short", "0.4"),
        stops=True,
        writes=True,
    ),
    # Prisma: quoted CamelCase, uuid keys, enums, timestamp(3).
    Shape(
        name="prisma",
        sql="""
create type "OrderStatus" as enum (
  'PENDING','OPEN','PARTIALLY_FILLED','FILLED','CANCELED','REJECTED','EXPIRED');
create type "OrderSide" as enum (
  'BUY','SELL');
create type "PositionSide" as enum (
  'LONG','SHORT');
create type "PositionStatus" as enum (
  'OPEN','CLOSED','LIQUIDATED');
create table "User" (
  id text primary key, email text, "passwordHash" text);
create table "Bot" (
  id uuid primary key default gen_random_uuid(), "userId" text references "User", name
  text, "isActive" boolean not null default true, "apiKey" text, "apiSecret" text,
  "createdAt" timestamp(3) not null default current_timestamp, "updatedAt" timestamp(3)
  not null);
create table "Order" (
  id uuid primary key default gen_random_uuid(), "botId" uuid not null references "Bot",
  "positionId" uuid, "clientOrderId" text unique, "exchangeOrderId" text, symbol text not
  null, side "OrderSide" not null, type text, quantity decimal(18,8) not null,
  "filledQuantity" decimal(18,8) not null default 0, price decimal(18,8), "averagePrice"
  decimal(18,8), status "OrderStatus" not null default 'PENDING', "createdAt" timestamp(3)
  not null default current_timestamp, "updatedAt" timestamp(3) not null);
create table "Position" (
  id uuid primary key default gen_random_uuid(), "botId" uuid not null references "Bot",
  symbol text, side "PositionSide", quantity decimal(18,8), "entryPrice" decimal, status
  "PositionStatus" default 'OPEN', "openedAt" timestamp(3) default now(), "closedAt"
  timestamp(3), "updatedAt" timestamp(3));
create table "_prisma_migrations" (
  id text primary key, checksum text);
insert into "Bot"(id,name,"updatedAt") values
  ('11111111-1111-1111-1111-111111111111','grid',now());
insert into
  "Order"("botId","clientOrderId","exchangeOrderId",symbol,side,type,quantity,status,"updatedAt")
  values
  ('11111111-1111-1111-1111-111111111111','c1','77','BTCUSDT','BUY','LIMIT',0.3,'OPEN',now());
insert into "Position"("botId",symbol,side,quantity,"updatedAt") values
  ('11111111-1111-1111-1111-111111111111','BTCUSDT','SHORT',0.3,now());
""",
        order=(
            "11111111-1111-1111-1111-111111111111",
            "BTCUSDT",
            "buy",
            "0.3",
            "0",
            "open",
            "c1",
            "77",
        ),
        position=("11111111-1111-1111-1111-111111111111", "BTCUSDT", "short", "0.3"),
        stops=True,
        writes=True,
    ),
    # Django: app_model tables, order_id beside the key, is_open, no updated_at of positions.
    Shape(
        name="django",
        sql="""
create table auth_user (
  id serial primary key, username varchar(150), password varchar(128));
create table trading_exchangeaccount (
  id bigserial primary key, name varchar(100), exchange varchar(50), api_key varchar(255),
  api_secret varchar(255), is_active boolean not null default true);
create table trading_bot (
  id bigserial primary key, name varchar(100) not null, account_id bigint references
  trading_exchangeaccount, status varchar(20) not null, created_at timestamptz not null
  default now(), updated_at timestamptz not null default now(), user_id int references
  auth_user);
create table trading_order (
  id bigserial primary key, bot_id bigint not null references trading_bot, order_id
  varchar(64), client_order_id varchar(64), symbol varchar(32), side varchar(4),
  order_type varchar(16), quantity numeric(20,8), executed_qty numeric(20,8), price
  numeric, avg_price numeric, status varchar(10), created_at timestamptz, updated_at
  timestamptz);
create table trading_position (
  id bigserial primary key, bot_id bigint not null references trading_bot, symbol
  varchar(32), direction varchar(5), size numeric(20,8), is_open boolean not null default
  true, entry_price numeric, opened_at timestamptz, closed_at timestamptz);
insert into trading_exchangeaccount(name,exchange) values ('Binance Main','binance');
insert into trading_bot(name,account_id,status) values
  ('b1',1,'active'),('b2',1,'paused');
insert into
  trading_order(bot_id,order_id,client_order_id,symbol,side,order_type,quantity,executed_qty,status,created_at,updated_at)
  values (1,'123','x-1','ETHUSDT','SELL','LIMIT',2,null,'new',now(),now());
insert into trading_position(bot_id,symbol,direction,size,opened_at) values
  (1,'ETHUSDT','long',2,now());
""",
        order=("1", "ETHUSDT", "sell", "2", "0", "open", "x-1", "123"),
        position=("1", "ETHUSDT", "long", "2"),
        stops=True,
        writes=True,
    ),
    # Epochs in milliseconds, sides as 1 and -1, trades that end by exit_time, short names.
    Shape(
        name="epochs",
        sql="""
create table bots (
  id varchar(36) primary key, label text, enabled boolean default true);
create table trades (
  trade_id varchar(36) primary key, bot_id varchar(36), market varchar, qty double
  precision, entry_price double precision, exit_price double precision, side smallint,
  entry_time bigint, exit_time bigint);
create table orders (
  oid bigserial primary key, bot_id varchar(36), trade_id varchar(36), market varchar,
  side smallint, qty double precision, filled double precision default 0, px double
  precision, status varchar, exch_oid varchar, cloid varchar, ts bigint, upd_ts bigint);
insert into bots values ('b-1','one',true);
insert into trades values
  ('t1','b-1','BTC-PERP',1.5,10,null,-1,1795000000123,null),('t0','b-1','BTC-PERP',1,10,11,1,1790000000123,1791000000123);
insert into orders(bot_id,trade_id,market,side,qty,status,exch_oid,cloid,ts,upd_ts) values
  ('b-1','t1','BTC-PERP',-1,1.5,'live','e1','c1',1795000000123,1795000000123),('b-1','t1','BTC-PERP',1,1.5,'done','e0','c0',1795000000123,1795000000123);
""",
        order=("b-1", "BTC-PERP", "sell", "1.5", "0", "open", "c1", "e1"),
        position=("b-1", "BTC-PERP", "short", "1.5"),
        stops=True,
        writes=True,
    ),
    # Spanish names without profiles, and a status that no list knows.
    Shape(
        name="spanish",
        sql="""
create table ordenes (
  id serial primary key, par varchar, lado varchar, cantidad numeric, ejecutado numeric,
  precio numeric, estado varchar, id_externo varchar, fecha timestamptz);
create table posiciones (
  id serial primary key, par varchar, lado varchar, cantidad numeric, abierta boolean,
  fecha timestamptz);
insert into ordenes(par,lado,cantidad,estado,id_externo,fecha) values
  ('BTC/USDT','compra',1,'pendiente','9',now());
insert into posiciones(par,lado,cantidad,abierta,fecha) values
  ('BTC/USDT','largo',1,true,now());
""",
        order=("bot", "BTC/USDT", "buy", "1", "0", "unmapped", None, "9"),
        position=("bot", "BTC/USDT", "long", "1"),
        stops=False,
        writes=True,
    ),
    # Symbols and statuses in tables of their own, a composite key, what is left instead of filled.
    Shape(
        name="normalised",
        sql="""
create schema core; create schema trade;
create table core.instruments (
  id serial primary key, symbol text not null unique, tick numeric);
create table core.order_statuses (
  id smallint primary key, code text not null);
create table core.portfolios (
  portfolio_id serial primary key, portfolio_name text, broker_account text,
  trading_status text check (trading_status in ('ENABLED','DISABLED')));
create table trade.tbl_orders (
  order_id bigserial primary key, portfolio_id int references core.portfolios,
  instrument_id int references core.instruments, status_id smallint references
  core.order_statuses, is_buy boolean, order_qty numeric, leaves_qty numeric, limit_price
  numeric, broker_ref text, client_ref text, created_on timestamp without time zone
  default (now() at time zone 'utc'), modified_on timestamp without time zone);
create table trade.tbl_positions (
  portfolio_id int references core.portfolios, instrument_id int references
  core.instruments, net_qty numeric, avg_cost numeric, modified_on timestamp, primary key
  (portfolio_id, instrument_id));
insert into core.instruments(symbol) values ('BTCUSDT');
insert into core.order_statuses values
  (1,'NEW'),(2,'PARTIAL'),(3,'FILLED'),(4,'CANCELLED'),(5,'REJECTED');
insert into core.portfolios(portfolio_name,broker_account,trading_status) values
  ('p','ACC-1','ENABLED');
insert into
  trade.tbl_orders(portfolio_id,instrument_id,status_id,is_buy,order_qty,leaves_qty,limit_price,broker_ref,client_ref,modified_on)
  values (1,1,2,false,5,3,10,'br1','cr1',now() at time zone 'utc');
insert into trade.tbl_positions values (1,1,-7,10,now() at time zone 'utc');
""",
        order=("1", "BTCUSDT", "sell", "5", "2", "partially_filled", "cr1", "br1"),
        position=("1", "BTCUSDT", "short", "7"),
        stops=True,
        writes=True,
    ),
    # A terminal's export: tickets, lots, sides within the type, codes that nobody explains.
    Shape(
        name="tickets",
        sql="""
create table open_positions (
  ticket int primary key, magic int, symbol text, type text, lots float8, open_time
  timestamptz, open_price float8);
create table pending_orders (
  ticket int primary key, magic int, symbol text, type text, lots float8, status int,
  time_setup timestamptz);
insert into open_positions values (1,7,'EURUSD','sell',0.1,now(),1.1);
insert into pending_orders values (2,7,'EURUSD','buy_limit',0.1,1,now());
""",
        order=("bot", "EURUSD", "buy", "0.1", "0", "unmapped", None, "2"),
        position=("bot", "EURUSD", "short", "0.1"),
        stops=False,
        writes=False,
    ),
    # SQLAlchemy and Alpaca: floats, identity keys, trading_enabled, a json column beside.
    Shape(
        name="broker",
        sql="""
create table trading_accounts (
  account_id uuid primary key default gen_random_uuid(), label varchar(50), broker
  varchar(20) default 'alpaca', trading_enabled boolean default true, api_key_id varchar,
  api_secret_key varchar);
create table order_records (
  id integer generated always as identity primary key, account_id uuid references
  trading_accounts, alpaca_order_id varchar(64), client_order_id varchar(64), ticker
  varchar(16), side varchar(8), order_class varchar, order_type varchar, time_in_force
  varchar, qty float8, filled_qty float8, limit_price float8, stop_price float8,
  filled_avg_price float8, status varchar(32), submitted_at timestamptz, filled_at
  timestamptz, canceled_at timestamptz, last_updated timestamptz, raw jsonb);
create table position_records (
  id integer generated always as identity primary key, account_id uuid references
  trading_accounts, ticker varchar(16), qty float8, avg_entry_price float8, side
  varchar(8), status varchar(16) default 'open', opened_at timestamptz, closed_at
  timestamptz);
insert into trading_accounts(label) values ('x');
insert into
  order_records(account_id,alpaca_order_id,client_order_id,ticker,side,qty,filled_qty,status,submitted_at,last_updated)
  select account_id,'a-1','c-1','AAPL','buy',10,0,'pending_new',now(),now() from
  trading_accounts;
insert into
  order_records(account_id,alpaca_order_id,client_order_id,ticker,side,qty,filled_qty,status,submitted_at,last_updated)
  select account_id,'a-2','c-2','AAPL','sell',10,10,'held_for_ever',now(),now() from
  trading_accounts;
insert into position_records(account_id,ticker,qty,side,opened_at) select
  account_id,'AAPL',10,'long',now() from trading_accounts;
insert into position_records(account_id,ticker,qty,side,status,opened_at,closed_at) select
  account_id,'MSFT',10,'long','closed',now(),now() from trading_accounts;
""",
        order=(ANY, "AAPL", "buy", "10", "0", "in_flight", "c-1", "a-1"),
        position=(ANY, "AAPL", "long", "10"),
        stops=True,
        writes=True,
    ),
    # All in text: times, numbers, words; the venue's id as the key, profiles by name alone.
    Shape(
        name="texts",
        sql="""
create table bot_trades (
  id text primary key, strategy text, exchange text, symbol text, trade_type text,
  position_size text, entry_price text, status text, opened_at text, closed_at text,
  updated_at text);
create table bot_orders (
  order_id text primary key, strategy text, symbol text, trade_side text, amount text,
  filled_amount text, avg_fill_price text, order_status text, created_at text, updated_at
  text);
insert into bot_trades values
  ('t1','mom','bybit','BTC/USDT:USDT','SHORT','0.25','50000','OPEN','2026-11-23T10:00:00Z',null,'2026-11-23T10:00:00Z'),('t2','mom','bybit','ETH/USDT:USDT','LONG','2','5','CLOSED','2026-11-23T10:00:00Z','2026-11-23T11:00:00Z','2026-11-23T11:00:00Z');
insert into bot_orders values
  ('ex-1','mom','BTC/USDT:USDT','Sell','0.25','0.1','50000','PartiallyFilled','2026-11-23T10:00:00Z','2026-11-23T10:00:00Z');
""",
        order=("mom", "BTC/USDT:USDT", "sell", "0.25", "0.1", "partially_filled", None, "ex-1"),
        position=("mom", "BTC/USDT:USDT", "short", "0.25"),
        stops=False,
        writes=True,
    ),
    # Upper case, domains, char(n), FIX side codes, net quantities, links that nobody declared.
    Shape(
        name="shouting",
        sql="""
create schema "Trading";
create domain "Trading".qty_t as numeric(28,10);
create table "Trading"."ACCOUNTS" (
  "ACCOUNT_ID" integer primary key, "NAME" varchar(20), "STATE" char(8));
create table "Trading"."ORDERS" (
  "ORDER_ID" bigint primary key, "ACCOUNT_ID" integer, "CL_ORD_ID" varchar,
  "EXCHANGE_ORDER_ID" varchar, "SYMBOL" varchar, "SIDE" char(1), "ORDER_QTY"
  "Trading".qty_t, "CUM_QTY" "Trading".qty_t, "AVG_PX" "Trading".qty_t, "ORD_STATUS"
  char(16), "TRANSACT_TIME" timestamptz, "LAST_UPDATE" timestamptz);
create table "Trading"."POSITIONS" (
  "ACCOUNT_ID" integer, "SYMBOL" varchar, "LONG_QTY" numeric, "SHORT_QTY" numeric,
  "NET_QTY" numeric, "LAST_UPDATE" timestamptz, primary key ("ACCOUNT_ID","SYMBOL"));
insert into "Trading"."ACCOUNTS" values (1,'main','ENABLED'),(2,'other','DISABLED');
insert into "Trading"."ORDERS" values
  (10,1,'c1','e1','BTCUSDT','1',3,1,100,'PARTIALLY_FILLED',now(),now()),(11,1,'c2','e2','BTCUSDT','2',3,3,100,'FILLED',now(),now());
insert into "Trading"."POSITIONS" values (1,'BTCUSDT',0,2,-2,now());
""",
        order=("1", "BTCUSDT", "buy", "3", "1", "partially_filled", "c1", "e1"),
        position=("1", "BTCUSDT", "short", "2"),
        stops=True,
        writes=True,
    ),
    # Orders that name their position alone, epochs in seconds, is_closed, is_short, paused.
    Shape(
        name="by_position",
        sql="""
create table strategy_configs (
  id serial primary key, strategy_name text, is_live boolean default true, paused boolean
  default false, exchange_id text);
create table strategy_positions (
  id serial primary key, strategy_config_id int, market_symbol text, is_short boolean,
  contracts numeric, is_closed boolean default false, entry_timestamp int, exit_timestamp
  int, last_update_timestamp int);
create table strategy_orders (
  id serial primary key, strategy_position_id int, ccxt_order_id text, client_oid text,
  symbol text, type text, side text, amount numeric, filled numeric, remaining numeric,
  average numeric, status text, timestamp int, last_update_timestamp int, reduce_only
  boolean);
insert into strategy_configs(strategy_name,exchange_id) values ('a','okx');
insert into
  strategy_positions(strategy_config_id,market_symbol,is_short,contracts,entry_timestamp,last_update_timestamp)
  values (1,'BTC/USDT:USDT',true,3,1795000000,1795000000);
insert into
  strategy_orders(strategy_position_id,ccxt_order_id,client_oid,symbol,type,side,amount,filled,remaining,status,timestamp,last_update_timestamp)
  values (1,'99','c99','BTC/USDT:USDT','limit','sell',3,1,2,'open',1795000000,1795000000);
""",
        order=("1", "BTC/USDT:USDT", "sell", "3", "1", "open", "c99", "99"),
        position=("1", "BTC/USDT:USDT", "short", "3"),
        stops=True,
        writes=True,
    ),
    # TypeORM: tables named with reserved words, an enum without a word for open, isOpen.
    Shape(
        name="typeorm",
        sql="""
create type order_state_enum as enum (
  'pending','submitted','partial','filled','cancelled','failed');
create table "bot" (
  "id" serial primary key, "name" varchar, "status" varchar not null default 'RUNNING',
  "accountName" varchar, "createdAt" timestamptz default now());
create table "order" (
  "id" serial primary key, "botId" int, "venueOrderId" varchar, "cid" varchar, "symbol"
  varchar, "side" varchar, "kind" varchar, "qty" numeric, "qtyFilled" numeric default 0,
  "avgFillPrice" numeric, "state" order_state_enum default 'pending', "createdAt"
  timestamptz default now(), "updatedAt" timestamptz default now());
create table "position" (
  "id" serial primary key, "botId" int, "symbol" varchar, "side" varchar, "qty" numeric,
  "isOpen" boolean default true, "createdAt" timestamptz default now(), "updatedAt"
  timestamptz default now());
insert into "bot"(name,status,"accountName") values
  ('a','RUNNING','main'),('b','STOPPED','main');
insert into "order"("botId","venueOrderId",symbol,side,qty,"qtyFilled",state) values
  (1,'1','BTCUSDT','buy',2,1,'partial');
insert into "position"("botId",symbol,side,qty) values (1,'BTCUSDT','long',1);
""",
        order=("1", "BTCUSDT", "buy", "2", "1", "partially_filled", None, "1"),
        position=("1", "BTCUSDT", "long", "1"),
        stops=True,
        writes=True,
    ),
    # Every column with a prefix, keys that the bot makes up, a status of profiles in codes.
    Shape(
        name="prefixed",
        sql="""
create table t_bot(
  f_id bigint primary key, f_bot_name varchar, f_status smallint default 1);
create table t_order(
  f_id bigint primary key, f_bot_id bigint, f_exchange_order_id varchar, f_client_order_id
  varchar, f_symbol varchar, f_side varchar, f_qty numeric, f_filled_qty numeric,
  f_avg_price numeric, f_status varchar, f_create_time bigint, f_update_time bigint);
create table t_position(
  f_id bigint primary key, f_bot_id bigint, f_symbol varchar, f_side varchar, f_qty
  numeric, f_status varchar, f_create_time bigint, f_update_time bigint);
insert into t_bot values (1,'a',1);
insert into t_order values
  (5,1,'e','c','BTCUSDT','sell',3,1,1,'open',1795000000000,1795000000000);
insert into t_position values
  (5,1,'BTCUSDT','short',3,'open',1795000000000,1795000000000),(6,1,'BTCUSDT','short',3,'closed',1795000000000,1795000000000);
""",
        order=("1", "BTCUSDT", "sell", "3", "1", "open", "c", "e"),
        position=("1", "BTCUSDT", "short", "3"),
        stops=False,
        writes=True,
    ),
    # Futures: long and short of orders, and a column that says which orders close.
    Shape(
        name="effects",
        sql="""
create table bot_config(
  config_id text primary key, running boolean default true);
create table futures_orders(
  id serial primary key, config_id text references bot_config, exchange_order_id text,
  pair text, direction text, action text, contracts numeric, filled_contracts numeric,
  state text, created timestamptz default now(), modified timestamptz default now());
create table futures_positions(
  id serial primary key, config_id text references bot_config, pair text, direction text,
  contracts numeric, entry_contracts numeric, state text, opened timestamptz default
  now(), closed timestamptz);
insert into bot_config values ('c1',true);
insert into
  futures_orders(config_id,exchange_order_id,pair,direction,action,contracts,filled_contracts,state)
  values
  ('c1','1','BTC/USDT:USDT','LONG','CLOSE',1,0,'open'),('c1','2','BTC/USDT:USDT','SHORT','OPEN',1,0,'open');
insert into futures_positions(config_id,pair,direction,contracts,state) values
  ('c1','BTC/USDT:USDT','LONG',1,'open');
""",
        order=("c1", "BTC/USDT:USDT", "sell", "1", "0", "open", None, "1"),
        position=("c1", "BTC/USDT:USDT", "long", "1"),
        stops=True,
        writes=True,
    ),
    # Users own rows themselves; holdings without a side, a state or a key of their own.
    Shape(
        name="stocks",
        sql="""
create table users(
  id serial primary key, email text, is_active boolean default true, hashed_password
  text);
create table portfolio_holdings(
  user_id int references users, ticker text, shares numeric, avg_cost numeric,
  last_updated timestamptz default now(), primary key(user_id,ticker));
create table broker_orders(
  id uuid primary key default gen_random_uuid(), user_id int references users, broker_id
  text, ticker text, transaction_type text, shares numeric, shares_filled numeric,
  order_status text, placed_at timestamptz default now(), last_updated timestamptz default
  now());
insert into users(email) values('a@b'); insert into portfolio_holdings values
  (1,'AAPL',4,100,now());
insert into
  broker_orders(user_id,broker_id,ticker,transaction_type,shares,shares_filled,order_status)
  values (1,'b9','AAPL','BUY',2,0,'ACCEPTED');
""",
        order=("1", "AAPL", "buy", "2", "0", "open", None, "b9"),
        position=("1", "AAPL", "long", "4"),
        stops=True,
        writes=True,
    ),
)
