import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { BY_ADMIN, NOTICE, terms, TestStore } from './support.js';

const NAME = 'c-000777';

let store: TestStore;
beforeEach(async () => {
  store = await TestStore.open();
});
afterEach(() => store.close());

describe('the logs stay append-only', () => {
  const T = 'erased-00000000-0000-4000-8000-000000000001';
  const U = 'erased-00000000-0000-4000-8000-000000000002';
  const everything = `pii_principal_id = '${T}', entity_id = replace(entity_id, '${NAME}', '${T}')`;

  beforeEach(async () => {
    const notice = { ...NOTICE, text: 'App asks\nYou are signed in as Zelda.\nTick' };
    const { id } = await store.register.grant(terms(NAME, { notice }));
    await store.register.revokeConsent(id, BY_ADMIN);
    await store.register.exportForRequest(NAME, { by: NAME, reason: 'mine' });
    await sql`insert into authority.application_event (client_id, event_type, entity_id, registration)
      values ('app', 'changed', ${NAME}, '{}')`.execute(store.db);
    await sql`insert into authority.forgotten_person (subject, tombstone) values (${NAME}, ${T}), ('noor', ${U})`.execute(
      store.db,
    );
  });

  const run = (statement: string): Promise<unknown> => sql.raw(statement).execute(store.db);

  it.each([
    ['consent_event', `reason = 'another'`],
    ['consent_event', `privacy_notice = null`],
    ['consent_event', `${everything}, scopes = '{}'`],
    ['consent_event', `${everything}, event_time = event_time + interval '1 microsecond'`],
    ['consent_event', `${everything}, privacy_notice = coalesce(privacy_notice, 'null')`],
    ['consent_event', `${everything}, privacy_notice = jsonb_set(privacy_notice, '{text}', '"nothing"')`],
    ['consent_event', `${everything}, privacy_notice = jsonb_set(privacy_notice, '{owner}', '"me"')`],
    ['consent_event', `pii_principal_id = 'noor'`],
    ['consent_event', `pii_principal_id = '${U}'`],
    ['consent_event', `pii_principal_id = 'erased-${NAME}'`],
    ['consent_event', `reason = '${T}'`],
    ['consent_event', 'scopes = scopes'],
    ['consent_export', `reason = 'another'`],
    ['consent_export', `pii_principal_id = '${T}', records = 0`],
    ['application_event', `registration = '{"owner": "me"}'`],
    ['change_event', `reason = 'another'`],
    ['change_event', `members = jsonb_set(members, '{subject}', '"noor"')`],
    ['change_event', `members = members - 'subject'`],
    ['change_event', `members = jsonb_build_object('subject', '${T}')`],
  ])('%s: %s is refused', async (log, set) => {
    await expect(run(`update authority.${log} set ${set}`)).rejects.toThrow('append-only');
  });

  it.each(['consent_event', 'consent_export', 'application_event', 'change_event'])(
    '%s cannot be deleted or emptied',
    async (log) => {
      await expect(run(`delete from authority.${log}`)).rejects.toThrow('append-only');
      await expect(run(`truncate authority.${log}`)).rejects.toThrow('append-only');
    },
  );

  it('but for the name of a forgotten person, which their tombstone replaces', async () => {
    await run(`update authority.consent_event set ${everything}`);
    await run(`update authority.consent_export set pii_principal_id = '${T}'`);
    await run(`update authority.application_event set entity_id = '${T}'`);
    await run(`update authority.change_event set members = jsonb_set(members, '{subject}', '"${T}"')`);
    await expect(run(`update authority.consent_event set pii_principal_id = '${NAME}'`)).rejects.toThrow(
      'append-only',
    );
  });

  it('and nobody’s name changes when nobody is being forgotten', async () => {
    await sql`delete from authority.forgotten_person`.execute(store.db);
    await expect(run(`update authority.consent_event set ${everything}`)).rejects.toThrow('append-only');
  });
});
