#!/bin/sh
# Makes the two logins of docs/database.md in a new database; the postgres image runs it once.
# Wants OWNER_PASSWORD and APP_PASSWORD in the environment.
set -eu
psql --username "${POSTGRES_USER:-postgres}" --dbname attendant --set ON_ERROR_STOP=1 \
    --set owner="$OWNER_PASSWORD" --set app="$APP_PASSWORD" <<'SQL'
CREATE ROLE attendant_owner LOGIN PASSWORD :'owner';
CREATE ROLE attendant LOGIN PASSWORD :'app';
CREATE ROLE attendant_app NOLOGIN;
GRANT attendant_app TO attendant;
ALTER DATABASE attendant OWNER TO attendant_owner;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
SQL
