import { scheduleStoreContract } from "../../testing/schedule-store-contract.js";
import { open, openMoving } from "./under-test.test.support.js";

scheduleStoreContract("memory", { open: () => open("many"), singleWorker: false });
scheduleStoreContract("memory, by a clock that moves", { open: openMoving, singleWorker: false, clockDriftMs: 2_000 });
