#!/bin/sh
# Make the secrets of one installation of SSS Portal, each a file of its own. What is there already stays.
#
#   make-secrets.sh FOLDER DATABASE_HOST REDIS_HOST
#   docker compose:  make-secrets.sh /etc/sss-portal/secrets postgres redis
#   one VM:          make-secrets.sh /etc/sss-portal/secrets 127.0.0.1 127.0.0.1
#
# Needs openssl. The folder is for root alone. The files in it are readable, because a container engine hands
# them to processes that are not root, and nobody else gets past the folder.
set -eu

if [ $# -ne 3 ]; then
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
folder=$1 database_host=$2 redis_host=$3

umask 077
mkdir -p "$folder"
chmod 700 "$folder"
cd "$folder"

# make NAME COMMAND…: write what the command prints, in one step, unless the file is there.
make() {
    name=$1
    shift
    if [ ! -e "$name" ]; then
        "$@" >"$name.new"
        chmod 444 "$name.new"
        mv "$name.new" "$name"
        echo "made   $name"
    else
        echo "kept   $name"
    fi
}

# Letters and digits only: these stand in URLs.
password() { openssl rand -hex 24; }
url() { printf 'postgresql://%s:%s@%s:5432/sss_portal\n' "$1" "$(cat "$2")" "$database_host"; }
redis_url() { printf 'redis://:%s@%s:6379/0\n' "$(sed -n 's/^requirepass //p' redis.conf)" "$redis_host"; }
redis_conf() { printf 'requirepass %s\n' "$(password)"; }

make secret_key openssl rand -base64 60
# Only workers are given opening.pem. Without it nobody can read the secrets in the database any more:
# keep a copy of it apart from the database's backups.
make opening.pem openssl genpkey -algorithm X25519
make sealing.pem openssl pkey -in opening.pem -pubout
make database_owner_password password
make database_password password
make database_url_owner url sss_owner database_owner_password
make database_url url sss_portal database_password
make redis.conf redis_conf
make redis_url redis_url

for name in sign_in_client_secret tls_certificate.pem tls_key.pem; do
    [ -e "$name" ] || echo "needed $name (see docs/production.md)"
done
