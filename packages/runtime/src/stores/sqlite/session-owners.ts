import type { RenewedOwner, SessionOwner } from "../../store/session-store.js";
import type { Database } from "./database.js";
import { TOUCH } from "./session-row.js";

/**
 * Owners of contexts. An owner whose lease is over, or who never had one, is dead until it renews: whoever renews then takes
 * over what it has. Each of these is one statement, or runs within a transaction.
 */

/** For a context that names it: without a lease it is dead, and its context is adopted. */
export function knowOwner(db: Database, owner: string): void {
  db.run("insert into clean_arch_session_owners (owner, lease_expires_at) values (?, 0) on conflict do nothing", [
    owner,
  ]);
}

const RENEW = `
insert into clean_arch_session_owners (owner, lease_expires_at) values (?, ?)
on conflict (owner) do update set lease_expires_at = excluded.lease_expires_at`;

/** As `isTouchDue` says. */
const TOUCH_OWNED = `
update clean_arch_sessions set ${TOUCH} where owner = ? and expires_at > ? and (? - touched_at) * 10 >= idle_ms`;

const ADOPT = `
update clean_arch_sessions set owner = ?, ${TOUCH} where id in (
  select s.id from clean_arch_session_owners o cross join clean_arch_sessions s on s.owner = o.owner
  where o.lease_expires_at <= ? and s.expires_at > ? limit ?)`;

const COUNT = "select count(*) as owned from clean_arch_sessions where owner = ? and expires_at > ?";

/** Each instance that ever was would stay otherwise. */
const FORGET = `
delete from clean_arch_session_owners where lease_expires_at <= ?
  and not exists (select 1 from clean_arch_sessions s where s.owner = clean_arch_session_owners.owner)`;

export function renewOwner(db: Database, owner: string, leaseMs: number, limit: number, now: number): RenewedOwner {
  db.run(RENEW, [owner, now + leaseMs]);
  db.run(TOUCH_OWNED, [now, now, now, owner, now, now]);
  const adopted = db.run(ADOPT, [owner, now, now, now, now, now, limit]).changes;
  db.run(FORGET, [now]);
  const [row] = db.all<{ owned: number }>(COUNT, [owner, now]);
  return { owned: row?.owned ?? 0, adopted };
}

export function retireOwner(db: Database, owner: string): void {
  db.run("update clean_arch_session_owners set lease_expires_at = 0 where owner = ?", [owner]);
}

const LIST = `
select owner, lease_expires_at as "leaseExpiresAt", contexts from (
  select o.owner, o.lease_expires_at,
    (select count(*) from clean_arch_sessions s where s.owner = o.owner and s.expires_at > ?) as contexts
  from clean_arch_session_owners o)
where lease_expires_at > ? or contexts > 0 order by owner`;

export function listOwners(db: Database, now: number): SessionOwner[] {
  return db.all<SessionOwner>(LIST, [now, now]).map((row) => ({ ...row }));
}
