import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  type AuthoritySchema,
  ConsentRegister,
  type ConsentTerms,
  verifyConsents,
} from '../../authority/internal.js';
import { createAuthorityDatabase } from '../support/authority-database.js';
import type { TestDatabase } from '../support/database.js';
import { untilMoment } from '../support/wait.js';

const SUBJECTS = ['alma', 'noor'];
const CLIENTS = ['budget-app', 'bank-console'];
const SCOPES = ['a:read', 'b:read', 'c:write'];
const PURPOSES = ['budgeting', 'credit'];
const MOMENT_MS = 25;

let database: TestDatabase<AuthoritySchema>;
let register: ConsentRegister;
beforeAll(async () => {
  database = await createAuthorityDatabase();
  register = new ConsentRegister(database.db);
});
afterAll(() => database.drop());

interface Pair {
  readonly subject: string;
  readonly clientId: string;
}

/** One change to a person's consents for one client. */
type Step =
  | ({ readonly kind: 'decide'; readonly seconds: number } & Pair & Choice)
  | ({ readonly kind: 'narrow'; readonly sooner: boolean } & Pair & Choice)
  | ({ readonly kind: 'lapse'; readonly recorded: boolean } & Pair)
  | ({ readonly kind: 'revoke' } & Pair)
  | ({ readonly kind: 'revoke-client' } & Pair)
  | ({ readonly kind: 'revoke-sessions' } & Pair);

interface Choice {
  readonly scopes: readonly string[];
  readonly declined: readonly string[];
  readonly purposes: readonly string[];
  readonly detail: 'full' | 'minimal';
}

const pair = { subject: fc.constantFrom(...SUBJECTS), clientId: fc.constantFrom(...CLIENTS) };
const choice = {
  scopes: fc.subarray(SCOPES, { minLength: 1 }),
  declined: fc.subarray(SCOPES),
  purposes: fc.subarray(PURPOSES),
  detail: fc.constantFrom('full' as const, 'minimal' as const),
};
/** The same person agrees to one scope, and then to all. */
const EXTENDING: readonly Step[] = [SCOPES.slice(0, 1), SCOPES].map((scopes) => ({
  kind: 'decide',
  subject: SUBJECTS[0] ?? '',
  clientId: CLIENTS[0] ?? '',
  seconds: 3_600,
  scopes,
  declined: [],
  purposes: PURPOSES,
  detail: 'minimal',
}));
const seconds = fc.constantFrom(60, 3_600, 86_400);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('decide' as const), seconds, ...pair, ...choice }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('narrow' as const), sooner: fc.boolean(), ...pair, ...choice }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('lapse' as const), recorded: fc.boolean(), ...pair }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('revoke' as const), ...pair }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('revoke-client' as const), ...pair }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('revoke-sessions' as const), ...pair }) },
);

function terms({ subject, clientId }: Pair, choice: Choice, lastsMs: number): ConsentTerms {
  const { scopes, purposes, detail } = choice;
  return {
    subject,
    clientId,
    scopes,
    declined: choice.declined.filter((scope) => !scopes.includes(scope)),
    purposes,
    detail,
    until: new Date(Date.now() + lastsMs),
    by: subject,
    notice: { language: 'en', client: clientId, purposes: [], scopes: [], duration: '', detail: '' },
  };
}

async function take(step: Step): Promise<void> {
  const { subject, clientId } = step;
  const options = { by: subject, initiator: 'admin' } as const;
  if (step.kind === 'decide') {
    await register.grant(terms(step, step, step.seconds * 1_000));
    return;
  }
  if (step.kind === 'revoke-client') {
    await register.revokeClient(clientId, options);
    return;
  }
  if (step.kind === 'revoke-sessions') {
    await register.revokeSubjectSessions(subject, options);
    return;
  }
  const standing = await register.findActive(subject, clientId);
  if (step.kind === 'revoke') {
    await register.revokeConsent(standing?.id ?? 'none', { ...options, reason: 'enough' });
    return;
  }
  if (step.kind === 'lapse') {
    const choice = { scopes: SCOPES, declined: [], purposes: PURPOSES, detail: 'full' } as const;
    // On a busy machine it can expire before it begins, and is then refused.
    const lapsing = terms(step, choice, MOMENT_MS);
    await register.grant(lapsing).catch(refusedIsFine);
    await untilMoment(lapsing.until.getTime() + 1);
    // Otherwise the next change finds it expired but not yet ended.
    if (step.recorded) await register.recordExpired(100);
    return;
  }
  const left = standing?.until.getTime() ?? 0;
  const narrowing = {
    by: subject,
    removeScopes: step.scopes,
    removePurposes: step.purposes,
    detail: step.detail,
    ...(step.sooner ? { until: new Date(left - 1_000) } : {}),
  };
  // Some of these would widen the consent or leave nothing of it: they are refused, and the log is unchanged.
  await register.narrow(standing?.id ?? 'none', narrowing).catch(refusedIsFine);
}

