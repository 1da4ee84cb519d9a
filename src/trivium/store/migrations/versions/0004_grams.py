"""Indexes of the substrings of notebooks' names and images' versions, filled from the rows that are there.

A migration is frozen: what it makes is what was declared when it was written. A test holds the two against each other.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the indexes, what keeps them, and fill them."""
    connection = op.get_bind()
    for statement in STATEMENTS[connection.dialect.name]:
        connection.exec_driver_sql(statement)


SQLITE = (
    "CREATE VIRTUAL TABLE images_version_grams USING fts5(grams, content='', columnsize=0, tokenize='ascii')",
    "CREATE TABLE images_version_generations (part INTEGER NOT NULL PRIMARY KEY, changes INTEGER NOT NULL)",
    (
        "CREATE TRIGGER images_version_grams_come AFTER INSERT ON images WHEN (CASE WHEN (new.deleted_at IS NOT "
        "NULL) THEN NULL WHEN (new.visibility = 'public') THEN 0 ELSE new.project_id END) IS NOT NULL AND "
        "new.version_folded IS NOT NULL BEGIN INSERT INTO images_version_grams(rowid, grams) SELECT new.id, (WITH"
        " RECURSIVE n(i, s, p) AS (SELECT 1, new.version_folded, (CASE WHEN (new.deleted_at IS NOT NULL) THEN "
        "NULL WHEN (new.visibility = 'public') THEN 0 ELSE new.project_id END) || 'x' UNION ALL SELECT i + 1, s, "
        "p FROM n WHERE i < length(s) ORDER BY 1) SELECT p || ' ' || p || group_concat(hex(substr(s, i, 1)), ' ' "
        "|| p) || ' ' || p || group_concat(hex(substr(s, i, 2)), ' ' || p) || ' ' || p || "
        "group_concat(hex(substr(s, i, 3)), ' ' || p) FROM n); INSERT INTO images_version_generations(part, "
        "changes) SELECT CASE WHEN (new.deleted_at IS NOT NULL) THEN NULL WHEN (new.visibility = 'public') THEN 0"
        " ELSE new.project_id END, 1 WHERE true ON CONFLICT(part) DO UPDATE SET changes = changes + 1; END"
    ),
    (
        "CREATE TRIGGER images_version_grams_gone AFTER DELETE ON images WHEN (CASE WHEN (old.deleted_at IS NOT "
        "NULL) THEN NULL WHEN (old.visibility = 'public') THEN 0 ELSE old.project_id END) IS NOT NULL AND "
        "old.version_folded IS NOT NULL BEGIN INSERT INTO images_version_grams(images_version_grams, rowid, "
        "grams) SELECT 'delete', old.id, (WITH RECURSIVE n(i, s, p) AS (SELECT 1, old.version_folded, (CASE WHEN "
        "(old.deleted_at IS NOT NULL) THEN NULL WHEN (old.visibility = 'public') THEN 0 ELSE old.project_id END) "
        "|| 'x' UNION ALL SELECT i + 1, s, p FROM n WHERE i < length(s) ORDER BY 1) SELECT p || ' ' || p || "
        "group_concat(hex(substr(s, i, 1)), ' ' || p) || ' ' || p || group_concat(hex(substr(s, i, 2)), ' ' || p)"
        " || ' ' || p || group_concat(hex(substr(s, i, 3)), ' ' || p) FROM n); INSERT INTO "
        "images_version_generations(part, changes) SELECT CASE WHEN (old.deleted_at IS NOT NULL) THEN NULL WHEN "
        "(old.visibility = 'public') THEN 0 ELSE old.project_id END, 1 WHERE true ON CONFLICT(part) DO UPDATE SET"
        " changes = changes + 1; END"
    ),
    (
        "CREATE TRIGGER images_version_grams_moved AFTER UPDATE OF id, version_folded, project_id, deleted_at, "
        "visibility ON images WHEN (CASE WHEN (old.deleted_at IS NOT NULL) THEN NULL WHEN (old.visibility = "
        "'public') THEN 0 ELSE old.project_id END) IS NOT (CASE WHEN (new.deleted_at IS NOT NULL) THEN NULL WHEN "
        "(new.visibility = 'public') THEN 0 ELSE new.project_id END) OR old.id IS NOT new.id OR "
        "old.version_folded IS NOT new.version_folded BEGIN INSERT INTO "
        "images_version_grams(images_version_grams, rowid, grams) SELECT 'delete', old.id, (WITH RECURSIVE n(i, "
        "s, p) AS (SELECT 1, old.version_folded, (CASE WHEN (old.deleted_at IS NOT NULL) THEN NULL WHEN "
        "(old.visibility = 'public') THEN 0 ELSE old.project_id END) || 'x' UNION ALL SELECT i + 1, s, p FROM n "
        "WHERE i < length(s) ORDER BY 1) SELECT p || ' ' || p || group_concat(hex(substr(s, i, 1)), ' ' || p) || "
        "' ' || p || group_concat(hex(substr(s, i, 2)), ' ' || p) || ' ' || p || group_concat(hex(substr(s, i, "
        "3)), ' ' || p) FROM n) WHERE (CASE WHEN (old.deleted_at IS NOT NULL) THEN NULL WHEN (old.visibility = "
        "'public') THEN 0 ELSE old.project_id END) IS NOT NULL AND old.version_folded IS NOT NULL; INSERT INTO "
        "images_version_generations(part, changes) SELECT CASE WHEN (old.deleted_at IS NOT NULL) THEN NULL WHEN "
        "(old.visibility = 'public') THEN 0 ELSE old.project_id END, 1 WHERE (CASE WHEN (old.deleted_at IS NOT "
        "NULL) THEN NULL WHEN (old.visibility = 'public') THEN 0 ELSE old.project_id END) IS NOT NULL AND "
        "old.version_folded IS NOT NULL ON CONFLICT(part) DO UPDATE SET changes = changes + 1; INSERT INTO "
        "images_version_grams(rowid, grams) SELECT new.id, (WITH RECURSIVE n(i, s, p) AS (SELECT 1, "
        "new.version_folded, (CASE WHEN (new.deleted_at IS NOT NULL) THEN NULL WHEN (new.visibility = 'public') "
        "THEN 0 ELSE new.project_id END) || 'x' UNION ALL SELECT i + 1, s, p FROM n WHERE i < length(s) ORDER BY "
        "1) SELECT p || ' ' || p || group_concat(hex(substr(s, i, 1)), ' ' || p) || ' ' || p || "
        "group_concat(hex(substr(s, i, 2)), ' ' || p) || ' ' || p || group_concat(hex(substr(s, i, 3)), ' ' || p)"
        " FROM n) WHERE (CASE WHEN (new.deleted_at IS NOT NULL) THEN NULL WHEN (new.visibility = 'public') THEN 0"
        " ELSE new.project_id END) IS NOT NULL AND new.version_folded IS NOT NULL; INSERT INTO "
        "images_version_generations(part, changes) SELECT CASE WHEN (new.deleted_at IS NOT NULL) THEN NULL WHEN "
        "(new.visibility = 'public') THEN 0 ELSE new.project_id END, 1 WHERE (CASE WHEN (new.deleted_at IS NOT "
        "NULL) THEN NULL WHEN (new.visibility = 'public') THEN 0 ELSE new.project_id END) IS NOT NULL AND "
        "new.version_folded IS NOT NULL ON CONFLICT(part) DO UPDATE SET changes = changes + 1; END"
    ),
    (
        "INSERT INTO images_version_grams(rowid, grams) SELECT id, (WITH RECURSIVE n(i, s, p) AS (SELECT 1, "
        "images.version_folded, (CASE WHEN (images.deleted_at IS NOT NULL) THEN NULL WHEN (images.visibility = "
        "'public') THEN 0 ELSE images.project_id END) || 'x' UNION ALL SELECT i + 1, s, p FROM n WHERE i < "
        "length(s) ORDER BY 1) SELECT p || ' ' || p || group_concat(hex(substr(s, i, 1)), ' ' || p) || ' ' || p "
        "|| group_concat(hex(substr(s, i, 2)), ' ' || p) || ' ' || p || group_concat(hex(substr(s, i, 3)), ' ' ||"
        " p) FROM n) FROM images WHERE (CASE WHEN (images.deleted_at IS NOT NULL) THEN NULL WHEN "
        "(images.visibility = 'public') THEN 0 ELSE images.project_id END) IS NOT NULL AND images.version_folded "
        "IS NOT NULL ORDER BY id"
    ),
    "CREATE VIRTUAL TABLE notebooks_name_grams USING fts5(grams, content='', columnsize=0, tokenize='ascii')",
    "CREATE TABLE notebooks_name_generations (part INTEGER NOT NULL PRIMARY KEY, changes INTEGER NOT NULL)",
    (
        "CREATE TRIGGER notebooks_name_grams_come AFTER INSERT ON notebooks WHEN (CASE WHEN new.listed THEN "
        "new.project_id END) IS NOT NULL AND new.name_folded IS NOT NULL BEGIN INSERT INTO "
        "notebooks_name_grams(rowid, grams) SELECT new.id, (WITH RECURSIVE n(i, s, p) AS (SELECT 1, "
        "new.name_folded, (CASE WHEN new.listed THEN new.project_id END) || 'x' UNION ALL SELECT i + 1, s, p FROM"
        " n WHERE i < length(s) ORDER BY 1) SELECT p || ' ' || p || group_concat(hex(substr(s, i, 1)), ' ' || p) "
        "|| ' ' || p || group_concat(hex(substr(s, i, 2)), ' ' || p) || ' ' || p || group_concat(hex(substr(s, i,"
        " 3)), ' ' || p) FROM n); INSERT INTO notebooks_name_generations(part, changes) SELECT CASE WHEN "
        "new.listed THEN new.project_id END, 1 WHERE true ON CONFLICT(part) DO UPDATE SET changes = changes + 1; "
        "END"
    ),
    (
        "CREATE TRIGGER notebooks_name_grams_gone AFTER DELETE ON notebooks WHEN (CASE WHEN old.listed THEN "
        "old.project_id END) IS NOT NULL AND old.name_folded IS NOT NULL BEGIN INSERT INTO "
        "notebooks_name_grams(notebooks_name_grams, rowid, grams) SELECT 'delete', old.id, (WITH RECURSIVE n(i, "
        "s, p) AS (SELECT 1, old.name_folded, (CASE WHEN old.listed THEN old.project_id END) || 'x' UNION ALL "
        "SELECT i + 1, s, p FROM n WHERE i < length(s) ORDER BY 1) SELECT p || ' ' || p || "
        "group_concat(hex(substr(s, i, 1)), ' ' || p) || ' ' || p || group_concat(hex(substr(s, i, 2)), ' ' || p)"
        " || ' ' || p || group_concat(hex(substr(s, i, 3)), ' ' || p) FROM n); INSERT INTO "
        "notebooks_name_generations(part, changes) SELECT CASE WHEN old.listed THEN old.project_id END, 1 WHERE "
        "true ON CONFLICT(part) DO UPDATE SET changes = changes + 1; END"
    ),
    (
        "CREATE TRIGGER notebooks_name_grams_moved AFTER UPDATE OF id, name_folded, listed, project_id ON "
        "notebooks WHEN (CASE WHEN old.listed THEN old.project_id END) IS NOT (CASE WHEN new.listed THEN "
        "new.project_id END) OR old.id IS NOT new.id OR old.name_folded IS NOT new.name_folded BEGIN INSERT INTO "
        "notebooks_name_grams(notebooks_name_grams, rowid, grams) SELECT 'delete', old.id, (WITH RECURSIVE n(i, "
        "s, p) AS (SELECT 1, old.name_folded, (CASE WHEN old.listed THEN old.project_id END) || 'x' UNION ALL "
        "SELECT i + 1, s, p FROM n WHERE i < length(s) ORDER BY 1) SELECT p || ' ' || p || "
        "group_concat(hex(substr(s, i, 1)), ' ' || p) || ' ' || p || group_concat(hex(substr(s, i, 2)), ' ' || p)"
        " || ' ' || p || group_concat(hex(substr(s, i, 3)), ' ' || p) FROM n) WHERE (CASE WHEN old.listed THEN "
        "old.project_id END) IS NOT NULL AND old.name_folded IS NOT NULL; INSERT INTO "
        "notebooks_name_generations(part, changes) SELECT CASE WHEN old.listed THEN old.project_id END, 1 WHERE "
        "(CASE WHEN old.listed THEN old.project_id END) IS NOT NULL AND old.name_folded IS NOT NULL ON "
        "CONFLICT(part) DO UPDATE SET changes = changes + 1; INSERT INTO notebooks_name_grams(rowid, grams) "
        "SELECT new.id, (WITH RECURSIVE n(i, s, p) AS (SELECT 1, new.name_folded, (CASE WHEN new.listed THEN "
        "new.project_id END) || 'x' UNION ALL SELECT i + 1, s, p FROM n WHERE i < length(s) ORDER BY 1) SELECT p "
        "|| ' ' || p || group_concat(hex(substr(s, i, 1)), ' ' || p) || ' ' || p || group_concat(hex(substr(s, i,"
        " 2)), ' ' || p) || ' ' || p || group_concat(hex(substr(s, i, 3)), ' ' || p) FROM n) WHERE (CASE WHEN "
        "new.listed THEN new.project_id END) IS NOT NULL AND new.name_folded IS NOT NULL; INSERT INTO "
        "notebooks_name_generations(part, changes) SELECT CASE WHEN new.listed THEN new.project_id END, 1 WHERE "
        "(CASE WHEN new.listed THEN new.project_id END) IS NOT NULL AND new.name_folded IS NOT NULL ON "
        "CONFLICT(part) DO UPDATE SET changes = changes + 1; END"
    ),
    (
        "INSERT INTO notebooks_name_grams(rowid, grams) SELECT id, (WITH RECURSIVE n(i, s, p) AS (SELECT 1, "
        "notebooks.name_folded, (CASE WHEN notebooks.listed THEN notebooks.project_id END) || 'x' UNION ALL "
        "SELECT i + 1, s, p FROM n WHERE i < length(s) ORDER BY 1) SELECT p || ' ' || p || "
        "group_concat(hex(substr(s, i, 1)), ' ' || p) || ' ' || p || group_concat(hex(substr(s, i, 2)), ' ' || p)"
        " || ' ' || p || group_concat(hex(substr(s, i, 3)), ' ' || p) FROM n) FROM notebooks WHERE (CASE WHEN "
        "notebooks.listed THEN notebooks.project_id END) IS NOT NULL AND notebooks.name_folded IS NOT NULL ORDER "
        "BY id"
    ),
)

