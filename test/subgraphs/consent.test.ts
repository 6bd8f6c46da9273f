import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Consent, ConsentRegister } from '../../authority/internal.js';
import { ALMA, denials, type Example, NOOR, startExample } from './support/example.js';
import type { Caller } from './support/gateway.js';
import { consentTerms } from '../support/consent-terms.js';

const PERSON: Caller = { sub: ALMA, scopes: ['consents:read', 'consents:write'] };
const ADMINISTRATOR: Caller = {
  sub: 'admin-iris',
  clientId: 'bank-console',
  scopes: ['consents:admin'],
  purposes: ['administration'],
  roles: ['administrator'],
};

let example: Example;
let register: ConsentRegister;
beforeAll(async () => {
  example = await startExample();
  register = new ConsentRegister(example.database.db);
});
afterAll(async () => {
  await example[Symbol.asyncDispose]();
});

async function grant(subject: string, clientId: string): Promise<Consent> {
  return register.grant(consentTerms(subject, { clientId, declined: ['accounts:details'] }));
}

const REVOKE = `mutation ($id: ID!) { revokeConsent(id: $id, reason: "enough") {
  ended { id clientId scopes endedAt } change } }`;

describe('a person', () => {
  it('sees only their own consents', async () => {
    const own = await grant(ALMA, 'app-seen');
    const other = await grant(NOOR, 'app-seen');
    const query = `query ($own: ID!, $other: ID!, $of: [_Any!]!) {
      myConsents { id clientId } own: consent(id: $own) { status scopes declined purposes detail until }
      other: consent(id: $other) { status }
      _entities(representations: $of) { ... on Consent { clientId } } }`;
    const answer = await example.ask('consent', PERSON, query, {
      own: own.id,
      other: other.id,
      of: [own.id, other.id].map((id) => ({ __typename: 'Consent', id })),
    });
    expect(answer.data).toEqual({
      myConsents: [{ id: own.id, clientId: 'app-seen' }],
      own: {
        status: 'ACTIVE',
        scopes: ['accounts:read'],
        declined: ['accounts:details'],
        purposes: ['budgeting'],
        detail: 'FULL',
        until: own.until.toISOString(),
      },
      other: null,
      _entities: [{ clientId: 'app-seen' }, null],
    });
    expect(answer.errors).toBeUndefined();
  });

  it('ends their own consent, learns what ended, and repeats it without effect', async () => {
    const own = await grant(ALMA, 'app-ended');
    const answer = await example.ask('consent', PERSON, REVOKE, { id: own.id });
    expect(answer.errors).toBeUndefined();
    expect(answer.data?.revokeConsent).toMatchObject({
      ended: [{ id: own.id, clientId: 'app-ended', scopes: ['accounts:read'] }],
      change: expect.any(Number) as number,
    });
    expect(await register.find(own.id)).toMatchObject({
      status: 'revoked',
      endedBy: ALMA,
      endedReason: 'enough',
    });
    const again = await example.ask('consent', PERSON, REVOKE, { id: own.id });
    expect(again.data?.revokeConsent).toEqual({ ended: [], change: null });
  });

  it('learns whether the end is in force, not the gateways’ names', async () => {
    const own = await grant(ALMA, 'app-waits');
    const { db } = example.database;
    const stream = {
      id: 'lost',
      description: 'gateway-7',
      events: [],
      delivered_seq: 0,
      max_staleness_ms: 60_000,
    };
    await db
      .insertInto('authority.stream')
      .values({ ...stream, created_at: new Date(), polled_at: new Date() })
      .execute();
    const mutation = `mutation ($id: ID!) { revokeConsent(id: $id, waitFor: ALL_GATEWAYS) {
      outcome inForce { everywhere gateways waitingFor silent } } }`;
    const answers = await Promise.all([
      example.ask('consent', PERSON, mutation, { id: own.id }),
      example.ask('consent', ADMINISTRATOR, mutation, { id: (await grant(ALMA, 'app-waits-too')).id }),
    ]);
    await db.deleteFrom('authority.stream').execute();
    const inForce = { everywhere: false, gateways: 1, silent: [], waitingFor: ['gateway-7'] };
    expect(answers.map(({ data }) => data)).toEqual([
      { revokeConsent: { outcome: 'DONE', inForce: { ...inForce, silent: null, waitingFor: null } } },
      { revokeConsent: { outcome: 'DONE', inForce } },
    ]);
    expect(answers.flatMap(denials)).toEqual([
      'revokeConsent.inForce.silent UNAUTHORIZED_FIELD_OR_TYPE',
      'revokeConsent.inForce.waitingFor UNAUTHORIZED_FIELD_OR_TYPE',
    ]);
  });

  it('cannot end another’s consent, nor learn whether it exists', async () => {
    const other = await grant(NOOR, 'app-kept');
    for (const id of [other.id, 'no-such-consent']) {
      const answer = await example.ask('consent', PERSON, REVOKE, { id });
      expect(answer.data).toEqual({ revokeConsent: null });
      expect(answer.errors).toMatchObject([
        { message: 'Not permitted', path: ['revokeConsent'], extensions: { code: 'FORBIDDEN' } },
      ]);
    }
    expect((await register.find(other.id))?.status).toBe('active');
  });

  it('needs both the role and the scope of an administrator', async () => {
    const other = await grant(NOOR, 'app-safe');
    const scopeOnly: Caller = { ...ADMINISTRATOR, sub: ALMA, roles: [] };
    const roleOnly: Caller = { ...ADMINISTRATOR, scopes: ['consents:write'] };
    const forbidden = await example.ask(
      'consent',
      scopeOnly,
      `mutation { revokeConsent(id: "${other.id}") { change }
        revokeClient(clientId: "app-safe", reason: "x") { change }
        revokeSubjectSessions(subject: "${NOOR}", reason: "x") { change } }`,
    );
    expect(denials(forbidden)).toEqual([
      'revokeClient FORBIDDEN',
      'revokeConsent FORBIDDEN',
      'revokeSubjectSessions FORBIDDEN',
    ]);
    const listed = await example.ask('consent', scopeOnly, '{ consents { edges { node { id } } } }');
    expect(denials(listed)).toEqual(['consents FORBIDDEN']);
    const revoked = await example.ask('consent', roleOnly, REVOKE, { id: other.id });
    expect(denials(revoked)).toEqual(['revokeConsent FORBIDDEN']);
    expect((await register.find(other.id))?.status).toBe('active');
  });
});

