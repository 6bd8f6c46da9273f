import { sql } from 'kysely';

import type { AuthorityDatabase } from '../schema.js';
import { type KeyState, stateOf } from './times.js';

/** A signing key, described for people. */
export interface ListedKey {
  readonly kid: string;
  readonly state: KeyState;
  /** For a retired key: when it leaves the key set. For the current key: when it stops signing, once that is scheduled. */
  readonly until: Date | undefined;
}

/** The signing keys in the store, newest last. */
export async function listSigningKeys(db: AuthorityDatabase): Promise<readonly ListedKey[]> {
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(db);
  const atMs = rows[0]?.now.getTime() ?? Date.now();
  const keys = await db.selectFrom('authority.signing_key').selectAll().orderBy('published_at').execute();
  return keys.map((key) => {
    const state = stateOf(key, atMs);
    const until = state === 'current' ? key.signs_until : state === 'retired' ? key.gone_at : null;
    return { kid: key.kid, state, until: until ?? undefined };
  });
}