POSTGRESQL = (
    (
        "CREATE OR REPLACE FUNCTION trivium_grams(part bigint, folded text) RETURNS bigint[] LANGUAGE sql "
        "IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT array(SELECT hashtextextended(substr(folded, place, size) "
        'COLLATE "C", part) FROM generate_series(1, length(folded)) AS place, generate_series(1, 3) AS size WHERE'
        " place + size <= length(folded) + 1) $$"
    ),
    (
        "CREATE OR REPLACE FUNCTION trivium_hashed(part bigint, grams text[]) RETURNS bigint[] LANGUAGE sql "
        'IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT array(SELECT hashtextextended(gram COLLATE "C", part) FROM '
        "unnest(grams) AS gram) $$"
    ),
    (
        'CREATE TABLE images_version_grams (id bigint PRIMARY KEY, part bigint NOT NULL, folded text COLLATE "C" '
        "NOT NULL)"
    ),
    "CREATE INDEX images_version_grams_part_id ON images_version_grams (part, id)",
    (
        "CREATE TABLE images_version_generations (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, part bigint"
        " NOT NULL, changes bigint NOT NULL)"
    ),
    "CREATE INDEX images_version_generations_part ON images_version_generations (part)",
    (
        "CREATE FUNCTION images_version_generations_next(changed bigint) RETURNS void LANGUAGE plpgsql AS $$ "
        "DECLARE made bigint; BEGIN INSERT INTO images_version_generations (part, changes) VALUES (changed, 1) "
        "RETURNING id INTO made; IF mod(made, 64) = 0 THEN WITH gone AS (DELETE FROM images_version_generations "
        "WHERE id IN (SELECT id FROM images_version_generations WHERE part = changed FOR UPDATE SKIP LOCKED) "
        "RETURNING changes) INSERT INTO images_version_generations (part, changes) SELECT changed, sum(changes) "
        "FROM gone HAVING count(*) > 0; END IF; END $$"
    ),
    (
        "CREATE FUNCTION images_version_grams_come() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF (CASE WHEN "
        '("new".deleted_at IS NOT NULL) THEN NULL WHEN ("new".visibility = \'public\') THEN 0 ELSE "new".project_id'
        " END) IS NOT NULL AND new.version_folded IS NOT NULL THEN INSERT INTO images_version_grams (id, part, "
        'folded) VALUES (new.id, CASE WHEN ("new".deleted_at IS NOT NULL) THEN NULL WHEN ("new".visibility = '
        "'public') THEN 0 ELSE \"new\".project_id END, new.version_folded); PERFORM "
        'images_version_generations_next(CASE WHEN ("new".deleted_at IS NOT NULL) THEN NULL WHEN '
        '("new".visibility = \'public\') THEN 0 ELSE "new".project_id END); END IF; RETURN NULL; END $$'
    ),
    (
        "CREATE FUNCTION images_version_grams_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF (CASE WHEN "
        '("old".deleted_at IS NOT NULL) THEN NULL WHEN ("old".visibility = \'public\') THEN 0 ELSE "old".project_id'
        " END) IS NOT NULL AND old.version_folded IS NOT NULL THEN DELETE FROM images_version_grams WHERE id = "
        'old.id; PERFORM images_version_generations_next(CASE WHEN ("old".deleted_at IS NOT NULL) THEN NULL WHEN '
        '("old".visibility = \'public\') THEN 0 ELSE "old".project_id END); END IF; RETURN NULL; END $$'
    ),
    (
        "CREATE FUNCTION images_version_grams_moved() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF (CASE WHEN "
        '("old".deleted_at IS NOT NULL) THEN NULL WHEN ("old".visibility = \'public\') THEN 0 ELSE "old".project_id'
        ' END) IS DISTINCT FROM (CASE WHEN ("new".deleted_at IS NOT NULL) THEN NULL WHEN ("new".visibility = '
        "'public') THEN 0 ELSE \"new\".project_id END) OR old.id IS DISTINCT FROM new.id OR old.version_folded IS "
        'DISTINCT FROM new.version_folded THEN IF (CASE WHEN ("old".deleted_at IS NOT NULL) THEN NULL WHEN '
        '("old".visibility = \'public\') THEN 0 ELSE "old".project_id END) IS NOT NULL AND old.version_folded IS '
        "NOT NULL THEN DELETE FROM images_version_grams WHERE id = old.id; PERFORM "
        'images_version_generations_next(CASE WHEN ("old".deleted_at IS NOT NULL) THEN NULL WHEN '
        '("old".visibility = \'public\') THEN 0 ELSE "old".project_id END); END IF; IF (CASE WHEN ("new".deleted_at'
        ' IS NOT NULL) THEN NULL WHEN ("new".visibility = \'public\') THEN 0 ELSE "new".project_id END) IS NOT NULL'
        " AND new.version_folded IS NOT NULL THEN INSERT INTO images_version_grams (id, part, folded) VALUES "
        '(new.id, CASE WHEN ("new".deleted_at IS NOT NULL) THEN NULL WHEN ("new".visibility = \'public\') THEN 0 '
        'ELSE "new".project_id END, new.version_folded); PERFORM images_version_generations_next(CASE WHEN '
        '("new".deleted_at IS NOT NULL) THEN NULL WHEN ("new".visibility = \'public\') THEN 0 ELSE "new".project_id'
        " END); END IF; END IF; RETURN NULL; END $$"
    ),
    (
        "CREATE TRIGGER images_version_grams_come AFTER INSERT ON images FOR EACH ROW EXECUTE FUNCTION "
        "images_version_grams_come()"
    ),
    (
        "CREATE TRIGGER images_version_grams_gone AFTER DELETE ON images FOR EACH ROW EXECUTE FUNCTION "
        "images_version_grams_gone()"
    ),
    (
        "CREATE TRIGGER images_version_grams_moved AFTER UPDATE OF id, version_folded, project_id, deleted_at, "
        "visibility ON images FOR EACH ROW EXECUTE FUNCTION images_version_grams_moved()"
    ),
    (
        "INSERT INTO images_version_grams(id, part, folded) SELECT id, (CASE WHEN (images.deleted_at IS NOT NULL)"
        " THEN NULL WHEN (images.visibility = 'public') THEN 0 ELSE images.project_id END), images.version_folded"
        " FROM images WHERE (CASE WHEN (images.deleted_at IS NOT NULL) THEN NULL WHEN (images.visibility = "
        "'public') THEN 0 ELSE images.project_id END) IS NOT NULL AND images.version_folded IS NOT NULL ORDER BY "
        "id"
    ),
    (
        "CREATE INDEX images_version_grams_hashes ON images_version_grams USING gin (trivium_grams(part, folded))"
        " WITH (fastupdate = off)"
    ),
    (
        'CREATE TABLE notebooks_name_grams (id bigint PRIMARY KEY, part bigint NOT NULL, folded text COLLATE "C" '
        "NOT NULL)"
    ),
    "CREATE INDEX notebooks_name_grams_part_id ON notebooks_name_grams (part, id)",
    (
        "CREATE TABLE notebooks_name_generations (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, part bigint"
        " NOT NULL, changes bigint NOT NULL)"
    ),
    "CREATE INDEX notebooks_name_generations_part ON notebooks_name_generations (part)",
    (
        "CREATE FUNCTION notebooks_name_generations_next(changed bigint) RETURNS void LANGUAGE plpgsql AS $$ "
        "DECLARE made bigint; BEGIN INSERT INTO notebooks_name_generations (part, changes) VALUES (changed, 1) "
        "RETURNING id INTO made; IF mod(made, 64) = 0 THEN WITH gone AS (DELETE FROM notebooks_name_generations "
        "WHERE id IN (SELECT id FROM notebooks_name_generations WHERE part = changed FOR UPDATE SKIP LOCKED) "
        "RETURNING changes) INSERT INTO notebooks_name_generations (part, changes) SELECT changed, sum(changes) "
        "FROM gone HAVING count(*) > 0; END IF; END $$"
    ),
    (
        "CREATE FUNCTION notebooks_name_grams_come() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF (CASE WHEN "
        '"new".listed THEN "new".project_id END) IS NOT NULL AND new.name_folded IS NOT NULL THEN INSERT INTO '
        'notebooks_name_grams (id, part, folded) VALUES (new.id, CASE WHEN "new".listed THEN "new".project_id '
        'END, new.name_folded); PERFORM notebooks_name_generations_next(CASE WHEN "new".listed THEN '
        '"new".project_id END); END IF; RETURN NULL; END $$'
    ),
    (
        "CREATE FUNCTION notebooks_name_grams_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF (CASE WHEN "
        '"old".listed THEN "old".project_id END) IS NOT NULL AND old.name_folded IS NOT NULL THEN DELETE FROM '
        'notebooks_name_grams WHERE id = old.id; PERFORM notebooks_name_generations_next(CASE WHEN "old".listed '
        'THEN "old".project_id END); END IF; RETURN NULL; END $$'
    ),
    (
        "CREATE FUNCTION notebooks_name_grams_moved() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF (CASE WHEN "
        '"old".listed THEN "old".project_id END) IS DISTINCT FROM (CASE WHEN "new".listed THEN "new".project_id '
        "END) OR old.id IS DISTINCT FROM new.id OR old.name_folded IS DISTINCT FROM new.name_folded THEN IF (CASE"
        ' WHEN "old".listed THEN "old".project_id END) IS NOT NULL AND old.name_folded IS NOT NULL THEN DELETE '
        "FROM notebooks_name_grams WHERE id = old.id; PERFORM notebooks_name_generations_next(CASE WHEN "
        '"old".listed THEN "old".project_id END); END IF; IF (CASE WHEN "new".listed THEN "new".project_id END) '
        "IS NOT NULL AND new.name_folded IS NOT NULL THEN INSERT INTO notebooks_name_grams (id, part, folded) "
        'VALUES (new.id, CASE WHEN "new".listed THEN "new".project_id END, new.name_folded); PERFORM '
        'notebooks_name_generations_next(CASE WHEN "new".listed THEN "new".project_id END); END IF; END IF; '
        "RETURN NULL; END $$"
    ),
    (
        "CREATE TRIGGER notebooks_name_grams_come AFTER INSERT ON notebooks FOR EACH ROW EXECUTE FUNCTION "
        "notebooks_name_grams_come()"
    ),
    (
        "CREATE TRIGGER notebooks_name_grams_gone AFTER DELETE ON notebooks FOR EACH ROW EXECUTE FUNCTION "
        "notebooks_name_grams_gone()"
    ),
    (
        "CREATE TRIGGER notebooks_name_grams_moved AFTER UPDATE OF id, name_folded, listed, project_id ON "
        "notebooks FOR EACH ROW EXECUTE FUNCTION notebooks_name_grams_moved()"
    ),
    (
        "INSERT INTO notebooks_name_grams(id, part, folded) SELECT id, (CASE WHEN notebooks.listed THEN "
        "notebooks.project_id END), notebooks.name_folded FROM notebooks WHERE (CASE WHEN notebooks.listed THEN "
        "notebooks.project_id END) IS NOT NULL AND notebooks.name_folded IS NOT NULL ORDER BY id"
    ),
    (
        "CREATE INDEX notebooks_name_grams_hashes ON notebooks_name_grams USING gin (trivium_grams(part, folded))"
        " WITH (fastupdate = off)"
    ),
)

STATEMENTS = {"sqlite": SQLITE, "postgresql": POSTGRESQL}
