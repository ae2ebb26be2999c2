-- The least that the daemon's role needs for the preset `supabase`. Replace :role, or run it with
--   psql -v role=reconciler -f supabase.sql
-- after `create role reconciler login password '…'`. Leave the UPDATE parts out for mode = "observe".

grant usage on schema public to :role;
grant select on public.profiles, public.orders, public.positions to :role;
grant update (status) on public.profiles to :role;
grant update (status, filled, avg_price, updated_at) on public.orders to :role;

-- Row level security shows a role without a policy no row at all, and every position would look like
-- a ghost: so the daemon refuses to judge until these are there. They harm nothing where it is off.
create policy reconciler_reads on public.profiles for select to :role using (true);
create policy reconciler_reads on public.orders for select to :role using (true);
create policy reconciler_reads on public.positions for select to :role using (true);
create policy reconciler_contains on public.profiles for update to :role using (true);
create policy reconciler_writes on public.orders for update to :role using (true);
