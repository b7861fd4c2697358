import { eventStoreContract } from "../../testing/event-store-contract.js";
import { postgresForTests } from "./throwaway.test.support.js";

const { open } = postgresForTests();

eventStoreContract("postgres", { open, singleWorker: false });
