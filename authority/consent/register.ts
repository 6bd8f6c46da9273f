import { type ExpressionBuilder, sql, type Transaction } from 'kysely';

import { causeOf, recordEvents } from '../audit/record-events.js';
import type { AuthorityDatabase, AuthoritySchema } from '../schema.js';
import { endTokens } from './end-tokens.js';
import { recordExpiries } from './expire.js';
import { exportConsents, type ExportPart } from './export.js';
import { recordGrant, recordGrantOver } from './grant.js';
import { narrowConsent } from './narrow.js';
import { revokeClient, revokeConsent, revokeSession, revokeSubjectSessions, revokeToken } from './revoke.js';
import { toConsent } from './rows.js';
import type { SuspensionOptions } from './suspensions.js';
import { transact } from '../transact.js';
import type {
  Consent,
  ConsentFilter,
  ConsentPage,
  ConsentStatus,
  ConsentTerms,
  Narrowed,
  Narrowing,
  PageRequest,
  Revocation,
  RevocationOptions,
  SessionsRevocation,
  TokenRevocation,
} from './types.js';

const DEFAULT_PAGE = 20;
const MAX_PAGE_SIZE = 100;
const MAX_LIST = 1_000;

/**
 * The consents of all people: an append-only log of events, and its projection, written together. Every method is one database
 * transaction: when it returns, its result is durable, and every change that gateways must enforce is in the change log.
 *
 * It does not authorize: the caller must have established that a consent may be seen or ended (a person's own revocation is
 * checked again here).
 *
 * Every method can throw an AuthorityError `store_busy`, see {@link isStoreBusy}.
 *
 * @example
 * ```ts
 * import { type AuthoritySchema, ConsentRegister } from '@behalf/authority/consent';
 * import { openDatabase } from '@behalf/store';
 *
 * const db = openDatabase<AuthoritySchema>('postgres://behalf@db.example/behalf');
 * const consents = new ConsentRegister(db);
 * const { items } = await consents.list({ clientId: 'budget-app', status: 'active' });
 * for (const { id } of items) {
 *   const { outcome } = await consents.revokeConsent(id, { by: 'support', initiator: 'admin', reason: 'it leaked its secret' });
 *   console.log(id, outcome);
 * }
 * await db.destroy();
 * ```
 */
export class ConsentRegister {
  readonly #db: AuthorityDatabase;

  /** @param db migrated with `migrateAuthority`; the caller closes it */
  constructor(db: AuthorityDatabase) {
    this.#db = db;
  }

