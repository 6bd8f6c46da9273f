import { randomInt } from 'node:crypto';

import type { Clock } from '@behalf/directives';
import { SignJWT } from 'jose';
import { sql } from 'kysely';

import type { SigningKeyRing } from '../keys/ring.js';
import { SIGNING_ALGORITHM } from '../keys/signing-key.js';
import type { AuthorityDatabase } from '../schema.js';
import { encodeStatusList } from './list.js';

/**
 * The number of places in a list. Tokens are few among so many places, so that a reader learns neither their number nor which
 * ones belong together (draft-ietf-oauth-status-list-21, section 12.4).
 */
export const LIST_SIZE = 2 ** 20;
const MAX_LISTS = 64;
const ATTEMPTS_PER_LIST = 8;

/** How soon a validator should ask again. */
export const LIST_TTL_SECONDS = 60;
/** How long a list is valid. */
export const LIST_LIFE_SECONDS = 300;

/** The least time between two renewals of a list, however many ask for it. */
const MIN_RENEWAL_INTERVAL_MS = 1_000;

/** A token that is about to be signed. */
export interface TokenToList {
  readonly jti?: string | undefined;
  readonly accountId?: string | undefined;
  readonly clientId?: string | undefined;
  readonly grantId?: string | undefined;
  /** The person's session at this server, which is the `sid` of its tokens. */
  readonly sessionUid?: string | undefined;
  /** Seconds that it lives. */
  readonly expiration?: number | undefined;
}

/** The origin of an exchanged token. */
export interface Lineage {
  /** `sid`: an exchanged token belongs to the session of its subject token. */
  readonly sessionId: string | undefined;
  readonly actors: readonly string[];
  /** `jti` of each token that it was exchanged from, the nearest first. */
  readonly exchangedFrom: readonly string[];
}

/** A place, and the time of its assignment by the database's clock, which is the token's time of issue. */
export interface Listed {
  readonly status: StatusClaim;
  readonly issuedAt: Date;
}

/** The claim `status` (section 6.1). */
export interface StatusClaim {
  readonly status_list: { readonly idx: number; readonly uri: string };
}

/** @see StatusRegister */
export interface StatusRegisterOptions {
  readonly db: AuthorityDatabase;
  readonly issuer: string;
  readonly keys: SigningKeyRing;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
}

interface Made {
  readonly atMs: number;
  readonly token: Promise<string | undefined>;
}

/**
 * Token status lists (draft-ietf-oauth-status-list-21), for validators that do not follow the change stream. Each access token
 * has its own random place for as long as it lives (sections 12.5 and 13.2), so two tokens of one person cannot be linked by it,
 * and the storage is bounded by the number of living tokens.
 */
export class StatusRegister {
  readonly #options: StatusRegisterOptions;
  readonly #made = new Map<number, Made>();

  constructor(options: StatusRegisterOptions) {
    this.#options = options;
  }

  /**
   * Assigns a token its place. Call it before checking whether the token may be issued: the check sees earlier revocations, and
   * later ones find the place.
   */
  async allocate(token: TokenToList, lineage?: Lineage): Promise<Listed> {
    const { accountId, clientId, expiration, grantId, jti } = token;
    const sessionId = lineage?.sessionId ?? token.sessionUid;
    if (jti === undefined || clientId === undefined || expiration === undefined) {
      throw new TypeError('a token without an identifier, a client or a life has no place in a list');
    }
    for (let list = 0; list < MAX_LISTS; list++) {
      for (let attempt = 0; attempt < ATTEMPTS_PER_LIST; attempt++) {
        const idx = randomInt(LIST_SIZE);
        const { rows } = await sql<{ issuedAt: Date }>`
          insert into authority.token_status
            (list, idx, jti, subject, client_id, consent_id, session_id, actors, exchanged_from, issued_at, expires_at)
          values (${list}, ${idx}, ${jti}, ${accountId ?? clientId}, ${clientId}, ${grantId ?? null}::text,
            ${sessionId ?? null}::text, ${[...(lineage?.actors ?? [])]}::text[],
            ${[...(lineage?.exchangedFrom ?? [])]}::text[],
            clock_timestamp(), clock_timestamp() + make_interval(secs => ${expiration}::double precision))
          on conflict do nothing returning issued_at as "issuedAt"`.execute(this.#options.db);
        const [row] = rows;
        if (row !== undefined) {
          return { status: { status_list: { idx, uri: this.#uri(list) } }, issuedAt: row.issuedAt };
        }
      }
    }
    throw new Error('the status lists are full');
  }

  /** A status list token (section 5.1). @returns undefined if there is no such list */
  async publish(list: number): Promise<string | undefined> {
    if (!(list >= 0 && list < MAX_LISTS)) return undefined;
    const nowMs = this.#options.clock.monotonic();
    const before = this.#made.get(list);
    if (before !== undefined && nowMs - before.atMs < MIN_RENEWAL_INTERVAL_MS) return before.token;
    const token = this.#make(list);
    // A failed one is not cached.
    token.catch(() => this.#made.delete(list));
    this.#made.set(list, { atMs: nowMs, token });
    return token;
  }

  async #make(list: number): Promise<string | undefined> {
    const { clock, db, issuer, keys } = this.#options;
    const exists = await db
      .selectFrom('authority.token_status')
      .select('list')
      .where('list', '>=', list)
      .limit(1)
      .executeTakeFirst();
    if (exists === undefined && list > 0) return undefined;
    const rows = await db
      .selectFrom('authority.token_status')
      .select('idx')
      .where('list', '=', list)
      .where('revoked', '=', true)
      .execute();
    const { kid, privateKey } = keys.now().signing;
    const nowSeconds = Math.floor(clock.now() / 1000);
    const invalid = rows.map(({ idx }) => idx);
    return new SignJWT({ ttl: LIST_TTL_SECONDS, status_list: encodeStatusList(LIST_SIZE, invalid) })
      .setProtectedHeader({ alg: SIGNING_ALGORITHM, typ: 'statuslist+jwt', kid })
      .setIssuer(issuer)
      .setSubject(this.#uri(list))
      .setIssuedAt(nowSeconds)
      .setExpirationTime(nowSeconds + LIST_LIFE_SECONDS)
      .sign(privateKey);
  }

  #uri(list: number): string {
    return `${this.#options.issuer}/token-status/${list}`;
  }
}

/**
 * Frees a batch of places of expired tokens, but not before every list that contains their status has expired, or that status
 * would apply to the next token in the place.
 *
 * @returns the number of freed places; if it equals `limit`, there may be more
 */
export async function removeExpiredStatuses(db: AuthorityDatabase, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from authority.token_status where (list, idx) in (
      select list, idx from authority.token_status
      where expires_at < clock_timestamp() - make_interval(secs => ${LIST_LIFE_SECONDS})
      order by expires_at limit ${limit} for update skip locked)`.execute(db);
  return Number(numAffectedRows ?? 0n);
}
