-- Yours: the first tables, as the config declared them. Once applied, leave it as it is and write the next migration.

CREATE TABLE "bound_volumes" (
  "id" uuid PRIMARY KEY,
  "revision" bigint NOT NULL,
  "title" text NOT NULL CHECK (char_length("title") >= 1) CHECK (char_length("title") <= 200),
  "call_number" text NOT NULL CHECK (char_length("call_number") <= 20),
  "summary" text,
  "page_count" bigint NOT NULL CHECK ("page_count" >= 1) CHECK ("page_count" <= 20000),
  "word_count" bigint CHECK ("word_count" >= 0),
  "price" numeric NOT NULL CHECK ("price" >= 0) CHECK ("price" <= 99999.99),
  "in_print" boolean NOT NULL,
  "edition_key" uuid,
  "published_on" date,
  "bound_at" timestamptz(3),
  "colophon" jsonb,
  "binding" text NOT NULL CHECK ("binding" IN ('paperback', 'hardcover', 'leather')),
  "created_at" timestamptz(3) NOT NULL,
  "updated_at" timestamptz(3) NOT NULL
);
CREATE UNIQUE INDEX "uq_bound_volumes_call_number" ON "bound_volumes" ("call_number");
CREATE INDEX "idx_bound_volumes_published_on" ON "bound_volumes" ("published_on");

CREATE TABLE "shelf_marks" (
  "id" uuid PRIMARY KEY,
  "revision" bigint NOT NULL,
  "label" text NOT NULL CHECK (char_length("label") <= 40),
  "bound_volume_id" uuid NOT NULL REFERENCES "bound_volumes" ("id") ON DELETE CASCADE,
  "companion_id" uuid REFERENCES "bound_volumes" ("id") ON DELETE RESTRICT,
  "replaces_id" uuid REFERENCES "shelf_marks" ("id") ON DELETE SET NULL,
  "created_at" timestamptz(3) NOT NULL,
  "updated_at" timestamptz(3) NOT NULL
);
CREATE UNIQUE INDEX "idx_shelf_marks_bound_volume_id_label" ON "shelf_marks" ("bound_volume_id", "label");
CREATE INDEX "idx_shelf_marks_companion_id" ON "shelf_marks" ("companion_id");
CREATE INDEX "idx_shelf_marks_replaces_id" ON "shelf_marks" ("replaces_id");