  /**
   * Records what a person agreed to. See `recordGrant` for what happens to an earlier consent for the same client.
   *
   * @throws RangeError if `until` is not in the future, or no scope was granted
   */
  async grant(terms: ConsentTerms): Promise<Consent> {
    return toConsent(await this.#transact((trx) => recordGrant(trx, terms)));
  }

  /**
   * Records what a person agreed to, as {@link grant} does, if the consent in force is still the one that they were asked about.
   *
   * @param standing that consent; undefined if none was in force
   * @returns undefined, with nothing recorded, if it is another one now
   * @throws RangeError as {@link grant} does
   */
  async grantOver(
    standing: Pick<Consent, 'id' | 'version'> | undefined,
    terms: ConsentTerms,
  ): Promise<Consent | undefined> {
    const row = await this.#transact((trx) => recordGrantOver(trx, standing, terms));
    return row && toConsent(row);
  }

  /** A consent by its identifier, whatever its status. */
  async find(id: string): Promise<Consent | undefined> {
    const row = await this.#all().where('id', '=', id).executeTakeFirst();
    return row === undefined ? undefined : toConsent(row);
  }

  /** The consent in force between this person and this client, if there is one. */
  async findActive(subject: string, clientId: string): Promise<Consent | undefined> {
    const row = await this.#all()
      .where('status', '=', 'active')
      .where('subject', '=', subject)
      .where('client_id', '=', clientId)
      .executeTakeFirst();
    const consent = row === undefined ? undefined : toConsent(row);
    return consent?.status === 'active' ? consent : undefined;
  }

  /** All consents of a person, newest first; at most the newest thousand. */
  async listForSubject(subject: string): Promise<readonly Consent[]> {
    const rows = await this.#all()
      .where('subject', '=', subject)
      .orderBy('granted_at', 'desc')
      .orderBy('id', 'desc')
      .limit(MAX_LIST)
      .execute();
    return rows.map((row) => toConsent(row));
  }

  /**
   * The consents that match the filter, page by page, newest first.
   *
   * @throws RangeError for a page size outside of 1 to 100, or a cursor that was not given out
   */
  async list(filter: ConsentFilter = {}, page: PageRequest = {}): Promise<ConsentPage> {
    const first = page.first ?? DEFAULT_PAGE;
    if (!Number.isInteger(first) || first < 1 || first > MAX_PAGE_SIZE) {
      throw new RangeError(`A page has 1 to ${MAX_PAGE_SIZE} consents`);
    }
    const now = new Date();
    let query = this.#all();
    if (filter.subject !== undefined) query = query.where('subject', '=', filter.subject);
    if (filter.clientId !== undefined) query = query.where('client_id', '=', filter.clientId);
    if (filter.status !== undefined) query = query.where(hasStatus(filter.status, now));
    if (page.after !== undefined) {
      const { grantedAt, id } = readCursor(page.after);
      query = query.where((eb) => eb(eb.refTuple('granted_at', 'id'), '<', eb.tuple(grantedAt, id)));
    }
    const rows = await query
      .orderBy('granted_at', 'desc')
      .orderBy('id', 'desc')
      .limit(first + 1)
      .execute();
    const items = rows.slice(0, first).map((row) => toConsent(row, now.getTime()));
    const last = items.at(-1);
    return { items, cursor: rows.length > first && last !== undefined ? writeCursor(last) : undefined };
  }

  /**
   * Ends one consent and everything issued under it, forever. A repeated call, an unknown id, or a user's call for another
   * person's consent ends nothing, which the outcome says.
   */
  async revokeConsent(id: string, options: RevocationOptions): Promise<Revocation> {
    return this.#transact((trx) => revokeConsent(trx, id, options));
  }

  /**
   * Ends one access token and everything exchanged from it, forever. Access tokens are not stored, so an identifier that no token
   * ever had is announced like any other.
   *
   * @param tokenId `jti`
   */
  async revokeToken(tokenId: string, options: RevocationOptions): Promise<TokenRevocation> {
    return this.#transact((trx) => revokeToken(trx, tokenId, options));
  }

  /**
   * Ends one sign-in (of one browser), and every code and token issued under it, forever. Consents stay in force.
   *
   * @param sessionId `sid` of its access tokens
   */
  async revokeSession(sessionId: string, options: RevocationOptions): Promise<SessionsRevocation> {
    return this.#transact((trx) => revokeSession(trx, sessionId, options));
  }

  /** Ends all consents for a client, and every token issued to it up to now. */
  async revokeClient(clientId: string, options: RevocationOptions): Promise<Revocation> {
    return this.#transact((trx) => revokeClient(trx, clientId, options));
  }

  /** Ends every token issued under a consent up to now. The consent stays in force. */
  async endTokens(id: string, reason: string): Promise<void> {
    return this.#transact((trx) => endTokens(trx, id, reason));
  }

  /**
   * Ends a person's sign-ins and every token issued for them up to now, with all clients. Their consents stay in force: a client
   * gets a new token after the person has signed in again. `ended` is therefore empty.
   */
  async revokeSubjectSessions(subject: string, options: RevocationOptions): Promise<SessionsRevocation> {
    return this.#transact((trx) => revokeSubjectSessions(trx, subject, options));
  }

  /**
   * Narrows a person's own consent. What remains is a new consent; the tokens of the old one end. For another person's consent,
   * or one that is not in force, it does nothing, which the outcome says.
   *
   * @throws RangeError if it would widen the consent, or leave nothing of it
   */
  async narrow(id: string, narrowing: Narrowing): Promise<Narrowed> {
    return this.#transact((trx) => narrowConsent(trx, id, narrowing));
  }

  /**
   * One person's consents as a document, for themselves. See `exportConsents` for its parts.
   *
   * @throws RangeError for a cursor that was not given out
   */
  async exportOwn(subject: string, after?: string): Promise<ExportPart> {
    return exportConsents(this.#db, subject, after);
  }

  /**
   * The same for a staff member who answers a person's request for access. Who did it, and why, is recorded before anything is
   * returned.
   *
   * @throws RangeError for a cursor that was not given out
   */
  async exportForRequest(
    subject: string,
    { after, by, reason, request }: SuspensionOptions & { readonly after?: string },
  ): Promise<ExportPart> {
    return this.#transact(async (trx) => {
      const part = await exportConsents(trx, subject, after);
      const records = part.document.records.length;
      await trx
        .insertInto('authority.consent_export')
        .values({ pii_principal_id: subject, entity_id: by, reason, records })
        .execute();
      const cause = causeOf({ by, initiator: 'admin', request });
      const exported = { event: 'consents-exported', cause, subjects: [subject], reason } as const;
      await recordEvents(trx, [{ ...exported, details: { records } }]);
      return part;
    });
  }

