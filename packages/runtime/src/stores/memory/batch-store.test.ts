import { batchStoreContract } from "../../testing/batch-store-contract.js";
import { open, openMoving } from "./under-test.test.support.js";

batchStoreContract("memory, one worker", { open: () => open("one"), singleWorker: true });
batchStoreContract("memory, many workers", { open: () => open("many"), singleWorker: false });
batchStoreContract("memory, by a clock that moves", { open: openMoving, singleWorker: false, clockDriftMs: 2_000 });