describe('an administrator', () => {
  it('lists everybody’s consents by pages and filters', async () => {
    const ids: string[] = [];
    for (const subject of [ALMA, NOOR, 'c-000003']) ids.unshift((await grant(subject, 'app-listed')).id);
    const query = `query ($after: String) { consents(filter: { clientId: "app-listed", status: ACTIVE }, first: 2, after: $after) {
      edges { node { id subject clientId endedBy } } pageInfo { hasNextPage hasPreviousPage endCursor } } }`;
    interface Page {
      edges: { node: { id: string } }[];
      pageInfo: { hasNextPage: boolean; endCursor: string | null };
    }
    const first = await example.ask('consent', ADMINISTRATOR, query);
    expect(first.errors).toBeUndefined();
    const page = first.data?.consents as Page;
    expect(page.pageInfo.hasNextPage).toBe(true);
    const second = await example.ask('consent', ADMINISTRATOR, query, { after: page.pageInfo.endCursor });
    const rest = second.data?.consents as Page;
    expect(rest.pageInfo).toMatchObject({ hasNextPage: false, endCursor: null });
    expect([...page.edges, ...rest.edges].map(({ node }) => node.id)).toEqual(ids);
  });

  it.each(['first: 0', 'first: 101', 'after: "x"'])('is refused a page of %s', async (args) => {
    const answer = await example.ask(
      'consent',
      ADMINISTRATOR,
      `{ consents(${args}) { edges { node { id } } } }`,
    );
    expect(denials(answer)).toEqual(['consents BAD_USER_INPUT']);
  });

  it('ends anyone’s consent, and everything of a client', async () => {
    const one = await grant(NOOR, 'app-one');
    const answer = await example.ask('consent', ADMINISTRATOR, REVOKE, { id: one.id });
    expect(answer.data?.revokeConsent).toMatchObject({ ended: [{ id: one.id }] });
    expect(await register.find(one.id)).toMatchObject({ status: 'revoked', endedBy: 'admin-iris' });

    const both = [await grant(ALMA, 'app-bad'), await grant(NOOR, 'app-bad')].map(({ id }) => id);
    const ended = await example.ask(
      'consent',
      ADMINISTRATOR,
      'mutation { revokeClient(clientId: "app-bad", reason: "leaked its secret") { ended { id } change } }',
    );
    const revocation = ended.data?.revokeClient as { ended: { id: string }[] };
    expect(revocation.ended.map(({ id }) => id).sort()).toEqual(both.sort());
  });

  it('ends a person’s sessions, whose consents stay', async () => {
    const kept = await grant(NOOR, 'app-stays');
    const answer = await example.ask(
      'consent',
      ADMINISTRATOR,
      `mutation { revokeSubjectSessions(subject: "${NOOR}", reason: "lost phone") { sessions tokens change } }`,
    );
    expect(answer.errors).toBeUndefined();
    expect(answer.data?.revokeSubjectSessions).toEqual({
      sessions: 0,
      tokens: 0,
      change: expect.any(Number) as number,
    });
    expect((await register.find(kept.id))?.status).toBe('active');
  });

  it('is refused a reason that is too long', async () => {
    const reason = 'x'.repeat(501);
    const answer = await example.ask(
      'consent',
      ADMINISTRATOR,
      `mutation { revokeClient(clientId: "app-one", reason: "${reason}") { change } }`,
    );
    expect(denials(answer)).toEqual(['revokeClient BAD_USER_INPUT']);
  });
});

describe('a caller without a transaction token', () => {
  it('sees only the schema for composition, by field and by reference', async () => {
    const own = await grant(ALMA, 'app-hidden');
    const query = `query ($of: [_Any!]!) { _service { sdl } myConsents { id } consents { edges { node { id } } }
      _entities(representations: $of) { ... on Consent { id clientId } } }`;
    const answer = await example.ask('consent', undefined, query, {
      of: [{ __typename: 'Consent', id: own.id }],
    });
    expect(answer.data).toEqual({
      _service: { sdl: expect.stringContaining('type Consent') as string },
      myConsents: null,
      consents: null,
      _entities: [null],
    });
    // For a gateway that sent a token, which was lost on the way.
    expect(answer.extensions).toEqual({ behalf: { v: 1, refusedToken: 'TXN_TOKEN_MISSING' } });
  });

  it('changes nothing', async () => {
    const own = await grant(ALMA, 'app-stands');
    const answer = await example.ask('consent', undefined, REVOKE, { id: own.id });
    expect(denials(answer)).toEqual(['revokeConsent UNAUTHORIZED_FIELD_OR_TYPE']);
    expect((await register.find(own.id))?.status).toBe('active');
  });
});
