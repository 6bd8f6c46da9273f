import type { Insertable, Selectable } from 'kysely';

import { ConsentRegister } from '../../../authority/consent/register.js';
import type { ConsentTerms, RevocationOptions } from '../../../authority/consent/types.js';
import type {
  AuthorityDatabase,
  ChangeEventTable,
  ConsentEventTable,
  ConsentTable,
  OidcPayloadTable,
} from '../../../authority/schema.js';
import { createAuthorityDatabase } from '../../support/authority-database.js';
import { consentTerms } from '../../support/consent-terms.js';

export const MINUTE_MS = 60_000;
export const LATER = new Date(Date.now() + 60 * MINUTE_MS);
export const BY_ADMIN: RevocationOptions = { by: 'admin', initiator: 'admin', reason: 'why' };
export const NOTICE: ConsentTerms['notice'] = {
  language: 'en',
  client: 'App',
  purposes: [],
  scopes: [],
  duration: '',
  detail: '',
};

/** A database with the authority's tables, and what is done to it. */
export class TestStore {
  readonly register: ConsentRegister;

  private constructor(
    readonly db: AuthorityDatabase,
    readonly url: string,
    readonly close: () => Promise<void>,
  ) {
    this.register = new ConsentRegister(db);
  }

  static async open(): Promise<TestStore> {
    const database = await createAuthorityDatabase();
    return new TestStore(database.db, database.url, () => database.drop());
  }

  /** The consent's row as it is stored. */
  async row(id: string): Promise<Selectable<ConsentTable>> {
    return this.db.selectFrom('authority.consent').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  }

  /** Changes the projection alone: what time, or somebody with access to the database, does to it. */
  async change(id: string, row: Partial<Insertable<ConsentTable>>): Promise<void> {
    await this.db.updateTable('authority.consent').set(row).where('id', '=', id).execute();
  }

  async events(id: string): Promise<Selectable<ConsentEventTable>[]> {
    return this.db
      .selectFrom('authority.consent_event')
      .selectAll()
      .where('record_id', '=', id)
      .orderBy('event_id')
      .execute();
  }

  async changes(): Promise<Selectable<ChangeEventTable>[]> {
    return this.db.selectFrom('authority.change_event').selectAll().orderBy('seq').execute();
  }

  async lastChange(): Promise<Selectable<ChangeEventTable> | undefined> {
    return (await this.changes()).at(-1);
  }

  /** Stores what oidc-provider would, and returns its key. */
  async hold(model: string, id: string, row: Partial<Insertable<OidcPayloadTable>> = {}): Promise<void> {
    await this.db
      .insertInto('authority.oidc_payload')
      .values({ model, id, payload: JSON.stringify({}), ...row })
      .execute();
  }

  /** Keys of what {@link hold} stored and nothing has ended. */
  async held(): Promise<string[]> {
    const rows = await this.db.selectFrom('authority.oidc_payload').select('id').orderBy('id').execute();
    return rows.map(({ id }) => id);
  }
}

/** Terms of a consent, for `app` unless said otherwise. */
export function terms(subject: string, more: Partial<ConsentTerms> = {}): ConsentTerms {
  return consentTerms(subject, {
    clientId: 'app',
    scopes: ['a', 'b'],
    purposes: ['p', 'q'],
    until: LATER,
    notice: NOTICE,
    ...more,
  });
}
