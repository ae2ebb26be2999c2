-- The least that the daemon's role needs for the preset `hummingbot_api`: it reads one table.
-- Replace :role (and public, where its tables are in another schema), or run it with
--   psql -v role=reconciler -f hummingbot_api.sql

grant usage on schema public to :role;
grant select on public.orders to :role;
