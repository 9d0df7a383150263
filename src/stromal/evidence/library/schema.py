"""The tables of a library."""

from __future__ import annotations

from typing import Final

APPLICATION: Final = 0x5374726F
"""Written in the header of the file (``Stro``): tells a library from another SQLite file."""
VERSION: Final = 1
"""Of these tables; a file with a higher one was written by a newer version of this package."""

TABLES: Final = """
CREATE TABLE records (          -- what each source says of a work, whole
    id INTEGER PRIMARY KEY,
    work INTEGER NOT NULL,      -- the smallest id of the records of the same work
    version INTEGER NOT NULL,   -- 1 when first imported
    imported TEXT NOT NULL,     -- time of import of this version, ISO 8601
    format TEXT NOT NULL,
    database TEXT NOT NULL,     -- key `source` of the item: where the file was exported from
    identifiers TEXT NOT NULL,  -- JSON, as all that follows until `remarks`
    item TEXT NOT NULL,
    keywords TEXT NOT NULL,
    origin TEXT NOT NULL,
    remarks TEXT NOT NULL,
    fields BLOB NOT NULL,       -- JSON, zlib with the text of `item` as dictionary
    content BLOB NOT NULL,      -- bytes of the source, compressed likewise
    sha256 TEXT NOT NULL,       -- of those bytes before compression
    file TEXT NOT NULL,
    place TEXT NOT NULL,
    digest TEXT NOT NULL        -- SHA-256 of all that was read (format, identifiers ... fields)
) STRICT;
CREATE INDEX records_by_work ON records (work);
CREATE INDEX records_by_digest ON records (digest);

CREATE TABLE versions (         -- what was replaced by a later import
    record INTEGER NOT NULL REFERENCES records,
    version INTEGER NOT NULL,
    imported TEXT NOT NULL,
    format TEXT NOT NULL,
    database TEXT NOT NULL,
    identifiers TEXT NOT NULL,
    item TEXT NOT NULL,
    keywords TEXT NOT NULL,
    origin TEXT NOT NULL,
    remarks TEXT NOT NULL,
    fields BLOB NOT NULL,
    content BLOB NOT NULL,
    sha256 TEXT NOT NULL,
    file TEXT NOT NULL,
    place TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (record, version)
) STRICT;
CREATE INDEX versions_by_digest ON versions (digest);

CREATE TABLE aliases (          -- names of records
    curie TEXT NOT NULL,
    record INTEGER NOT NULL REFERENCES records,
    standing INTEGER NOT NULL,  -- 0 the record bears it, 1 an earlier version bore it, 2 hash of its source
    PRIMARY KEY (curie, record)
) STRICT, WITHOUT ROWID;
CREATE INDEX aliases_by_record ON aliases (record);

CREATE TABLE works (            -- changes of clusters; the members are in records.work
    id INTEGER PRIMARY KEY,
    changed INTEGER NOT NULL    -- number of the event after which its records or their content last changed
) STRICT;
CREATE INDEX works_by_change ON works (changed);

CREATE TABLE blocks (           -- records that share a key are compared
    key INTEGER NOT NULL,
    record INTEGER NOT NULL REFERENCES records,
    PRIMARY KEY (key, record)
) STRICT, WITHOUT ROWID;

CREATE TABLE links (            -- what the comparison of two records found; a < b
    a INTEGER NOT NULL REFERENCES records,
    b INTEGER NOT NULL REFERENCES records,
    kind TEXT NOT NULL,         -- same, possible, version, erratum, retraction, concern
    forward INTEGER NOT NULL,   -- 1: a is the version, erratum ... of b; 0: b is that of a
    why TEXT NOT NULL,
    PRIMARY KEY (a, b)
) STRICT, WITHOUT ROWID;
CREATE INDEX links_by_second ON links (b);

CREATE TABLE overrides (        -- what a person decided; a < b
    a TEXT NOT NULL,
    b TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('same', 'not same')),
    by TEXT NOT NULL,
    why TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (a, b)
) STRICT, WITHOUT ROWID;
CREATE INDEX overrides_by_second ON overrides (b);

CREATE TABLE relations (        -- stated by a person or a source: a is the version, erratum ... of b
    a TEXT NOT NULL,
    b TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('version', 'erratum', 'retraction', 'concern')),
    record INTEGER REFERENCES records,  -- that states it; null: a person does
    by TEXT NOT NULL,
    why TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;
CREATE INDEX relations_by_first ON relations (a);
CREATE INDEX relations_by_second ON relations (b);
CREATE INDEX relations_by_record ON relations (record);

CREATE TABLE texts (            -- abstracts and full texts in which quotes are looked up
    sha256 TEXT NOT NULL,       -- of the text in UTF-8
    record INTEGER NOT NULL REFERENCES records,
    content BLOB NOT NULL,      -- UTF-8, zlib
    kind TEXT NOT NULL CHECK (kind IN ('abstract', 'full text')),
    source TEXT NOT NULL,
    date TEXT NOT NULL,         -- of the source, ISO 8601
    imported TEXT NOT NULL,
    PRIMARY KEY (sha256, record)
) STRICT;
CREATE INDEX texts_by_record ON texts (record);

CREATE TABLE events (           -- append-only; each hash covers the one before
    seq INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    agent TEXT NOT NULL,
    activity TEXT NOT NULL,
    entity TEXT NOT NULL,
    payload TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;
CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'the log of events is append-only'); END;
CREATE TRIGGER events_are_never_removed BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'the log of events is append-only'); END;
"""
"""STRICT needs SQLite 3.37."""
