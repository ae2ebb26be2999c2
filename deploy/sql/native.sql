-- The least that the daemon's role needs for the native book. Replace :role, or run it with
--   psql -v role=reconciler -f native.sql
-- Leave the UPDATE lines out for mode = "observe".

grant usage on schema bot to :role;
grant select on bot.profiles, bot.orders, bot.positions to :role;
grant update (status, updated_at) on bot.profiles to :role;
grant update (status, filled, avg_price, updated_at) on bot.orders to :role;
