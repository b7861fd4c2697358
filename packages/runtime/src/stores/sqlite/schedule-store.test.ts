import { scheduleStoreContract } from "../../testing/schedule-store-contract.js";
import { open } from "./under-test.test.support.js";

scheduleStoreContract("sqlite", { open, singleWorker: true });