function refusedIsFine(error: unknown): void {
  if (!(error instanceof RangeError)) throw error;
}

describe('the projection of the consent log', () => {
  it('equals a replay after any sequence of events', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        for (const each of steps) await take(each);
        expect((await verifyConsents(database.db)).differences).toEqual([]);
      }),
      // Chance may leave out that somebody agrees to more.
      { numRuns: 20, examples: [[EXTENDING]] },
    );
    const seen = await database.db
      .selectFrom('authority.consent_event')
      .select('event_type')
      .distinct()
      .execute();
    // The property means little for a log that lacks a kind of event.
    expect(seen.map(({ event_type }) => event_type).sort()).toEqual([
      'expired',
      'extended',
      'granted',
      'narrowed',
      'requested',
      'revoked',
    ]);
  }, 120_000);

  it.each([
    [
      'a scope that was never granted',
      sql`scopes = scopes || array['c:write', 'admin']`,
      'differs in scopes',
    ],
    ['a later end', sql`until = until + interval '1 day'`, 'differs in until'],
    ['more detail', sql`detail = 'full'`, 'differs in detail'],
    ['a life after the revocation', sql`status = 'active', ended_at = null`, 'differs in status, ended_at'],
  ])('is detected if somebody writes %s into it', async (_, change, problem) => {
    const { id } = await register.grant(
      terms(
        { subject: 'forged', clientId: 'forger' },
        { scopes: ['a:read'], declined: [], purposes: [], detail: 'minimal' },
        3_600_000,
      ),
    );
    if (problem.includes('status')) await register.revokeConsent(id, { by: 'x', initiator: 'admin' });
    await sql`update authority.consent set ${change} where id = ${id}`.execute(database.db);
    expect((await verifyConsents(database.db)).differences).toEqual([{ consentId: id, problem }]);
    await sql`delete from authority.consent where id = ${id}`.execute(database.db);
    expect((await verifyConsents(database.db)).differences).toContainEqual({
      consentId: id,
      problem: 'is in the log only',
    });
    // An entry that exists only in the projection has no event behind it.
    await sql`insert into authority.consent (id, version, subject, client_id, scopes, declined, purposes, detail, status, granted_at, until)
      values ('invented', 1, 'forged', 'other', '{}', '{}', '{}', 'full', 'active', now(), now())`.execute(
      database.db,
    );
    expect((await verifyConsents(database.db)).differences).toContainEqual({
      consentId: 'invented',
      problem: 'was never granted by the log',
    });
    await sql`delete from authority.consent where id = 'invented'`.execute(database.db);
    await sql`alter table authority.consent_event disable trigger append_only`.execute(database.db);
    await sql`delete from authority.consent_event where record_id = ${id}`.execute(database.db);
    await sql`alter table authority.consent_event enable trigger append_only`.execute(database.db);
  });

  it('detects an impossible log', async () => {
    const { id } = await register.grant(
      terms(
        { subject: 'twice', clientId: 'budget-app' },
        { scopes: ['a:read'], declined: [], purposes: [], detail: 'full' },
        3_600_000,
      ),
    );
    await sql`insert into authority.consent_event (record_id, event_type, pii_principal_id, client_id, entity_id, scopes,
        purposes, detail, valid_until, version)
      select record_id, 'granted', pii_principal_id, client_id, 'somebody', array['c:write'], purposes, detail, valid_until, 9
      from authority.consent_event where record_id = ${id} and event_type = 'granted'`.execute(database.db);
    const [difference] = (await verifyConsents(database.db)).differences;
    expect(difference).toMatchObject({
      consentId: id,
      problem: expect.stringContaining('a second time') as string,
    });
  });
});
