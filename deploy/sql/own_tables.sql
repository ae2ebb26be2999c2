-- The daemon's own tables, schema reconciler, in the database of database.url. Replace :role and
-- :database, or run it as the owner of the database with
--   psql -v role=reconciler -v database=trading -f own_tables.sql
-- `create` is needed by the first start, and by each upgrade that
-- brings a new version of the schema; between them it can be revoked.

grant connect, create on database :database to :role;
