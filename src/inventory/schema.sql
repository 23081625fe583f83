-- The inventory, version 2. Quantities and prices are integers of millionths; moments are
-- milliseconds since 1970 (UTC).

-- Config keys map to ids of the inventory's own, so that values and history follow a renamed key.
-- `revision` moves with every write of a value.
CREATE TABLE warehouses (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    revision INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE price_groups (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    revision INTEGER NOT NULL DEFAULT 0
) STRICT;

-- `sku_links`: the products whose link to the item with the id of their own SKU, made by SKU, is
-- kept (a roaring bitmap of product ids). A million such links are a few KiB here.
CREATE TABLE integrations (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    sku_links BLOB
) STRICT;

-- `sections`: what a pull or push worked on, such as `stock` or `stock,prices`. `undoes`: of an
-- undo, the run that it puts back. `sku_links`: those of the above that this run added.
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    integration_id INTEGER REFERENCES integrations (id),
    command TEXT NOT NULL,
    sections TEXT NOT NULL DEFAULT '',
    undoes INTEGER REFERENCES runs (id),
    at_store INTEGER NOT NULL DEFAULT 0 CHECK (at_store IN (0, 1)),
    status TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    finished_ms INTEGER,
    items INTEGER NOT NULL DEFAULT 0,
    linked INTEGER NOT NULL DEFAULT 0,
    unlinked INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL DEFAULT 0,
    missing INTEGER NOT NULL DEFAULT 0,
    duplicates INTEGER NOT NULL DEFAULT 0,
    invalid INTEGER NOT NULL DEFAULT 0,
    changed_stock INTEGER NOT NULL DEFAULT 0,
    changed_prices INTEGER NOT NULL DEFAULT 0,
    changed_links INTEGER NOT NULL DEFAULT 0,
    held_back INTEGER NOT NULL DEFAULT 0,
    refused INTEGER NOT NULL DEFAULT 0,
    guards TEXT NOT NULL DEFAULT '[]',
    error TEXT,
    sku_links BLOB,
    pruned INTEGER NOT NULL DEFAULT 0 CHECK (pruned IN (0, 1))
) STRICT;

CREATE INDEX runs_by_integration ON runs (integration_id, id);

-- `run_id`: the run that made it.
CREATE TABLE products (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 4294967294),
    sku TEXT NOT NULL UNIQUE CHECK (sku <> ''),
    ean TEXT,
    name TEXT,
    parent_sku TEXT,
    run_id INTEGER NOT NULL REFERENCES runs (id)
) STRICT;

-- Products that an undo took away again. Their rows stay for the history, and come back under
-- their old id when the SKU is made again.
CREATE TABLE removed_products (
    product_id INTEGER PRIMARY KEY REFERENCES products (id),
    run_id INTEGER NOT NULL REFERENCES runs (id)
) STRICT;

