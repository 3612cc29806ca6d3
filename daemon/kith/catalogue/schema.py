"""The tables of the catalogue, as named steps that only go forward. Each step runs in one transaction, once.

Paths are BLOBs, since file names are bytes. Boxes are centre and size in fractions of the displayed frame. Times are
seconds since 1970. Vectors are little-endian float32.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from sqlite3 import complete_statement

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

ABOUT_NOBODY = ("ignored", "not-a-face", "drawn", "moved", "restored", "forgotten")


def _decisions(about_nobody: Sequence[str], fill: str = "") -> str:
    """The table of decisions, some kinds of which are about no person; `fill` puts in those of a table before it."""
    kinds = ", ".join(f"'{kind}'" for kind in about_nobody)
    return f"""
CREATE TABLE decisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    act_id INTEGER NOT NULL REFERENCES acts (id),
    kind TEXT NOT NULL,
    content_key BLOB,
    x REAL, y REAL, w REAL, h REAL,
    person_id INTEGER REFERENCES people (id),
    other_id INTEGER REFERENCES people (id),
    detail TEXT,
    CHECK (kind IN ({kinds}) OR person_id IS NOT NULL),
    CHECK (kind IN ('renamed', 'merged', 'apart', 'born', 'hidden', 'shown') OR content_key IS NOT NULL),
    CHECK (content_key IS NULL OR kind IN ('present', 'absent', 'disputed') OR x IS NOT NULL)
) STRICT;
{fill}
CREATE INDEX decisions_by_content ON decisions (content_key);
CREATE INDEX decisions_by_person ON decisions (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX decisions_by_act ON decisions (act_id);
CREATE INDEX merges ON decisions (id) WHERE kind = 'merged';

-- The decisions that hold.
CREATE VIEW standing AS SELECT d.* FROM decisions d JOIN acts a ON a.id = d.act_id WHERE a.live;
"""


INITIAL = f"""
-- One row for each thing that Kith must remember once: which model pack is in use, whether it is trusted.
CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- A picture file. `content_rev` grows when its content changes, `analysed_rev` follows when its faces are found, in the
-- content of `analysed_key`; `tags_rev` grows when the names on it change, `sidecar_rev` follows when they are written
-- beside it. `said` tells the sidecar beside it apart from an earlier or later one (name, size, time), `heard` follows
-- when it has been read.
CREATE TABLE photos (
    id INTEGER PRIMARY KEY,
    path BLOB NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    content_key BLOB NOT NULL,
    missing INTEGER NOT NULL DEFAULT 0,
    content_rev INTEGER NOT NULL DEFAULT 1,
    analysed_rev INTEGER NOT NULL DEFAULT 0,
    analysed_pack TEXT,
    analysed_key BLOB,
    tags_rev INTEGER NOT NULL DEFAULT 0,
    sidecar_rev INTEGER NOT NULL DEFAULT 0,
    width INTEGER,
    height INTEGER,
    orientation INTEGER,
    captured_at REAL,
    said TEXT NOT NULL DEFAULT '',
    heard TEXT
) STRICT;
CREATE INDEX photos_by_content ON photos (content_key);
CREATE INDEX photos_to_analyse ON photos (mtime_ns) WHERE analysed_rev < content_rev AND missing = 0;
CREATE INDEX photos_to_write ON photos (id) WHERE sidecar_rev < tags_rev AND missing = 0;
CREATE INDEX photos_to_hear ON photos (id) WHERE heard IS NOT said AND missing = 0;

-- A person. `born_as` is the name first given, `name` the one they have now, `key` the name as it is compared;
-- somebody who was merged into another person has none. `born` is a day (ISO 8601), `feature_id` the face that was
-- chosen to show them. All but `born_as` follow from the decisions.
CREATE TABLE people (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    born_as TEXT NOT NULL,
    name TEXT NOT NULL,
    key TEXT UNIQUE,
    merged_into INTEGER REFERENCES people (id),
    born TEXT,
    hidden INTEGER NOT NULL DEFAULT 0,
    feature_id INTEGER REFERENCES faces (id) ON DELETE SET NULL,
    CHECK ((key IS NULL) = (merged_into IS NOT NULL))
) STRICT;

-- A face on a photo, found when the photo's content was `found_in`. `answer` (confirmed, ignored, not-a-face) and
-- `person_id` are what a person said, and follow from the decisions; the group, the suggestion and `unlikely` (to be a
-- face at all) are what Kith believes, and can be recomputed at any time. The box of a `given` face is a person's or
-- another program's. `dispute` says what became of a name that another program took away twice.
CREATE TABLE faces (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    photo_id INTEGER NOT NULL REFERENCES photos (id) ON DELETE CASCADE,
    x REAL NOT NULL, y REAL NOT NULL, w REAL NOT NULL, h REAL NOT NULL,
    landmarks BLOB NOT NULL,
    score REAL NOT NULL,
    quality REAL NOT NULL,
    found_in BLOB NOT NULL,
    given INTEGER NOT NULL DEFAULT 0,
    answer TEXT CHECK (answer IN ('confirmed', 'ignored', 'not-a-face')),
    person_id INTEGER REFERENCES people (id),
    dispute TEXT CHECK (dispute IN ('open', 'insisted')),
    group_id INTEGER,
    suggested_id INTEGER REFERENCES people (id),
    probability_classifier REAL,
    probability_group REAL,
    auto INTEGER NOT NULL DEFAULT 0,
    because TEXT,
    unlikely INTEGER NOT NULL DEFAULT 0,
    CHECK ((answer IS 'confirmed') = (person_id IS NOT NULL))
) STRICT;
CREATE INDEX faces_by_photo ON faces (photo_id);
CREATE INDEX faces_by_content ON faces (found_in);
CREATE INDEX faces_by_person ON faces (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX faces_by_suggestion ON faces (suggested_id) WHERE suggested_id IS NOT NULL;
CREATE INDEX faces_by_group ON faces (group_id) WHERE group_id IS NOT NULL;

-- A picture of the face with its surroundings (JPEG) and the five landmarks in its pixels, from which another model
-- can embed the face again.
CREATE TABLE crops (
    face_id INTEGER PRIMARY KEY REFERENCES faces (id) ON DELETE CASCADE,
    jpeg BLOB NOT NULL,
    landmarks BLOB NOT NULL
) STRICT;

-- What one model pack's embedder makes of a face.
CREATE TABLE embeddings (
    face_id INTEGER NOT NULL REFERENCES faces (id) ON DELETE CASCADE,
    pack TEXT NOT NULL,
    vector BLOB NOT NULL,
    PRIMARY KEY (face_id, pack)
) STRICT, WITHOUT ROWID;

-- What was said at once, by whom, in words: naming a group, merging two people, what a sidecar says. Undoing is an act
-- too, of the one that it `undoes`; an act is `live` unless a live one undoes it.
CREATE TABLE acts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    source TEXT NOT NULL,
    words TEXT NOT NULL,
    undoes INTEGER REFERENCES acts (id),
    live INTEGER NOT NULL DEFAULT 1
) STRICT;

-- Every answer ever given, never changed or removed. A face is named by photo content and box, a photo by its content,
-- so that the answer outlives the row it was given to. `other_id` is whom a person was merged into or told apart from,
-- `detail` where a face was moved (JSON: x, y, w, h), what a person was renamed to, or a day of birth.
{_decisions(ABOUT_NOBODY)}

-- Who is on a photo without a face that shows it; follows from the decisions.
CREATE TABLE presences (
    content_key BLOB NOT NULL,
    person_id INTEGER NOT NULL REFERENCES people (id),
    dispute TEXT CHECK (dispute IN ('open', 'insisted')),
    PRIMARY KEY (content_key, person_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX presences_by_person ON presences (person_id);

-- Who a face is not; follows from the decisions.
CREATE TABLE rejections (
    face_id INTEGER NOT NULL REFERENCES faces (id) ON DELETE CASCADE,
    person_id INTEGER NOT NULL REFERENCES people (id),
    PRIMARY KEY (face_id, person_id)
) STRICT, WITHOUT ROWID;

-- What Kith last wrote into the sidecar of a photo (`base`, JSON) and the digest of the whole file then. `intended`
-- says that a replacement was under way: if the file has that digest, it happened.
CREATE TABLE sidecars (
    photo_id INTEGER PRIMARY KEY REFERENCES photos (id) ON DELETE CASCADE,
    base TEXT,
    digest BLOB,
    intended TEXT,
    intended_digest BLOB
) STRICT;

-- The bytes of each sidecar as it was before Kith first wrote it; NULL where there was none. `digest` is of what Kith
-- wrote there last, or was about to, `digest_before` of what it wrote before that. `mixed` tells that another program
-- has changed it in between, so that the original is no longer all that is Kith's to give back.
CREATE TABLE originals (
    path BLOB PRIMARY KEY,
    bytes BLOB,
    kept_at REAL NOT NULL,
    digest BLOB NOT NULL,
    digest_before BLOB,
    mixed INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- What went wrong with which file, until it goes right or the file changes. `next_try` is NULL where only a change of
-- the file or the model can help.
CREATE TABLE trouble (
    path BLOB NOT NULL,
    stage TEXT NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 1,
    next_try REAL,
    PRIMARY KEY (path, stage)
) STRICT, WITHOUT ROWID;
"""

NOW = "(julianday('now') - 2440587.5) * 86400.0"

EVENTS = f"""
-- What has happened, for those who follow it: written by the triggers below in the same transaction as the change, so
-- that none is missing and none is told before it holds. Numbers are never used twice. The oldest are let go.
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL DEFAULT (0),
    kind TEXT NOT NULL,
    photo_id INTEGER,
    person_id INTEGER,
    act_id INTEGER
) STRICT;
CREATE TRIGGER event_at AFTER INSERT ON events BEGIN
    UPDATE events SET at = {NOW} WHERE id = NEW.id;
END;
CREATE TRIGGER photo_found AFTER INSERT ON photos BEGIN
    INSERT INTO events (kind, photo_id) VALUES ('photo', NEW.id);
END;
CREATE TRIGGER photo_changed AFTER UPDATE OF path, missing, content_rev ON photos
WHEN OLD.path != NEW.path OR OLD.missing != NEW.missing OR OLD.content_rev != NEW.content_rev BEGIN
    INSERT INTO events (kind, photo_id) VALUES ('photo', NEW.id);
END;
CREATE TRIGGER photo_analysed AFTER UPDATE OF analysed_rev ON photos WHEN NEW.analysed_rev > OLD.analysed_rev BEGIN
    INSERT INTO events (kind, photo_id) VALUES ('analysed', NEW.id);
END;
CREATE TRIGGER photo_named AFTER UPDATE OF tags_rev ON photos WHEN NEW.tags_rev != OLD.tags_rev BEGIN
    INSERT INTO events (kind, photo_id) VALUES ('names', NEW.id);
END;
CREATE TRIGGER photo_written AFTER UPDATE OF sidecar_rev ON photos WHEN NEW.sidecar_rev != OLD.sidecar_rev BEGIN
    INSERT INTO events (kind, photo_id) VALUES ('sidecar', NEW.id);
END;
CREATE TRIGGER person_found AFTER INSERT ON people BEGIN
    INSERT INTO events (kind, person_id) VALUES ('person', NEW.id);
END;
CREATE TRIGGER person_changed AFTER UPDATE ON people BEGIN
    INSERT INTO events (kind, person_id) VALUES ('person', NEW.id);
END;
CREATE TRIGGER act_told AFTER INSERT ON acts BEGIN
    INSERT INTO events (kind, act_id) VALUES ('answer', NEW.id);
END;

-- Faces whose evidence is not what recognition last saw, or that are gone: what recognition has to look at. A face that
-- changes again gets a new number.
CREATE TABLE changed_faces (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    face_id INTEGER NOT NULL UNIQUE
) STRICT;
CREATE TRIGGER face_found AFTER INSERT ON faces BEGIN
    INSERT OR REPLACE INTO changed_faces (face_id) VALUES (NEW.id);
END;
CREATE TRIGGER face_changed AFTER UPDATE OF photo_id, x, y, w, h, quality, found_in, answer, person_id ON faces BEGIN
    INSERT OR REPLACE INTO changed_faces (face_id) VALUES (NEW.id);
END;
CREATE TRIGGER face_gone AFTER DELETE ON faces BEGIN
    INSERT OR REPLACE INTO changed_faces (face_id) VALUES (OLD.id);
END;
CREATE TRIGGER face_rejected AFTER INSERT ON rejections BEGIN
    INSERT OR REPLACE INTO changed_faces (face_id) VALUES (NEW.face_id);
END;
CREATE TRIGGER face_not_rejected AFTER DELETE ON rejections BEGIN
    INSERT OR REPLACE INTO changed_faces (face_id) VALUES (OLD.face_id);
END;
CREATE TRIGGER face_embedded AFTER INSERT ON embeddings BEGIN
    INSERT OR REPLACE INTO changed_faces (face_id) VALUES (NEW.face_id);
END;
CREATE TRIGGER face_not_embedded AFTER DELETE ON embeddings BEGIN
    INSERT OR REPLACE INTO changed_faces (face_id) VALUES (OLD.face_id);
END;
CREATE TRIGGER person_born AFTER UPDATE OF born ON people WHEN NEW.born IS NOT OLD.born BEGIN
    INSERT OR REPLACE INTO changed_faces (face_id)
    SELECT id FROM faces WHERE person_id = NEW.id OR suggested_id = NEW.id;
END;
CREATE TRIGGER faces_taken AFTER UPDATE OF captured_at, content_key, path ON photos
WHEN NEW.captured_at IS NOT OLD.captured_at OR NEW.content_key != OLD.content_key OR NEW.path != OLD.path BEGIN
    INSERT OR REPLACE INTO changed_faces (face_id) SELECT id FROM faces WHERE photo_id = NEW.id;
END;
"""


def initial(db: Database) -> None:
    """Photos, faces, people, answers, sidecars, trouble, events."""
    for statement in (*_statements(INITIAL), *_statements(EVENTS)):
        db.execute(statement)


def _statements(script: str) -> Iterator[str]:
    # sqlite3's executescript commits first, which would take the step out of its transaction
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if complete_statement(statement):
            yield statement
            statement = ""


IMPORTS = """
-- What another program's own database said of a photo when it was last asked and had something else to say than before
-- (JSON, as `imports` writes it). The row of the last act that is live counts. `upto` is the last decision of that
-- time: what was said after it is newer. `content_key` is the picture's then.
CREATE TABLE imported (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    act_id INTEGER NOT NULL REFERENCES acts (id),
    source TEXT NOT NULL,
    photo_id INTEGER NOT NULL REFERENCES photos (id) ON DELETE CASCADE,
    content_key BLOB NOT NULL,
    upto INTEGER NOT NULL,
    said TEXT NOT NULL
) STRICT;
CREATE INDEX imported_by_photo ON imported (photo_id, source);

-- Whom another program means by a name, so that a new name or a merge here doesn't make a stranger of them.
CREATE TABLE imported_names (
    source TEXT NOT NULL,
    key TEXT NOT NULL,
    person_id INTEGER NOT NULL REFERENCES people (id),
    PRIMARY KEY (source, key)
) STRICT, WITHOUT ROWID;
"""


def imports(db: Database) -> None:
    """What other programs' databases said."""
    for statement in _statements(IMPORTS):
        db.execute(statement)


FROM_BEFORE = """
INSERT INTO decisions SELECT * FROM decisions_before;
DROP TABLE decisions_before;
"""
PARTS = f"""
-- Of faces it can also be said which `part` of a division they are in: the parts are different people, who needn't have
-- names. `detail` is then the number of the division, which is that of its act, and of the part (JSON). A new table,
-- since SQLite can't change the checks of one.
DROP VIEW standing;
ALTER TABLE decisions RENAME TO decisions_before;
{_decisions((*ABOUT_NOBODY, "part"), FROM_BEFORE)}

-- Which of different people a face is; follows from the decisions.
CREATE TABLE parts (
    face_id INTEGER NOT NULL REFERENCES faces (id) ON DELETE CASCADE,
    division INTEGER NOT NULL,
    part INTEGER NOT NULL,
    PRIMARY KEY (face_id, division, part)
) STRICT, WITHOUT ROWID;
CREATE INDEX parts_by_division ON parts (division);
CREATE TRIGGER face_divided AFTER INSERT ON parts BEGIN
    INSERT OR REPLACE INTO changed_faces (face_id) VALUES (NEW.face_id);
END;
CREATE TRIGGER face_not_divided AFTER DELETE ON parts BEGIN
    INSERT OR REPLACE INTO changed_faces (face_id) VALUES (OLD.face_id);
END;
CREATE TRIGGER named_part_gone BEFORE DELETE ON faces WHEN OLD.person_id IS NOT NULL BEGIN
    INSERT OR REPLACE INTO changed_faces (face_id)
    SELECT o.face_id FROM parts p JOIN parts o ON o.division = p.division WHERE p.face_id = OLD.id;
END;
"""


def parts(db: Database) -> None:
    """Different people who needn't have names."""
    for statement in _statements(PARTS):
        db.execute(statement)


STEPS = (initial, imports, parts)
NAMES = {step.__name__ for step in STEPS}

migrations = Migrations("kith")
for _step in STEPS:
    migrations()(_step)