  /**
   * Ends expired consents, oldest first. Whether they are in force does not depend on it. Concurrent instances share the work:
   * each consent is ended once.
   *
   * @returns the number of ended consents; if it equals `limit`, there may be more
   */
  async recordExpired(limit: number): Promise<number> {
    return this.#transact(async (trx) => {
      const rows = await trx
        .selectFrom('authority.consent')
        .selectAll()
        .where('status', '=', 'active')
        .where('until', '<=', sql<Date>`clock_timestamp()`)
        .orderBy('until')
        .limit(limit)
        .forUpdate()
        .skipLocked()
        .execute();
      await recordExpiries(trx, rows);
      return rows.length;
    });
  }

  /** Milliseconds until the next consent ends, by the database's clock; 0 if one has ended already; undefined if none will end. */
  async nextExpiryMs(): Promise<number | undefined> {
    const { ms } = await this.#db
      .selectFrom('authority.consent')
      .select(
        sql<number | null>`(extract(epoch from min(until) - clock_timestamp()) * 1000)::float8`.as('ms'),
      )
      .where('status', '=', 'active')
      .executeTakeFirstOrThrow();
    return ms === null ? undefined : Math.max(0, Math.ceil(ms));
  }

  async #transact<Result>(work: (trx: Transaction<AuthoritySchema>) => Promise<Result>): Promise<Result> {
    return transact(this.#db, work);
  }

  #all() {
    return this.#db.selectFrom('authority.consent').selectAll();
  }
}

function hasStatus(status: ConsentStatus, now: Date) {
  return (eb: ExpressionBuilder<AuthoritySchema, 'authority.consent'>) => {
    if (status === 'active') return eb.and([eb('status', '=', 'active'), eb('until', '>', now)]);
    if (status !== 'expired') return eb('status', '=', status);
    return eb.or([
      eb('status', '=', 'expired'),
      eb.and([eb('status', '=', 'active'), eb('until', '<=', now)]),
    ]);
  };
}

function writeCursor({ grantedAt, id }: Consent): string {
  return Buffer.from(`${grantedAt.getTime()} ${id}`).toString('base64url');
}

function readCursor(cursor: string): { grantedAt: Date; id: string } {
  const [, ms, id] = /^(\d{1,15}) ([\w-]{1,64})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (ms === undefined || id === undefined) throw new RangeError('Not a cursor of a list of consents');
  return { grantedAt: new Date(Number(ms)), id };
}
