-- An empty digikam4.db of schema 17, as tests/digikam_schema.py read it in one of digiKam 9.1.0.
CREATE TABLE AlbumRoots (
    id INTEGER PRIMARY KEY, label TEXT, status INTEGER NOT NULL, type INTEGER NOT NULL, identifier TEXT,
    specificPath TEXT, caseSensitivity INTEGER, UNIQUE (identifier, specificPath)
);
CREATE TABLE Albums (
    id INTEGER PRIMARY KEY, albumRoot INTEGER NOT NULL, relativePath TEXT NOT NULL, date DATE, caption TEXT,
    collection TEXT, icon INTEGER, modificationDate DATETIME, UNIQUE (albumRoot, relativePath)
);
CREATE TABLE DownloadHistory (
    id INTEGER PRIMARY KEY, identifier TEXT, filename TEXT, filesize INTEGER, filedate DATETIME,
    UNIQUE (identifier, filename, filesize, filedate)
);
CREATE TABLE ImageComments (
    id INTEGER PRIMARY KEY, imageid INTEGER, type INTEGER, language TEXT, author TEXT, date DATETIME,
    comment TEXT, UNIQUE (imageid, type, language, author)
);
CREATE TABLE ImageCopyright (
    id INTEGER PRIMARY KEY, imageid INTEGER, property TEXT, value TEXT, extraValue TEXT,
    UNIQUE (imageid, property, value, extraValue)
);
CREATE TABLE ImageHistory (
    imageid INTEGER PRIMARY KEY, uuid TEXT, history TEXT
);
CREATE TABLE ImageInformation (
    imageid INTEGER PRIMARY KEY, rating INTEGER, creationDate DATETIME, digitizationDate DATETIME,
    orientation INTEGER, width INTEGER, height INTEGER, format TEXT, colorDepth INTEGER, colorModel INTEGER,
    timeZone INTEGER
);
CREATE TABLE ImageMetadata (
    imageid INTEGER PRIMARY KEY, make TEXT, model TEXT, lens TEXT, aperture REAL, focalLength REAL,
    focalLength35 REAL, exposureTime REAL, exposureProgram INTEGER, exposureMode INTEGER, sensitivity INTEGER,
    flash INTEGER, whiteBalance INTEGER, whiteBalanceColorTemperature INTEGER, meteringMode INTEGER,
    subjectDistance REAL, subjectDistanceCategory INTEGER
);
CREATE TABLE ImagePositions (
    imageid INTEGER PRIMARY KEY, latitude TEXT, latitudeNumber REAL, longitude TEXT, longitudeNumber REAL,
    altitude REAL, orientation REAL, tilt REAL, roll REAL, accuracy REAL, description TEXT
);
CREATE TABLE ImageProperties (
    imageid INTEGER NOT NULL, property TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (imageid, property)
);
CREATE TABLE ImageRelations (
    subject INTEGER, object INTEGER, type INTEGER, UNIQUE (subject, object, type)
);
CREATE TABLE ImageTagProperties (
    imageid INTEGER, tagid INTEGER, property TEXT, value TEXT
);
CREATE TABLE ImageTags (
    imageid INTEGER NOT NULL, tagid INTEGER NOT NULL, UNIQUE (imageid, tagid)
);
CREATE TABLE Images (
    id INTEGER PRIMARY KEY, album INTEGER, name TEXT NOT NULL, status INTEGER NOT NULL, category INTEGER NOT NULL,
    modificationDate DATETIME, fileSize INTEGER, uniqueHash TEXT, manualOrder INTEGER, UNIQUE (album, name)
);
CREATE TABLE Searches (
    id INTEGER PRIMARY KEY, type INTEGER, name TEXT NOT NULL, query TEXT NOT NULL
);
CREATE TABLE Settings (
    keyword TEXT NOT NULL, value TEXT, UNIQUE (keyword)
);
CREATE TABLE TagProperties (
    tagid INTEGER, property TEXT, value TEXT
);
CREATE TABLE Tags (
    id INTEGER PRIMARY KEY, pid INTEGER, name TEXT NOT NULL, icon INTEGER, iconkde TEXT, UNIQUE (name, pid)
);
CREATE TABLE TagsTree (
    id INTEGER NOT NULL, pid INTEGER NOT NULL, UNIQUE (id, pid)
);
CREATE TABLE VideoMetadata (
    imageid INTEGER PRIMARY KEY, aspectRatio TEXT, audioBitRate TEXT, audioChannelType TEXT, audioCompressor TEXT,
    duration TEXT, frameRate TEXT, exposureProgram INTEGER, videoCodec TEXT
);
CREATE INDEX comments_imageid_index ON ImageComments (imageid);
CREATE INDEX copyright_imageid_index ON ImageCopyright (imageid);
CREATE INDEX creationdate_index ON ImageInformation (creationDate);
CREATE INDEX dir_index ON Images (album);
CREATE INDEX hash_index ON Images (uniqueHash);
CREATE INDEX image_name_index ON Images (name);
CREATE INDEX image_status_index ON Images (status);
CREATE INDEX imgtagprop_img_tag_idx ON ImageTagProperties (imageid, tagid);
CREATE INDEX imgtagprop_prop_tag_img_idx ON ImageTagProperties (property, tagid, imageid);
CREATE INDEX object_relations_index ON ImageRelations (object);
CREATE INDEX subject_relations_index ON ImageRelations (subject);
CREATE INDEX tag_id_index ON ImageTags (imageid);
CREATE INDEX tag_index ON ImageTags (tagid);
CREATE INDEX tagproperties_index ON TagProperties (tagid);
CREATE INDEX uuid_index ON ImageHistory (uuid);
CREATE TRIGGER delete_albumroot BEFORE DELETE ON AlbumRoots BEGIN
    DELETE FROM Albums WHERE albumRoot = OLD.id;
