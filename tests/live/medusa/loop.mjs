// The fastest that the server can do, for comparison: its bulk calls one after the other, nothing checked.
// node loop.mjs <base-url> <key> read|stock|prices <changes>. Prints the milliseconds and the requests.
const [base, key, what, changes] = process.argv.slice(2);
const auth = { authorization: 'Basic ' + Buffer.from(key + ':').toString('base64'), 'content-type': 'application/json' };
let requests = 0;
async function call(method, path, body) {
    requests++;
    const r = await fetch(base + path, { method, headers: auth, body: body && JSON.stringify(body) });
    const text = await r.text();
    if (!r.ok) throw new Error(`${method} ${path} ${r.status} ${text.slice(0, 300)}`);
    return JSON.parse(text);
}
const stock = 'manage_inventory,inventory_items.inventory_item_id,inventory_items.required_quantity,inventory_items.inventory.location_levels.location_id,inventory_items.inventory.location_levels.stocked_quantity,inventory_items.inventory.location_levels.reserved_quantity';
const prices = 'prices.id,prices.currency_code,prices.amount,prices.min_quantity,prices.max_quantity,prices.price_rules.attribute,prices.price_rules.value';
const fields = 'id,product_id,title,sku,ean,barcode,upc,' + (what === 'stock' ? stock : what === 'prices' ? prices : stock + ',' + prices);
const t0 = performance.now();
const all = [];
for (let offset = 0; ; offset += 1000) {
    const page = await call('GET', `/admin/product-variants?limit=1000&offset=${offset}&order=id&fields=${fields}`);
    all.push(...page.variants);
    if (all.length >= page.count) break;
}
const salt = Date.now() % 1000;
if (what === 'stock') {
    const own = all.filter(v => v.inventory_items.length === 1 && v.inventory_items[0].inventory.location_levels.length > 0).slice(0, Number(changes));
    for (let i = 0; i < own.length; i += 500) await call('POST', '/admin/inventory-items/location-levels/batch', {
        update: own.slice(i, i + 500).map(({ inventory_items: [item] }, k) => ({ inventory_item_id: item.inventory_item_id, location_id: item.inventory.location_levels[0].location_id, stocked_quantity: salt + i + k })),
    });
}
if (what === 'prices') {
    const own = all.slice(0, Number(changes));
    for (let i = 0; i < own.length; i += 500) await call('POST', `/admin/products/${own[i].product_id}/variants/batch?fields=id,prices.id,prices.amount,prices.currency_code`, {
        update: own.slice(i, i + 500).map((v, k) => ({ id: v.id, prices: v.prices.map(p => ({ id: p.id, currency_code: p.currency_code, amount: p.currency_code === 'pln' ? salt + (i + k) / 100 : p.amount, rules: p.rules, min_quantity: p.min_quantity, max_quantity: p.max_quantity })) })),
    });
}
console.log(Math.round(performance.now() - t0), requests);
