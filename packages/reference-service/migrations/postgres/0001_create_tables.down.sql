-- Yours: the first tables, as the config declared them. Once applied, leave it as it is and write the next migration.

DROP TABLE "shelf_marks", "bound_volumes";