END;
CREATE TRIGGER delete_album BEFORE DELETE ON Albums BEGIN
    DELETE FROM Images WHERE album = OLD.id;
END;
CREATE TRIGGER delete_image BEFORE DELETE ON Images BEGIN
    DELETE FROM ImageTags WHERE imageid = OLD.id;
    DELETE FROM ImageInformation WHERE imageid = OLD.id;
    DELETE FROM ImageTagProperties WHERE imageid = OLD.id;
    DELETE FROM ImageMetadata WHERE imageid = OLD.id;
    DELETE FROM ImagePositions WHERE imageid = OLD.id;
    DELETE FROM ImageComments WHERE imageid = OLD.id;
    DELETE FROM ImageCopyright WHERE imageid = OLD.id;
    DELETE FROM ImageProperties WHERE imageid = OLD.id;
    DELETE FROM ImageHistory WHERE imageid = OLD.id;
    DELETE FROM VideoMetadata WHERE imageid = OLD.id;
    DELETE FROM ImageRelations WHERE subject = OLD.id OR object = OLD.id;
    UPDATE Albums SET icon = NULL WHERE icon = OLD.id;
    UPDATE Tags SET icon = NULL WHERE icon = OLD.id;
END;
CREATE TRIGGER delete_tag BEFORE DELETE ON Tags BEGIN
    DELETE FROM ImageTags WHERE tagid = OLD.id;
    DELETE FROM ImageTagProperties WHERE tagid = OLD.id;
    DELETE FROM TagProperties WHERE tagid = OLD.id;
END;
CREATE TRIGGER insert_tagstree AFTER INSERT ON Tags BEGIN
    INSERT INTO TagsTree (id, pid) VALUES (NEW.id, NEW.pid);
    INSERT INTO TagsTree (id, pid) SELECT NEW.id, above.pid FROM TagsTree above WHERE above.id = NEW.pid;
END;
CREATE TRIGGER delete_tagstree BEFORE DELETE ON Tags BEGIN
    DELETE FROM Tags WHERE id IN (SELECT below.id FROM TagsTree below WHERE below.pid = OLD.id);
    DELETE FROM TagsTree WHERE id = OLD.id OR id IN (SELECT below.id FROM TagsTree below WHERE below.pid = OLD.id);
END;
CREATE TRIGGER move_tagstree BEFORE UPDATE OF pid ON Tags BEGIN
    DELETE FROM TagsTree WHERE (id = OLD.id OR id IN (SELECT below.id FROM TagsTree below WHERE below.pid = OLD.id))
        AND pid IN (SELECT above.pid FROM TagsTree above WHERE above.id = OLD.id);
    INSERT INTO TagsTree (id, pid) SELECT moved.id, above.id FROM
        (SELECT NEW.id UNION SELECT id FROM TagsTree WHERE pid = NEW.id) moved,
        (SELECT NEW.pid AS id UNION SELECT pid FROM TagsTree WHERE id = NEW.pid) above;
END;
INSERT INTO Settings (keyword, value) VALUES ('DBVersion', '17');
INSERT INTO Settings (keyword, value) VALUES ('DBVersionRequired', '5');
INSERT INTO Settings (keyword, value) VALUES ('Locale', 'UTF-8');
