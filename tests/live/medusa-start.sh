#!/usr/bin/env bash
# Starts the Medusa that medusa-up.sh has installed: medusa-start.sh DIR PORT PGPORT. Leaves DIR/server.pid and
# DIR/server.log; returns when it answers.
set -euo pipefail
cd "$1"; port=$2; pgport=$3
export DATABASE_URL="postgres://postgres@127.0.0.1:$pgport/medusa" MEDUSA_DISABLE_TELEMETRY=true NODE_ENV=production
setsid nohup nice -n 5 node node_modules/.bin/medusa start -H 127.0.0.1 -p "$port" >>server.log 2>&1 </dev/null &
echo $! >server.pid
for _ in $(seq 1 480); do
    curl -sf "http://127.0.0.1:$port/health" >/dev/null && exit 0
    kill -0 "$(cat server.pid)" 2>/dev/null || break
    sleep 0.25
done
echo "Medusa does not start; its log:" >&2
tail -50 server.log >&2
exit 1
