/** Yours: what reprice_volumes does for its items. */
import { repriceVolumesBatch } from "../../src/application/sagas/reprice-volumes.batch.generated.js";
import { batchChecks } from "./batch-checks.js";

batchChecks(repriceVolumesBatch);
