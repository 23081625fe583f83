-- From version 1, which knew no places at a store, to version 2.
CREATE TABLE run_places (
    run_id INTEGER NOT NULL REFERENCES runs (id),
    section INTEGER NOT NULL CHECK (section IN (0, 1)),
    place_id INTEGER NOT NULL,
    place_at_store TEXT NOT NULL,
    PRIMARY KEY (run_id, section, place_id)
) STRICT, WITHOUT ROWID;

ALTER TABLE confirmed RENAME TO confirmed_1;

CREATE TABLE confirmed (
    integration_id INTEGER NOT NULL REFERENCES integrations (id),
    section INTEGER NOT NULL CHECK (section IN (0, 1)),
    place_at_store TEXT NOT NULL DEFAULT '',
    item_id TEXT NOT NULL,
    value INTEGER NOT NULL,
    run_id INTEGER NOT NULL REFERENCES runs (id),
    PRIMARY KEY (integration_id, section, place_at_store, item_id)
) STRICT, WITHOUT ROWID;

INSERT INTO confirmed (integration_id, section, item_id, value, run_id)
SELECT integration_id, section, item_id, value, run_id FROM confirmed_1;

DROP TABLE confirmed_1;
