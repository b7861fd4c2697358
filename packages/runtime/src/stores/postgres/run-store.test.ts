import { runStoreContract } from "../../testing/run-store-contract.js";
import { postgresForTests } from "./throwaway.test.support.js";

const { open } = postgresForTests();

runStoreContract("postgres", { open, singleWorker: false });
