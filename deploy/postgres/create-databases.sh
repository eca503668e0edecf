#!/bin/sh
# Runs once, when the data folder is new: a database for each bounded context, and a user who may
# use that one only. The users' passwords come from the environment.
set -eu

create_database() {
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
        --set name="$1" --set password="$2" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
}

create_database auth "$AUTH_PASSWORD"
create_database orders "$ORDERS_PASSWORD"
