/** Yours: what nightly_inventory does for its items. */
import { nightlyInventoryBatch } from "../../src/application/sagas/nightly-inventory.batch.generated.js";
import { batchChecks } from "./batch-checks.js";

batchChecks(nightlyInventoryBatch);
