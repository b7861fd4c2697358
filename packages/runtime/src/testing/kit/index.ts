// What tests of sagas use, with any runner: nothing here imports one.

export type { TestCall } from "./call-log.js";
export type { SagaCheck } from "./checks/saga-check.js";
export { SagaCheckFailed } from "./checks/saga-check-failed.js";
export type { EachRun, SagaOutcome, SagaTestOptions, TestedSaga } from "./checks/saga-check-options.js";
export { sagaChecks } from "./checks/saga-checks.js";
export {
  type FaultyStore,
  type FaultyStoreOptions,
  faultyStore,
  type InjectedFault,
  type PlannedStoreFault,
  type StoreFault,
  type StoreFaultRates,
} from "./faulty-store.js";
export { journalText } from "./journal-text.js";
export type { Answer, TestAnswers } from "./simulated-services.js";
export type { SimulatedFaults } from "./simulating/random-faults.js";
export { type SagaSimulationReport, type SimulateSagaOptions, simulateSaga } from "./simulating/simulate-saga.js";
export { createTestRuntime, type TestFailure, type TestRuntime, type TestRuntimeOptions } from "./test-runtime.js";
