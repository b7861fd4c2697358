import { batchStoreContract } from "../../testing/batch-store-contract.js";
import { postgresForTests } from "./throwaway.test.support.js";

const { open } = postgresForTests();

batchStoreContract("postgres", { open, singleWorker: false });
