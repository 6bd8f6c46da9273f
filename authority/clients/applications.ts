import { sql, type Transaction } from 'kysely';

import type { Policy } from '@behalf/policy';
import { revokeClient } from '../consent/revoke.js';
import { transact } from '../transact.js';
import type { Revocation } from '../consent/types.js';
import type { AuthorityDatabase, AuthoritySchema } from '../schema.js';
import { isSubject } from '../accounts/subjects.js';
import { isKnownToRunningPolicy } from './running-policy.js';
import { appendApplicationEvent, changedMembers } from './application-events.js';
import { type Application, hasKey, toApplication, toClient } from './application-rows.js';
import { getsTokens, grantProblem, registrationProblem } from './check.js';
import { ApplicationError } from './errors.js';
import type { ClientRegistration } from '../client-registration.js';
import { checkCeiling, checkClientId, checkRegistration } from './registration.js';
import { newClientSecret, secretDigest } from './secret.js';

const MAX_PAGE_SIZE = 100;
const UNIQUE_VIOLATION = '23505';

export type { Application };

/** The party that makes the change, and the policy, which must know the application. */
export interface RegisterOptions {
  /** The audit log gets this name as it is, so it must not be a subject's. */
  readonly by: string;
  readonly policy: Policy;
}

/** A new secret, if one was created. It is shown once; the store keeps its digest. */
export interface IssuedSecret {
  readonly secret: string | undefined;
}

/**
 * The applications in the store, which all instances of the authority see immediately: an append-only log of events, and its
 * projection, written together. What an application may ask for is not stored here: that is its ceiling in the policy.
 *
 * Every change can throw an AuthorityError `store_busy`: nothing was changed then, so it can be retried.
 *
 * @example
 * ```ts
 * import { ApplicationRegister } from '@behalf/authority/clients';
 * import type { AuthoritySchema } from '@behalf/authority/consent';
 * import { readPolicy } from '@behalf/policy';
 * import { openDatabase } from '@behalf/store';
 *
 * const db = openDatabase<AuthoritySchema>('postgres://behalf@db.example/behalf');
 * const applications = new ApplicationRegister(db);
 * const registration = {
 *   displayName: 'The Planner',
 *   owner: 'Planner Ltd',
 *   contact: 'mailto:help@planner.example',
 *   redirectUris: ['https://planner.example/callback'],
 * };
 * const policy = await readPolicy('policy.yaml');
 * const { secret } = await applications.register('planner', registration, { by: 'support', confidential: true, policy });
 * console.log(secret);
 * await db.destroy();
 * ```
 */
export class ApplicationRegister {
  readonly #db: AuthorityDatabase;

  /** @param db migrated with `migrateAuthority`; the caller closes it */
  constructor(db: AuthorityDatabase) {
    this.#db = db;
  }

