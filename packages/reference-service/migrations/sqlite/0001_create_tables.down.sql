-- Yours: the first tables, as the config declared them. Once applied, leave it as it is and write the next migration.

UPDATE "shelf_marks" SET "replaces_id" = NULL;
DROP TABLE "shelf_marks";
DROP TABLE "bound_volumes";
