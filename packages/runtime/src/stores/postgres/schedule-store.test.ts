import { scheduleStoreContract } from "../../testing/schedule-store-contract.js";
import { postgresForTests } from "./throwaway.test.support.js";

const { open } = postgresForTests();
scheduleStoreContract("postgres", { open, singleWorker: false });
