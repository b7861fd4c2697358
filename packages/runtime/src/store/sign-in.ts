import type { NewSignIn, SignIn } from "./session-store.js";

/** A sign-in as it is kept. One that claims to be of the future is of now: else it would stay fresh for too long. */
export function signInOf(signIn: NewSignIn | null | undefined, now: number): SignIn | null {
  if (!signIn) return null;
  const { level, methods = [], at = now } = signIn;
  return { level, methods: [...methods], at: Math.min(at, now) };
}
