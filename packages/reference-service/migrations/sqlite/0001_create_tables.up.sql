-- Yours: the first tables, as the config declared them. Once applied, leave it as it is and write the next migration.

CREATE TABLE "bound_volumes" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "revision" INTEGER NOT NULL,
  "title" TEXT NOT NULL CHECK (length("title") >= 1) CHECK (length("title") <= 200),
  "call_number" TEXT NOT NULL CHECK (length("call_number") <= 20),
  "summary" TEXT,
  "page_count" INTEGER NOT NULL CHECK ("page_count" >= 1) CHECK ("page_count" <= 20000),
  "word_count" INTEGER CHECK ("word_count" >= 0),
  "price" TEXT NOT NULL,
  "in_print" INTEGER NOT NULL CHECK ("in_print" IN (0, 1)),
  "edition_key" TEXT,
  "published_on" TEXT,
  "bound_at" TEXT,
  "colophon" TEXT,
  "binding" TEXT NOT NULL CHECK ("binding" IN ('paperback', 'hardcover', 'leather')),
  "created_at" TEXT NOT NULL,
  "updated_at" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX "uq_bound_volumes_call_number" ON "bound_volumes" ("call_number");
CREATE INDEX "idx_bound_volumes_published_on" ON "bound_volumes" ("published_on");

CREATE TABLE "shelf_marks" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "revision" INTEGER NOT NULL,
  "label" TEXT NOT NULL CHECK (length("label") <= 40),
  "bound_volume_id" TEXT NOT NULL REFERENCES "bound_volumes" ("id") ON DELETE CASCADE,
  "companion_id" TEXT REFERENCES "bound_volumes" ("id") ON DELETE RESTRICT,
  "replaces_id" TEXT REFERENCES "shelf_marks" ("id") ON DELETE SET NULL,
  "created_at" TEXT NOT NULL,
  "updated_at" TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX "idx_shelf_marks_bound_volume_id_label" ON "shelf_marks" ("bound_volume_id", "label");
CREATE INDEX "idx_shelf_marks_companion_id" ON "shelf_marks" ("companion_id");
CREATE INDEX "idx_shelf_marks_replaces_id" ON "shelf_marks" ("replaces_id");
