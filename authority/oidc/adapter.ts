import { createHash } from 'node:crypto';

import { type RawBuilder, sql } from 'kysely';
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';

import { errors } from './oidc-provider.js';
import type { AuthorityDatabase } from '../schema.js';
import { PENDING_MODELS } from './pending-requests.js';

// Models whose id is the credential itself: stored as a digest, so that a copy of the store contains no usable token.
const BEARERS = new Set(['AuthorizationCode', 'RefreshToken']);

/** Ends everything that must end together with a credential. Both resolve when that is durable. */
export interface Endings {
  /** A refresh token was reused: ends the consent and everything issued under it. */
  readonly refreshTokenReused: (consentId: string) => Promise<void>;
  /** oidc-provider ends all tokens of a grant. */
  readonly tokensEnded: (consentId: string) => Promise<void>;
}

/** The metadata of a client in the store, or undefined. */
export type ClientLookup = (clientId: string) => Promise<AdapterPayload | undefined>;

/** Called before anything is stored for an unauthenticated party; throws if there is too much already. */
export type Admission = (model: string) => Promise<void>;

/** oidc-provider's storage in one table. Clients are looked up elsewhere, and never written here. */
export function adapterFactory(
  db: AuthorityDatabase,
  endings: Endings,
  findClient: ClientLookup,
  admit: Admission = async () => undefined,
): AdapterFactory {
  return (model) => {
    if (model === 'Client') return new ClientAdapter(db, model, endings, findClient);
    return PENDING_MODELS.has(model)
      ? new PendingAdapter(db, model, endings, admit)
      : new PostgresAdapter(db, model, endings);
  };
}

const NUL = '\0';
const NUL_IN_JSON = '\\u0000';

class PostgresAdapter implements Adapter {
  readonly #db: AuthorityDatabase;
  readonly #model: string;
  readonly #endings: Endings;

  constructor(db: AuthorityDatabase, model: string, endings: Endings) {
    this.#db = db;
    this.#model = model;
    this.#endings = endings;
  }

