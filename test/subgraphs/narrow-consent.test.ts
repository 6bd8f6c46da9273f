import { readFile } from 'node:fs/promises';

import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Consent, ConsentExport, ConsentTerms } from '../../authority/internal.js';
import { beginRecording } from '../../authority/audit/recording.js';
import { ConsentRegister, verifyConsents } from '../../authority/internal.js';
import { waiting } from '../authority/audit/support.js';
import { ALMA, denials, type Example, type GraphQLAnswer, NOOR, startExample } from './support/example.js';
import type { Caller } from './support/gateway.js';
import { projectPath } from '@behalf/example/internal';

const PERSON: Caller = { sub: ALMA, scopes: ['consents:read', 'consents:write'] };
const ADMINISTRATOR: Caller = {
  sub: 'admin-iris',
  clientId: 'bank-console',
  scopes: ['consents:admin', 'consents:write'],
  purposes: ['administration'],
  roles: ['administrator'],
};
const HOUR_MS = 3_600_000;

let example: Example;
let register: ConsentRegister;
beforeAll(async () => {
  example = await startExample();
  register = new ConsentRegister(example.database.db);
});
afterAll(async () => {
  await example[Symbol.asyncDispose]();
});

function terms(subject: string, clientId: string, more: Partial<ConsentTerms> = {}): ConsentTerms {
  return {
    subject,
    clientId,
    scopes: ['accounts:read', 'transactions:read'],
    declined: ['accounts:details'],
    purposes: ['budgeting', 'credit'],
    detail: 'full',
    until: new Date(Date.now() + HOUR_MS),
    by: subject,
    notice: {
      language: 'en',
      client: clientId,
      owner: 'Example Ltd',
      contact: 'mailto:privacy@example.test',
      purposes: ['To plan your budget'],
      scopes: [{ name: 'accounts:read', sentence: 'See your accounts', remarks: [], granted: true }],
      duration: '1 hour',
      detail: 'Full detail',
      text: `${clientId} asks`,
    },
    ...more,
  };
}

const NARROW = `mutation ($id: ID!, $removeScopes: [String!], $removePurposes: [String!], $until: DateTime, $detail: DetailLevel,
    $reason: String) {
  narrowConsent(id: $id, removeScopes: $removeScopes, removePurposes: $removePurposes, until: $until, detail: $detail,
      reason: $reason) {
    consent { id version clientId scopes purposes detail until } replaced { id status } change } }`;

interface Narrowing {
  readonly consent: { readonly id: string; readonly version: number } | null;
  readonly replaced: { readonly id: string; readonly status: string } | null;
  readonly change: number | null;
}

const narrow = (id: string, variables: Record<string, unknown>, caller: Caller = PERSON) =>
  example.ask('consent', caller, NARROW, { id, ...variables });

const resultOf = ({ data }: GraphQLAnswer): Narrowing => data?.narrowConsent as Narrowing;

