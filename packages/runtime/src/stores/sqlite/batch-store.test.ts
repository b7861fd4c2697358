import { batchStoreContract } from "../../testing/batch-store-contract.js";
import { open } from "./under-test.test.support.js";

batchStoreContract("sqlite", { open, singleWorker: true });
