import { runStoreContract } from "../../testing/run-store-contract.js";
import { open, openMoving } from "./under-test.test.support.js";

runStoreContract("memory, one worker", { open: () => open("one"), singleWorker: true });
runStoreContract("memory, many workers", { open: () => open("many"), singleWorker: false });
runStoreContract("memory, by a clock that moves", { open: openMoving, singleWorker: false, clockDriftMs: 2_000 });
