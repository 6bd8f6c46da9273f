import { type Selectable, type Transaction } from 'kysely';

import type { Policy } from '../../policy/index.js';
import { revokeClient } from '../consent/revoke.js';
import { transact } from '../consent/transact.js';
import type { Revocation } from '../consent/types.js';
import type { ApplicationTable, AuthorityDatabase, AuthoritySchema } from '../schema.js';
import { ApplicationError } from './errors.js';
import type { ClientRegistration } from './register.js';
import { checkCeiling, checkClientId, checkRegistration, type StoredRegistration } from './registration.js';
import { newClientSecret, secretDigest } from './secret.js';

const LARGEST_PAGE = 100;
const UNIQUE_VIOLATION = '23505';

/** A registered application. */
export interface Application {
  readonly clientId: string;
  readonly registration: StoredRegistration;
  /** Whether it has a secret, or is a public client. */
  readonly confidential: boolean;
  readonly registeredAt: Date;
  readonly changedAt: Date;
  readonly retiredAt: Date | undefined;
}

/** Who does it, and the policy that must know the application. */
export interface RegisterOptions {
  readonly by: string;
  readonly policy: Policy;
}

/**
 * The applications in the store, which all instances of the authority know at once: an append-only log of what happened to
 * each, and its projection, written together. What an application may ask for is not here: it is its ceiling in the policy.
 */
export class ApplicationRegister {
  readonly #db: AuthorityDatabase;

  /** @param db migrated with `migrateAuthority`; stays the caller's to close */
  constructor(db: AuthorityDatabase) {
    this.#db = db;
  }

  /**
   * @param registration as `registration-schema.json` describes it
   * @returns the secret of a confidential client, this once: the store keeps its digest
   * @throws ApplicationError `client_invalid`, `client_not_in_policy`, `client_exists`
   */
  async register(
    clientId: string,
    registration: unknown,
    { by, confidential, policy }: RegisterOptions & { readonly confidential: boolean },
  ): Promise<{ readonly secret: string | undefined }> {
    checkClientId(clientId);
    const checked = checkRegistration(registration);
    checkCeiling(clientId, policy);
    const secret = confidential ? newClientSecret() : undefined;
    await this.#db.transaction().execute(async (trx) => {
      const at = new Date();
      const row = {
        client_id: clientId,
        registration: JSON.stringify(checked),
        secret_digest: secret === undefined ? null : secretDigest(secret),
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
          throw new ApplicationError('client_exists', `the identifier "${clientId}" is taken`);
        });
      await append(trx, 'registered', clientId, checked, by);
    });
    return { secret };
  }

  /**
   * Gives an application another registration, as a whole; its secret stays.
   *
   * @throws ApplicationError `client_invalid`, `client_not_in_policy`, `client_unknown`
   */
  async change(clientId: string, registration: unknown, { by, policy }: RegisterOptions): Promise<void> {
    const checked = checkRegistration(registration);
    checkCeiling(clientId, policy);
    await this.#db.transaction().execute(async (trx) => {
      const { numUpdatedRows } = await trx
        .updateTable('authority.application')
        .set({ registration: JSON.stringify(checked), changed_at: new Date() })
        .where('client_id', '=', clientId)
        .where('retired_at', 'is', null)
        .executeTakeFirst();
      if (numUpdatedRows !== 1n) throw unknown(clientId);
      await append(trx, 'changed', clientId, checked, by);
    });
  }

  /**
   * Ends an application for ever, and with it every consent and token that it holds, in one transaction.
   *
   * @throws ApplicationError `client_unknown`
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
      await append(trx, 'retired', clientId, row.registration, by, reason);
      return revokeClient(trx, clientId, { by, initiator: 'admin', reason });
    });
  }

  /** An application that may act: not a retired one. */
  async findClient(clientId: string): Promise<ClientRegistration | undefined> {
    const row = await this.#all()
      .where('client_id', '=', clientId)
      .where('retired_at', 'is', null)
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const { registration, secret_digest: digest } = row;
    return { ...registration, clientId, ...(digest === null ? {} : { secretDigest: digest }) };
  }

  async find(clientId: string): Promise<Application | undefined> {
    const row = await this.#all().where('client_id', '=', clientId).executeTakeFirst();
    return row === undefined ? undefined : toApplication(row);
  }

  /** A hundred at a time, by identifier; retired ones as well. @param after the last identifier of an earlier page */
  async list(after: string = ''): Promise<readonly Application[]> {
    const page = this.#all().where('client_id', '>', after).orderBy('client_id').limit(LARGEST_PAGE);
    return (await page.execute()).map((row) => toApplication(row));
  }

  #all() {
    return this.#db.selectFrom('authority.application').selectAll();
  }
}

async function append(
  trx: Transaction<AuthoritySchema>,
  type: 'registered' | 'changed' | 'retired',
  clientId: string,
  registration: StoredRegistration,
  by: string,
  reason: string | null = null,
): Promise<void> {
  const event = { client_id: clientId, event_type: type, entity_id: by, reason };
  await trx
    .insertInto('authority.application_event')
    .values({ ...event, registration: JSON.stringify(registration) })
    .execute();
}

function toApplication(row: Selectable<ApplicationTable>): Application {
  return {
    clientId: row.client_id,
    registration: row.registration,
    confidential: row.secret_digest !== null,
    registeredAt: row.registered_at,
    changedAt: row.changed_at,
    retiredAt: row.retired_at ?? undefined,
  };
}

function unknown(clientId: string): ApplicationError {
  return new ApplicationError('client_unknown', `no application "${clientId}" is registered and in use`);
}

function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION;
}