describe('a person narrows their own consent', () => {
  it('is recorded for the audit log with the caller of the request', async () => {
    await beginRecording(example.database.db);
    const { id } = await register.grant(terms(ALMA, 'app-recorded'));
    await narrow(id, { removeScopes: ['transactions:read'] });
    const [narrowed, granted] = (await waiting(example.database.db)).slice(-2);
    const caller = {
      subject: ALMA,
      clientId: 'budget-app',
      consentId: 'consent-of-test',
      consentVersion: 1,
      purposes: ['budgeting'],
    };
    expect(narrowed).toMatchObject({ event: 'consent-narrowed', caller, operator: null });
    expect(granted).toMatchObject({ event: 'consent-granted', caller, details: { replaces: id } });
    expect(granted?.transaction_id).toBe(narrowed?.transaction_id);
  });

  it('creates a new consent, and refuses the old one’s tokens', async () => {
    const own = await register.grant(terms(ALMA, 'app-narrowed'));
    const until = new Date(own.until.getTime() - HOUR_MS / 2).toISOString();
    const answer = await narrow(own.id, {
      removeScopes: ['transactions:read', 'never:held'],
      removePurposes: ['credit'],
      until,
      detail: 'MINIMAL',
      reason: 'too much',
    });
    expect(answer.errors).toBeUndefined();
    const { consent, replaced, change } = resultOf(answer);
    expect(consent).toMatchObject({
      version: 2,
      clientId: 'app-narrowed',
      scopes: ['accounts:read'],
      purposes: ['budgeting'],
      detail: 'MINIMAL',
      until,
    });
    expect(replaced).toEqual({ id: own.id, status: 'REPLACED' });
    expect(consent?.id).not.toBe(own.id);
    expect(await register.find(own.id)).toMatchObject({
      status: 'replaced',
      endedBy: ALMA,
      endedReason: 'too much',
    });
    // The person does not want to be asked for it again.
    expect(await register.findActive(ALMA, 'app-narrowed')).toMatchObject({
      id: consent?.id,
      declined: ['accounts:details', 'transactions:read'],
      declinedPurposes: ['credit'],
    });
    const event = await example.database.db
      .selectFrom('authority.change_event')
      .selectAll()
      .where('seq', '=', change ?? 0)
      .executeTakeFirst();
    expect(event).toMatchObject({ members: { consentId: own.id }, initiator: 'user', reason: 'narrowed' });
    expect((await verifyConsents(example.database.db)).differences).toEqual([]);
  });

  it('a repeated or empty narrowing changes nothing', async () => {
    const own = await register.grant(terms(ALMA, 'app-repeated'));
    const once = resultOf(await narrow(own.id, { removeScopes: ['transactions:read'] }));
    expect(resultOf(await narrow(own.id, { removeScopes: ['transactions:read'] }))).toEqual({
      consent: null,
      replaced: null,
      change: null,
    });
    const idle = resultOf(await narrow(once.consent?.id ?? '', { removeScopes: ['transactions:read'] }));
    expect(idle).toMatchObject({
      consent: { id: once.consent?.id, version: 2 },
      replaced: null,
      change: null,
    });
  });

  it('concurrently: one of two finds nothing left to narrow', async () => {
    const own = await register.grant(terms(ALMA, 'app-raced'));
    const answers = await Promise.all([
      narrow(own.id, { removeScopes: ['transactions:read'] }),
      narrow(own.id, { removePurposes: ['credit'] }),
    ]);
    expect(answers.filter((answer) => resultOf(answer).change !== null)).toHaveLength(1);
    expect((await verifyConsents(example.database.db)).differences).toEqual([]);
  });

  it.each([
    ['a later end', (own: Consent) => ({ until: new Date(own.until.getTime() + 1_000).toISOString() })],
    ['an end in the past', () => ({ until: new Date(Date.now() - 1_000).toISOString() })],
    ['no scope left', () => ({ removeScopes: ['accounts:read', 'transactions:read'] })],
    ['no purpose left', () => ({ removePurposes: ['budgeting', 'credit'] })],
    ['a day that does not exist', () => ({ until: '2026-13-45T00:00:00Z' })],
    ['too many names', () => ({ removeScopes: Array.from({ length: 101 }, String) })],
    ['a reason that is too long', () => ({ reason: 'x'.repeat(501) })],
  ])('is refused for %s', async (_, variables) => {
    const own = await register.grant(terms(ALMA, 'app-refused'));
    const answer = await narrow(own.id, variables(own));
    expect(denials(answer)).toEqual(['narrowConsent BAD_USER_INPUT']);
    expect(await register.find(own.id)).toMatchObject({ status: 'active' });
  });

  it('cannot add detail', async () => {
    const own = await register.grant(terms(ALMA, 'app-minimal', { detail: 'minimal' }));
    expect(denials(await narrow(own.id, { detail: 'FULL' }))).toEqual(['narrowConsent BAD_USER_INPUT']);
  });
});

describe('nobody narrows somebody else’s consent', () => {
  it('nobody else may end it, or learn whether it exists', async () => {
    const other = await register.grant(terms(NOOR, 'app-kept'));
    const change = { removeScopes: ['transactions:read'] };
    for (const id of [other.id, 'no-such-consent']) {
      expect(denials(await narrow(id, change))).toEqual(['narrowConsent FORBIDDEN']);
      expect(denials(await narrow(id, change, ADMINISTRATOR))).toEqual(['narrowConsent FORBIDDEN']);
    }
    const reader: Caller = { sub: NOOR, scopes: ['consents:read'] };
    expect(denials(await narrow(other.id, change, reader))).toEqual([
      'narrowConsent UNAUTHORIZED_FIELD_OR_TYPE',
    ]);
    expect(await register.find(other.id)).toMatchObject({ status: 'active' });
    // The register checks again, whatever its caller has checked.
    const forced = await register.narrow(other.id, { ...change, by: ALMA });
    expect(forced.consent).toBeUndefined();
  });
});

const EXPORT_MINE = 'query ($after: String) { exportMyConsents(after: $after) { document endCursor } }';
const EXPORT = `mutation ($subject: ID!, $reason: String!, $after: String) {
  exportConsents(subject: $subject, reason: $reason, after: $after) { document endCursor } }`;

interface Part {
  readonly document: ConsentExport;
  readonly endCursor: string | null;
}

async function validator() {
  const schema: unknown = JSON.parse(
    await readFile(projectPath('authority', 'consent', 'export-schema.json'), 'utf8'),
  );
  const ajv = new Ajv({ strict: true, allErrors: true });
  addFormats.default(ajv);
  return ajv.compile(schema as object);
}

