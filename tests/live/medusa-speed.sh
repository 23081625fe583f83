#!/usr/bin/env bash
# How long a pull and a push of 1,000 changes take, beside a bare loop of the server's own bulk calls:
# medusa-speed.sh DIR INVSYNC [ROUNDS=5]. DIR is a Medusa of `medusa-up.sh DIR PORT 5000`; INVSYNC the binary.
# Each line: what, the milliseconds of the loop and of invsync, their medians' ratio.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); dir=$(cd "$1" && pwd); invsync=$(readlink -f "$2"); rounds=${3:-5}
base=$(node -p "require('$dir/seed.json').base"); key=$(node -p "require('$dir/seed.json').key")
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"; umask 077
cp "$here/medusa/loop.mjs" .
config() {
    cat >invsync.toml <<TOML
[inventory]
path = "inventory.db"
[warehouses]
main = "Main"
[price_groups]
retail = { name = "Retail", currency = "PLN" }
[integrations.web]
type = "store"
connector = "medusa"
url = "$base"
api_key = "$key"
unlinked = "create"
http = { max_requests_per_second = 0 }
stock = { direction = "$1", warehouse = "main", location = "Main" }
prices = { direction = "$1", price_group = "retail" }
TOML
}
ms() { local t=$(date +%s%N); "$@" >out.txt 2>err.txt || { cat err.txt >&2; exit 1; }; echo $((($(date +%s%N) - t) / 1000000)); }
median() { tr ' ' '\n' <<<"$1" | sed '/^$/d' | sort -n | sed -n "$(((rounds + 1) / 2))p"; }
line() { echo "$1: loop $2 ($4 requests), invsync $3 ($5 requests), ratio $(node -p "($(median "$3")/$(median "$2")).toFixed(2)")"; }
config download
"$invsync" pull web -q
loops='' ours=''
for _ in $(seq "$rounds"); do
    read -r t n < <(node loop.mjs "$base" "$key" read); loops+=" $t"
    ours+=" $(ms "$invsync" pull web -v)"
done
line pull "$loops" "$ours" "$n" "$(grep -c ' 200 ' err.txt)"
for what in stock prices; do
    loops='' ours=''
    for round in $(seq "$rounds"); do
        read -r t n < <(node loop.mjs "$base" "$key" "$what" 1000); loops+=" $t"
        config download; "$invsync" pull web -q --allow all
        column=$([ "$what" = stock ] && echo stock.main || echo price.retail)
        "$invsync" inventory export | node -e "
            const [head, ...rows] = require('fs').readFileSync(0, 'utf8').trim().split('\n');
            const at = head.split(',').indexOf('$column');
            console.log('sku,$column');
            rows.slice(0, 1000).forEach((row, n) => console.log(row.split(',')[0] + ',' + (7000 + $round * 1000 + n)));" >import.csv
        "$invsync" inventory import import.csv -q
        config send
        ours+=" $(ms "$invsync" push web --only "$what" --allow all -v)"
    done
    line "push of 1000 $what" "$loops" "$ours" "$n" "$(grep -c ' 200 ' err.txt)"
done
