import { eventStoreContract } from "../../testing/event-store-contract.js";
import { open } from "./under-test.test.support.js";

eventStoreContract("sqlite", { open, singleWorker: true });