-- One sequential range per warehouse and per price group. A row without value says who made it
-- unknown. `run_id` is the run that wrote the value.
CREATE TABLE stock (
    warehouse_id INTEGER NOT NULL REFERENCES warehouses (id),
    product_id INTEGER NOT NULL REFERENCES products (id),
    quantity INTEGER,
    run_id INTEGER NOT NULL REFERENCES runs (id),
    PRIMARY KEY (warehouse_id, product_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE prices (
    price_group_id INTEGER NOT NULL REFERENCES price_groups (id),
    product_id INTEGER NOT NULL REFERENCES products (id),
    price INTEGER,
    run_id INTEGER NOT NULL REFERENCES runs (id),
    PRIMARY KEY (price_group_id, product_id)
) STRICT, WITHOUT ROWID;

-- Links that need a row: by EAN, by hand, never (no product), and by SKU where the item's id is
-- not the SKU. `handle` is what the store needs beside the id. `linked_by`: 0 sku, 1 ean, 2 hand,
-- 3 never.
CREATE TABLE links (
    integration_id INTEGER NOT NULL REFERENCES integrations (id),
    item_id TEXT NOT NULL,
    handle TEXT,
    product_id INTEGER REFERENCES products (id),
    linked_by INTEGER NOT NULL CHECK (linked_by BETWEEN 0 AND 3),
    run_id INTEGER NOT NULL REFERENCES runs (id),
    PRIMARY KEY (integration_id, item_id),
    CHECK ((product_id IS NULL) = (linked_by = 3))
) STRICT, WITHOUT ROWID;

-- Every value that a run changed, and of a push also what it is about to send. `section`: 0 stock,
-- 1 prices; `place_id`: the warehouse or price group; `n` counts the items that share a product.
-- `status`: 0 applied, 1 planned, 2 held back, 3 refused, 4 skipped, 5 uncertain, 6 sending.
-- `item_id` is absent where it is the SKU, and for the inventory's own commands.
CREATE TABLE changes (
    run_id INTEGER NOT NULL REFERENCES runs (id),
    section INTEGER NOT NULL CHECK (section IN (0, 1)),
    place_id INTEGER NOT NULL,
    product_id INTEGER NOT NULL REFERENCES products (id),
    n INTEGER NOT NULL,
    before INTEGER,
    after INTEGER,
    status INTEGER NOT NULL CHECK (status BETWEEN 0 AND 6),
    item_id TEXT,
    message TEXT,
    PRIMARY KEY (run_id, section, place_id, product_id, n)
) STRICT, WITHOUT ROWID;

-- Where at the store the values of a run stand, for those of one place, where the config names a
-- place there: JSON of kinds and names, such as `[["location","Main"]]`.
CREATE TABLE run_places (
    run_id INTEGER NOT NULL REFERENCES runs (id),
    section INTEGER NOT NULL CHECK (section IN (0, 1)),
    place_id INTEGER NOT NULL,
    place_at_store TEXT NOT NULL,
    PRIMARY KEY (run_id, section, place_id)
) STRICT, WITHOUT ROWID;

-- Every link that a link command made or removed. `linked_by` as in `links`; absent: no link.
CREATE TABLE link_changes (
    run_id INTEGER NOT NULL REFERENCES runs (id),
    n INTEGER NOT NULL,
    item_id TEXT NOT NULL,
    handle TEXT,
    product_before INTEGER REFERENCES products (id),
    linked_by_before INTEGER CHECK (linked_by_before BETWEEN 0 AND 3),
    product_after INTEGER REFERENCES products (id),
    linked_by_after INTEGER CHECK (linked_by_after BETWEEN 0 AND 3),
    status INTEGER NOT NULL CHECK (status BETWEEN 0 AND 6),
    message TEXT,
    PRIMARY KEY (run_id, n)
) STRICT, WITHOUT ROWID;

-- The first problems of a run; their full counts by kind are in `problem_counts`.
CREATE TABLE problems (
    run_id INTEGER NOT NULL REFERENCES runs (id),
    n INTEGER NOT NULL,
    kind TEXT NOT NULL,
    item_id TEXT,
    sku TEXT,
    line INTEGER,
    message TEXT NOT NULL,
    PRIMARY KEY (run_id, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE problem_counts (
    run_id INTEGER NOT NULL REFERENCES runs (id),
    kind TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (run_id, kind)
) STRICT, WITHOUT ROWID;

-- What the last delivery of each source held, as sets of product ids (roaring bitmaps): what was
-- linked, whose quantity was known, whose price was known. `source` is empty where one source
-- feeds both sections. `shape`: what of its shape was there, one a line. `absences`: linked products that the last complete deliveries lacked, and how
-- many in a row (pairs of 32-bit little-endian numbers).
CREATE TABLE deliveries (
    integration_id INTEGER NOT NULL REFERENCES integrations (id),
    source TEXT NOT NULL,
    run_id INTEGER NOT NULL REFERENCES runs (id),
    items INTEGER NOT NULL,
    header TEXT NOT NULL,
    shape TEXT NOT NULL DEFAULT '',
    seen BLOB NOT NULL,
    known_stock BLOB NOT NULL,
    known_prices BLOB NOT NULL,
    absences BLOB NOT NULL DEFAULT x'',
    PRIMARY KEY (integration_id, source)
) STRICT, WITHOUT ROWID;

-- What a source (see deliveries) said of what a run applied to these sections (`stock`,
-- `stock,prices`), as long as
-- nothing in `conditions`, a hash, has moved: then what is the same need not be read again.
CREATE TABLE validators (
    integration_id INTEGER NOT NULL REFERENCES integrations (id),
    source TEXT NOT NULL,
    sections TEXT NOT NULL,
    run_id INTEGER NOT NULL REFERENCES runs (id),
    conditions TEXT NOT NULL,
    validators TEXT NOT NULL,
    PRIMARY KEY (integration_id, source, sections)
) STRICT, WITHOUT ROWID;

-- The last value that a store confirmed, by an echo of our write or by being read equal to ours.
-- `place_at_store`: at which of its places, as in `run_places`; empty where it has one only.
CREATE TABLE confirmed (
    integration_id INTEGER NOT NULL REFERENCES integrations (id),
    section INTEGER NOT NULL CHECK (section IN (0, 1)),
    place_at_store TEXT NOT NULL DEFAULT '',
    item_id TEXT NOT NULL,
    value INTEGER NOT NULL,
    run_id INTEGER NOT NULL REFERENCES runs (id),
    PRIMARY KEY (integration_id, section, place_at_store, item_id)
) STRICT, WITHOUT ROWID;

-- For other programs; kept stable. `quantity` and `price` are decimal text.
CREATE VIEW stock_levels (sku, warehouse, quantity, updated_at) AS
SELECT
    products.sku,
    warehouses.key,
    rtrim(rtrim(printf('%s%d.%06d', iif(quantity < 0, '-', ''), abs(quantity) / 1000000,
        abs(quantity) % 1000000), '0'), '.'),
    strftime('%Y-%m-%dT%H:%M:%SZ', coalesce(runs.finished_ms, runs.started_ms) / 1000, 'unixepoch')
FROM stock
JOIN warehouses ON warehouses.id = stock.warehouse_id
JOIN products ON products.id = stock.product_id
JOIN runs ON runs.id = stock.run_id
WHERE quantity IS NOT NULL;

-- Prices with at least the usual decimals of their currency (two, but for the listed ones).
CREATE VIEW price_list (sku, price_group, currency, price, updated_at) AS
SELECT
    sku,
    price_group,
    currency,
    printf('%s%d', iif(price < 0, '-', ''), abs(price) / 1000000)
        || iif(decimals = 0, '', '.' || substr(digits, 1, decimals))
        || iif(rest = '', '', iif(decimals = 0, '.', '') || rest),
    strftime('%Y-%m-%dT%H:%M:%SZ', at_ms / 1000, 'unixepoch')
FROM (
    SELECT *, rtrim(substr(digits, decimals + 1), '0') AS rest
    FROM (
        SELECT
            products.sku AS sku,
            price_groups.key AS price_group,
            price_groups.currency AS currency,
            prices.price AS price,
            printf('%06d', abs(prices.price) % 1000000) AS digits,
            CASE
                WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG',
                    'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 0
                WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3
                ELSE 2
            END AS decimals,
            coalesce(runs.finished_ms, runs.started_ms) AS at_ms
        FROM prices
        JOIN price_groups ON price_groups.id = prices.price_group_id
        JOIN products ON products.id = prices.product_id
        JOIN runs ON runs.id = prices.run_id
        WHERE prices.price IS NOT NULL
    )
);
