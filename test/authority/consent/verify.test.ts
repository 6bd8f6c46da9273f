import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifyConsents } from '../../../authority/consent/verify.js';
import { BY_ADMIN, MINUTE_MS, terms, TestStore } from './support.js';

let store: TestStore;
beforeEach(async () => {
  store = await TestStore.open();
});
afterEach(() => store.close());

/** Consents in the projection that the log knows nothing of, with identifiers in their order. */
async function invent(prefix: string, count: number): Promise<void> {
  await sql`insert into authority.consent
      (id, version, subject, client_id, scopes, declined, purposes, detail, status, granted_at, until)
    select ${prefix} || lpad(n::text, 6, '0'), 1, 's' || n, 'app', '{}', '{}', '{}', 'full', 'active', now(), now()
    from generate_series(1, ${sql.lit(count)}) as n`.execute(store.db);
}

/** Events of consents that the projection does not have. */
async function forge(prefix: string, count: number): Promise<void> {
  await sql`insert into authority.consent_event
      (record_id, event_type, pii_principal_id, client_id, entity_id, scopes, purposes, detail, valid_until, version)
    select ${prefix} || n, 'granted', 'ada', 'app', 'ada', '{}', '{}', 'full', now(), 1
    from generate_series(1, ${sql.lit(count)}) as n`.execute(store.db);
}

describe('a comparison of the consents with their log', () => {
  it('finds nothing where they agree', async () => {
    expect(await verifyConsents(store.db)).toEqual({ checked: 0, differences: [] });
    const { id } = await store.register.grant(terms('alma'));
    await store.register.grant(terms('alma', { declined: ['c'], detail: 'full' }));
    await store.register.narrow(id, { by: 'alma', removeScopes: ['a'] });
    const other = await store.register.grant(terms('noor'));
    await store.register.endTokens(other.id, 'reuse');
    const revoked = await store.register.grant(terms('revoked'));
    await store.register.revokeConsent(revoked.id, BY_ADMIN);
    expect(await verifyConsents(store.db)).toEqual({ checked: 4, differences: [] });
  });

  it('names what differs, and never its value', async () => {
    const { id } = await store.register.grant(terms('alma'));
    await store.register.grant(terms('noor'));
    await store.change(id, { scopes: ['admin'], until: new Date(Date.now() + MINUTE_MS) });
    expect(await verifyConsents(store.db)).toEqual({
      checked: 2,
      differences: [{ consentId: id, problem: 'differs in scopes, until' }],
    });
  });

  it('tells of a log that cannot be', async () => {
    const { id } = await store.register.grant(terms('twice'));
    await sql`insert into authority.consent_event
        (record_id, event_type, pii_principal_id, client_id, entity_id, scopes, purposes, detail, valid_until, version)
      values (${id}, 'granted', 'twice', 'app', 'twice', '{}', '{}', 'full', now(), 1)`.execute(store.db);
    const { differences } = await verifyConsents(store.db);
    expect(differences).toMatchObject([
      { consentId: id, problem: expect.stringContaining('a second time') as string },
    ]);
  });

  it('finds what only one of them has, over more than one page', async () => {
    await invent('invented-', 501);
    await forge('forged-', 2);
    const { checked, differences } = await verifyConsents(store.db);
    expect(checked).toBe(501);
    expect(differences).toHaveLength(503);
    expect(differences[0]).toEqual({ consentId: 'invented-000001', problem: 'was never granted by the log' });
    expect(differences.slice(501)).toEqual([
      { consentId: 'forged-1', problem: 'is in the log only' },
      { consentId: 'forged-2', problem: 'is in the log only' },
    ]);
  });

  it('ends after a thousand differences', async () => {
    await invent('invented-', 1_100);
    await forge('forged-', 2);
    const { checked, differences } = await verifyConsents(store.db);
    expect(checked).toBe(1_000);
    expect(differences).toHaveLength(1_000);
    expect(differences.at(-1)).toMatchObject({ consentId: 'invented-001000' });
  });
});
