import type { Json } from "../../json.js";

/**
 * The fields that sessions of your service have, by declaration merging; every one of them may be missing. While it is empty, any
 * name may hold any JSON.
 *
 *     declare module "@clean-arch/runtime/sessions" {
 *       interface SessionData { cart: { readonly items: string[] }; locale: string }
 *     }
 */
// biome-ignore lint/suspicious/noEmptyInterface: users merge their fields into it.
export interface SessionData {}

export type SessionFields = keyof SessionData extends never ? { [field: string]: Json } : SessionData;

export type SessionField = keyof SessionFields & string;