  async upsert(id: string, payload: AdapterPayload, expiresInSeconds?: number): Promise<void> {
    // A client can put a NUL character into anything stored, and PostgreSQL's text cannot hold it.
    if (id.includes(NUL) || JSON.stringify(payload).includes(NUL_IN_JSON))
      throw new errors.InvalidRequest('a parameter has a NUL character');
    const { jti, ...rest } = payload;
    const stored = BEARERS.has(this.#model) ? rest : { jti, ...rest };
    const row = {
      payload: BEARERS.has(this.#model) ? stamped(stored) : sql<string>`${JSON.stringify(stored)}::jsonb`,
      grant_id: this.#consentOf(id, payload),
      uid: payload.uid ?? null,
      account_id: payload.accountId ?? null,
      client_id: payload.clientId ?? null,
      expires_at: expiresInSeconds === undefined ? null : new Date(Date.now() + expiresInSeconds * 1000),
    };
    const isOnce = this.#model === 'ReplayDetection';
    const { numInsertedOrUpdatedRows } = await this.#db
      .insertInto('authority.oidc_payload')
      .values({ model: this.#model, id: this.#key(id), ...row })
      .onConflict((conflict) => {
        const update = conflict.columns(['model', 'id']).doUpdateSet(row);
        return isOnce ? update.where('authority.oidc_payload.expires_at', '<=', new Date()) : update;
      })
      .executeTakeFirstOrThrow();
    // oidc-provider reads before it writes, so of two concurrent requests, at any instances, one is the replay.
    if (isOnce && numInsertedOrUpdatedRows !== 1n) throw new errors.InvalidRequest('used before');
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const payload = await this.#load('id', this.#key(id));
    return payload !== undefined && BEARERS.has(this.#model) ? { ...payload, jti: id } : payload;
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.#load('uid', uid);
  }

  async findByUserCode(): Promise<undefined> {
    // The device flow is off.
  }

  /** @throws InvalidGrant if it is already consumed: of two concurrent requests, one loses */
  async consume(id: string): Promise<void> {
    const { numUpdatedRows } = await this.#db
      .updateTable('authority.oidc_payload')
      .set({ consumed_at: new Date() })
      .where('model', '=', this.#model)
      .where('id', '=', this.#key(id))
      .where('consumed_at', 'is', null)
      .executeTakeFirst();
    if (numUpdatedRows === 1n) return;
    if (this.#model === 'RefreshToken') await this.#refreshTokenLost(id);
    throw new errors.InvalidGrant('already used, or revoked');
  }

  /** RFC 9700 section 4.14.2: it was used twice at the same time, and either use may be the thief's. */
  async #refreshTokenLost(id: string): Promise<void> {
    const row = await this.#db
      .selectFrom('authority.oidc_payload')
      .select('grant_id')
      .where('model', '=', this.#model)
      .where('id', '=', this.#key(id))
      .executeTakeFirst();
    if (row?.grant_id != null) await this.#endings.refreshTokenReused(row.grant_id);
  }

  async destroy(id: string): Promise<void> {
    await this.#db
      .deleteFrom('authority.oidc_payload')
      .where('model', '=', this.#model)
      .where('id', '=', this.#key(id))
      .execute();
  }

  /**
   * oidc-provider calls this once per model. The first call ends everything in one transaction. Access tokens are not stored; the
   * change log ends them.
   */
  async revokeByGrantId(grantId: string): Promise<void> {
    if (this.#model === 'AccessToken') await this.#endings.tokensEnded(grantId);
  }

  /** A grant has the id of its consent, so a revocation finds everything issued under it by one column. */
  #consentOf(id: string, payload: AdapterPayload): string | null {
    if (this.#model === 'Grant') return id;
    // An interaction names a grant as well, but belongs to the decision about the next one.
    return BEARERS.has(this.#model) ? (payload.grantId ?? null) : null;
  }

  #key(id: string): string {
    return BEARERS.has(this.#model) ? createHash('sha256').update(id).digest('base64url') : id;
  }

  async #load(column: 'id' | 'uid', value: string): Promise<AdapterPayload | undefined> {
    if (value.includes(NUL)) return undefined;
    const row = await this.#db
      .selectFrom('authority.oidc_payload as p')
      .leftJoin('authority.subject_cutoff as c', 'c.subject', 'p.account_id')
      .leftJoin('authority.ended_session as e', 'e.session_id', 'p.uid')
      .select(['p.payload', 'p.consumed_at', 'p.expires_at', 'c.not_before', 'e.ended_at'])
      .where('p.model', '=', this.#model)
      .where(`p.${column}`, '=', value)
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const payload = row.payload as AdapterPayload;
    if (row.expires_at !== null && row.expires_at.getTime() <= Date.now()) return undefined;
    // A request in progress while its session was revoked may have written it back.
    if (this.#model === 'Session' && row.ended_at !== null) return undefined;
    const cutoff = row.not_before;
    if (this.#model === 'Session' && cutoff !== null && !((payload.loginTs ?? 0) > cutoff.getTime() / 1000)) {
      return undefined;
    }
    return row.consumed_at === null
      ? payload
      : { ...payload, consumed: Math.floor(row.consumed_at.getTime() / 1000) };
  }
}

/**
 * A code or refresh token counts as issued at the database's time, like what ends it (`tokens_not_before`). Otherwise a code from
 * a machine with a fast clock would yield tokens after it was ended. A rotated token keeps the time of the first one in its
 * chain.
 */
function stamped(payload: AdapterPayload): RawBuilder<string> {
  const isFirst = (payload.rotations ?? 0) === 0;
  const names = payload.iiat !== undefined && isFirst ? ['iat', 'iiat'] : ['iat'];
  const now = sql`floor(extract(epoch from clock_timestamp()))::bigint`;
  const times = sql.join(names.map((name) => sql`${name}::text, ${now}`));
  return sql<string>`${JSON.stringify(payload)}::jsonb || jsonb_build_object(${times})`;
}

class PendingAdapter extends PostgresAdapter {
  readonly #admit: () => Promise<void>;

  constructor(db: AuthorityDatabase, model: string, endings: Endings, admit: Admission) {
    super(db, model, endings);
    this.#admit = () => admit(model);
  }

  override async upsert(id: string, payload: AdapterPayload, expiresInSeconds?: number): Promise<void> {
    await this.#admit();
    await super.upsert(id, payload, expiresInSeconds);
  }
}

class ClientAdapter extends PostgresAdapter {
  readonly #find: ClientLookup;

  constructor(db: AuthorityDatabase, model: string, endings: Endings, find: ClientLookup) {
    super(db, model, endings);
    this.#find = find;
  }

  override async find(id: string): Promise<AdapterPayload | undefined> {
    return this.#find(id);
  }
}

// Longer than any request that could write back a part of an ended session.
const ENDED_SESSION_KEPT_SECONDS = 24 * 60 * 60;

/** Removes ended sessions that no request can write back any more. */
export async function removeEndedSessions(db: AuthorityDatabase): Promise<void> {
  await sql`
    delete from authority.ended_session e
    where e.ended_at < clock_timestamp() - make_interval(secs => ${ENDED_SESSION_KEPT_SECONDS})
      and not exists (select from authority.oidc_payload p where p.uid = e.session_id)
      and not exists (select from authority.oidc_payload p
        where p.payload ? 'sessionUid' and p.payload ->> 'sessionUid' = e.session_id)`.execute(db);
}

/**
 * This machine decides when something expires, and the database's clock may be fast, so nothing is removed while it still counts.
 */
const EXPIRED_KEPT_SECONDS = 60;

/**
 * Removes a batch of expired rows.
 *
 * @returns the number of removed rows; if it equals `limit`, there may be more
 */
export async function removeExpiredPayloads(db: AuthorityDatabase, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from authority.oidc_payload where (model, id) in (
      select model, id from authority.oidc_payload
      where expires_at < clock_timestamp() - make_interval(secs => ${EXPIRED_KEPT_SECONDS}) order by expires_at limit ${limit} for update skip locked)`.execute(
    db,
  );
  return Number(numAffectedRows ?? 0n);
}
