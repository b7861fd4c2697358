/** Yours: add the queries that the use cases of ShelfMark need. */
import type { ShelfMark } from "../../domain/shelf-mark/shelf-mark.generated.js";
import type * as ports from "./repository.js";

export interface ShelfMarkRepository extends ports.Repository<ShelfMark> {}
