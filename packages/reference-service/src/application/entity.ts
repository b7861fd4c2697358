/** What interfaces need to know of entities in general. */
export type { Field, Identified } from "../domain/fields.js";
export type { Page, PageRequest } from "./ports/repository.js";
export type { Expectation } from "./revision.js";
