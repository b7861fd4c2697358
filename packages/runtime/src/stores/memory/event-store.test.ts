import { eventStoreContract } from "../../testing/event-store-contract.js";
import { open, openMoving } from "./under-test.test.support.js";

eventStoreContract("memory", { open: () => open("many"), singleWorker: false });
eventStoreContract("memory, by a clock that moves", { open: openMoving, singleWorker: false, clockDriftMs: 2_000 });