describe('an export', () => {
  it('exports every event of one’s own consents in the published format', async () => {
    const me: Caller = { sub: 'c-000021', scopes: ['consents:read'] };
    const first = await register.grant(terms(me.sub, 'app-one'));
    await register.grant(terms(me.sub, 'app-one', { until: new Date(Date.now() + 2 * HOUR_MS) }));
    const left = await register.narrow(first.id, {
      by: me.sub,
      removePurposes: ['credit'],
      reason: 'no credit',
    });
    await register.revokeConsent(left.consent?.id ?? '', { by: 'admin-iris', initiator: 'admin' });
    const other = await register.grant(terms(me.sub, 'app-two'));
    await register.revokeConsent(other.id, { by: me.sub, initiator: 'user' });
    await register.grant(terms(NOOR, 'app-one'));

    const answer = await example.ask('consent', me, EXPORT_MINE);
    expect(answer.errors).toBeUndefined();
    const { document, endCursor } = answer.data?.exportMyConsents as Part;
    const validate = await validator();
    expect(validate(document), JSON.stringify(validate.errors)).toBe(true);
    expect(endCursor).toBeNull();
    expect(document).toMatchObject({ pii_principal_id: me.sub, complete: true });
    const lines = document.records.map(({ record_id: id, events }) => [
      id,
      events.map(({ event_state: state, event_type: type }) => (type === undefined ? state : `${state}!`)),
    ]);
    expect(lines).toEqual([
      [first.id, ['requested', 'given!', 'requested', 'renewed!', 'withdrawn!']],
      [left.consent?.id, ['given!', 'revoked']],
      [other.id, ['requested', 'given!', 'withdrawn!']],
    ]);
    const given = document.records[0]?.events[1];
    expect(given?.privacy_notice).toEqual(terms(me.sub, 'app-one').notice);
    expect(document.records[0]?.pii_processing.privacy_notice).toBe(document.records[0]?.events[3]?.event_id);
    expect(document.records[1]?.events[0]).toMatchObject({
      replaces: first.id,
      declined_purposes: ['credit'],
      reason: 'no credit',
    });
    expect(document.records[0]?.party_identification).toEqual([
      {
        party_id: 'app-one',
        party_name: 'Example Ltd',
        party_role: 'PII controller',
        party_contact: 'mailto:privacy@example.test',
      },
    ]);
  });

  it('is complete over its pages, each bounded', async () => {
    const me: Caller = { sub: 'c-000022', scopes: ['consents:read'] };
    for (let count = 0; count < 260; count++) {
      const { id } = await register.grant(terms(me.sub, `app-${count % 3}`));
      await register.revokeConsent(id, { by: me.sub, initiator: 'user' });
    }
    const logged = await example.database.db
      .selectFrom('authority.consent_event')
      .select(['event_id', 'record_id'])
      .where('pii_principal_id', '=', me.sub)
      .execute();
    // Events that affect nobody else: more than one page holds, for a consent that continues in the next.
    const reconfirm = register.grant(terms(me.sub, 'app-0', { until: new Date(Date.now() + HOUR_MS) }));
    const { id } = await reconfirm;
    for (let count = 1; count < 120; count++) {
      await register.grant(terms(me.sub, 'app-0', { until: new Date(Date.now() + HOUR_MS + count * 1_000) }));
    }
    const events: number[] = [];
    const parts: Part[] = [];
    let after: string | null = null;
    do {
      const answer: GraphQLAnswer = await example.ask('consent', me, EXPORT_MINE, { after });
      const part = answer.data?.exportMyConsents as Part;
      parts.push(part);
      for (const record of part.document.records)
        events.push(...record.events.map((event) => event.event_id));
      after = part.endCursor;
    } while (after !== null);
    expect(parts.map(({ document }) => document.complete)).toEqual([false, true]);
    expect(events).toHaveLength(logged.length + 2 * 120);
    expect(new Set(events).size).toBe(events.length);
    expect(parts.every(({ document }) => document.records.some((record) => record.record_id === id))).toBe(
      true,
    );
  }, 120_000);

  it.each(['x', '-1', "1' or 1=1"])('is refused for the cursor "%s"', async (after) => {
    const answer = await example.ask('consent', PERSON, EXPORT_MINE, { after });
    expect(denials(answer)).toEqual(['exportMyConsents BAD_USER_INPUT']);
  });

  it('of somebody else needs an administrator with a reason, and is recorded', async () => {
    const subject = 'c-000023';
    await register.grant(terms(subject, 'app-asked'));
    const variables = { subject, reason: 'access request 17' };
    const refused = await example.ask('consent', { ...ADMINISTRATOR, roles: [] }, EXPORT, variables);
    expect(denials(refused)).toEqual(['exportConsents FORBIDDEN']);
    expect(denials(await example.ask('consent', PERSON, EXPORT, variables))).toEqual([
      'exportConsents UNAUTHORIZED_FIELD_OR_TYPE',
    ]);
    const silent = await example.ask('consent', ADMINISTRATOR, EXPORT, { ...variables, reason: ' ' });
    expect(denials(silent)).toEqual(['exportConsents BAD_USER_INPUT']);

    const answer = await example.ask('consent', ADMINISTRATOR, EXPORT, variables);
    const { document } = answer.data?.exportConsents as Part;
    expect(document).toMatchObject({ pii_principal_id: subject, records: [{ pii_principal_id: subject }] });
    const recorded = await example.database.db
      .selectFrom('authority.consent_export')
      .select(['pii_principal_id', 'entity_id', 'reason', 'records'])
      .execute();
    expect(recorded).toEqual([
      { pii_principal_id: subject, entity_id: 'admin-iris', reason: 'access request 17', records: 1 },
    ]);
  });
});
