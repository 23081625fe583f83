#!/usr/bin/env bash
# Stops the Medusa of medusa-up.sh and its Postgres: medusa-down.sh DIR. Nothing else is touched: a pid counts only
# where its process works in DIR.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ -d "$1" ] || exit 0
dir=$(cd "$1" && pwd)
pid=$(cat "$dir/server.pid" 2>/dev/null || true)
if [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd" 2>/dev/null)" = "$dir" ]; then
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 1 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    kill -9 "$pid" 2>/dev/null || true
fi
if [ -f "$dir/pgdata/postmaster.pid" ]; then "$here/pg-down.sh" "$dir"; fi