  /**
   * Registers an application that the store has not seen before.
   *
   * @param registration see `registration-schema.json`
   * @param options.confidential whether it can keep a secret: it then gets one, unless it authenticates by a key
   * @returns the secret, shown only here; the store keeps its digest
   * @throws ApplicationError `CLIENT_INVALID`, `CLIENT_NOT_IN_POLICY`, `CLIENT_EXISTS`
   */
  async register(
    clientId: string,
    registration: unknown,
    { by, confidential, policy }: RegisterOptions & { readonly confidential: boolean },
  ): Promise<IssuedSecret> {
    checkClientId(clientId);
    const checked = checkRegistration(registration);
    if (!confidential && hasKey(checked)) throw invalid(clientId, 'is said to be public, and authenticates');
    const secret = confidential && !hasKey(checked) ? newClientSecret() : undefined;
    const digest = secret === undefined ? null : secretDigest(secret);
    await transact(this.#db, async (trx) => {
      await refuseUnusable(trx, toClient(clientId, checked, digest), policy);
      const at = new Date();
      const row = {
        client_id: clientId,
        registration: JSON.stringify(checked),
        secret_digest: digest,
        registered_at: at,
        changed_at: at,
        retired_at: null,
      };
      await trx
        .insertInto('authority.application')
        .values(row)
        .execute()
        .catch((error: unknown) => {
          if (!isUniqueViolation(error)) throw error;
          throw new ApplicationError('CLIENT_EXISTS', `the identifier "${clientId}" is taken`);
        });
      await appendApplicationEvent(trx, { type: 'registered', clientId, registration: checked, by });
    });
    return { secret };
  }

  /**
   * Replaces an application's registration. Its secret stays valid, unless a key replaces it.
   *
   * @returns a new secret if its key was removed, because a client that authenticates never becomes a public one
   * @throws ApplicationError `CLIENT_INVALID`, `CLIENT_NOT_IN_POLICY`, `CLIENT_UNKNOWN`
   */
  async change(
    clientId: string,
    registration: unknown,
    { by, policy }: RegisterOptions,
  ): Promise<IssuedSecret> {
    const checked = checkRegistration(registration);
    return transact(this.#db, async (trx) => {
      const before = await trx
        .selectFrom('authority.application')
        .select(['registration', 'secret_digest'])
        .where('client_id', '=', clientId)
        .where('retired_at', 'is', null)
        .forUpdate()
        .executeTakeFirst();
      if (before === undefined) throw unknown(clientId);
      const secret = hasKey(before.registration) && !hasKey(checked) ? newClientSecret() : undefined;
      const kept = hasKey(checked) ? null : before.secret_digest;
      const digest = secret === undefined ? kept : secretDigest(secret);
      await refuseUnusable(trx, toClient(clientId, checked, digest), policy);
      await trx
        .updateTable('authority.application')
        .set({ registration: JSON.stringify(checked), secret_digest: digest, changed_at: new Date() })
        .where('client_id', '=', clientId)
        .execute();
      const changed = changedMembers(before.registration, checked);
      await appendApplicationEvent(trx, { type: 'changed', clientId, registration: checked, by, changed });
      return { secret };
    });
  }

  /**
   * Replaces an application's secret. The old one stops working immediately.
   *
   * @throws ApplicationError `CLIENT_UNKNOWN`, `CLIENT_INVALID` if it has none
   */
  async renewSecret(clientId: string, { by }: { readonly by: string }): Promise<{ readonly secret: string }> {
    const secret = newClientSecret();
    return transact(this.#db, async (trx) => {
      const row = await trx
        .selectFrom('authority.application')
        .select(['registration', 'secret_digest'])
        .where('client_id', '=', clientId)
        .where('retired_at', 'is', null)
        .forUpdate()
        .executeTakeFirst();
      if (row === undefined) throw unknown(clientId);
      if (row.secret_digest === null) throw invalid(clientId, 'has no secret');
      await trx
        .updateTable('authority.application')
        .set({ secret_digest: secretDigest(secret), changed_at: new Date() })
        .where('client_id', '=', clientId)
        .execute();
      const { registration } = row;
      await appendApplicationEvent(trx, { type: 'secret_renewed', clientId, registration, by });
      return { secret };
    });
  }

  /**
   * Ends an application forever, together with all its consents and tokens, in one transaction.
   *
   * @throws ApplicationError `CLIENT_UNKNOWN`
   */
  async retire(
    clientId: string,
    { by, reason }: { readonly by: string; readonly reason: string },
  ): Promise<Revocation> {
    return transact(this.#db, async (trx) => {
      const row = await trx
        .updateTable('authority.application')
        .set({ retired_at: new Date() })
        .where('client_id', '=', clientId)
        .where('retired_at', 'is', null)
        .returning('registration')
        .executeTakeFirst();
      if (row === undefined) throw unknown(clientId);
      const { registration } = row;
      await appendApplicationEvent(trx, { type: 'retired', clientId, registration, by, reason });
      return revokeClient(trx, clientId, { by, initiator: 'admin', reason });
    });
  }

  /** An application that is not retired. */
  async findClient(clientId: string): Promise<ClientRegistration | undefined> {
    const row = await this.#all()
      .where('client_id', '=', clientId)
      .where('retired_at', 'is', null)
      .executeTakeFirst();
    return row === undefined ? undefined : toClient(clientId, row.registration, row.secret_digest);
  }

  /** The applications in use that have web pages of this origin. */
  async findByOrigin(origin: string): Promise<readonly ClientRegistration[]> {
    const rows = await this.#all()
      .where(sql<boolean>`registration -> 'origins' @> ${JSON.stringify([origin])}::jsonb`)
      .where('retired_at', 'is', null)
      .execute();
    return rows.map((row) => toClient(row.client_id, row.registration, row.secret_digest));
  }

  /** An application, retired or not. */
  async find(clientId: string): Promise<Application | undefined> {
    const row = await this.#all().where('client_id', '=', clientId).executeTakeFirst();
    return row === undefined ? undefined : toApplication(row);
  }

  /**
   * Up to a hundred applications, ordered by identifier, including retired ones.
   *
   * @param after the last identifier of the previous page
   */
  async list(after: string = ''): Promise<readonly Application[]> {
    const page = this.#all().where('client_id', '>', after).orderBy('client_id').limit(MAX_PAGE_SIZE);
    return (await page.execute()).map((row) => toApplication(row));
  }

  /** Whether the policy of the running authority knows the client; undefined if no authority has run on this store yet. */
  async isKnownToRunningPolicy(clientId: string): Promise<boolean | undefined> {
    return isKnownToRunningPolicy(this.#db, clientId);
  }

  #all() {
    return this.#db.selectFrom('authority.application').selectAll();
  }
}

/** Applies the same checks as to clients in the options. @throws ApplicationError `CLIENT_INVALID`, `CLIENT_NOT_IN_POLICY` */
async function refuseUnusable(
  trx: Transaction<AuthoritySchema>,
  client: ClientRegistration,
  policy: Policy,
): Promise<void> {
  if (getsTokens(client)) checkCeiling(client.clientId, policy);
  const accounts = { isSubject: (id: string) => isSubject(trx, id) };
  const problem = registrationProblem(client) ?? (await grantProblem(client, { accounts, policy }));
  if (problem !== undefined) throw invalid(client.clientId, problem);
}

function invalid(clientId: string, problem: string): ApplicationError {
  return new ApplicationError('CLIENT_INVALID', `the application "${clientId}" ${problem}`);
}

function unknown(clientId: string): ApplicationError {
  return new ApplicationError('CLIENT_UNKNOWN', `no application "${clientId}" is registered and in use`);
}

function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION;
}
