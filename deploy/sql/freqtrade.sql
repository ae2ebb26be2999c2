-- The least that the daemon's role needs for the preset `freqtrade`. Replace :role, or run it as the
-- owner of the tables with
--   psql -v role=reconciler -f freqtrade.sql
-- and again after an update of freqtrade that rebuilds its tables: they lose their grants then.
-- Where its tables are in another schema, name that one in place of public everywhere.

grant usage on schema public to :role;
grant select on public.trades, public.orders, public.pairlocks to :role;

-- Only for deactivation = "freqtrade_pairlock" in mode = "enforce": rows of our own.
grant insert on public.pairlocks to :role;
grant update (lock_end_time, active) on public.pairlocks to :role;
grant usage on sequence public.pairlocks_id_seq to :role;
