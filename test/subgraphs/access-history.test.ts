import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyProof } from '@behalf/audit-verify';
import { createReaderRole, pseudonymOf, readAuditEntries, readerUrl } from '../../audit/postgres.js';
import type { AuditEntry } from '../../audit/index.js';
import { appendEvent } from '../../audit/erase.js';
import { ConsentRegister } from '../../authority/consent/index.js';
import { migrateAuthority } from '../../authority/internal.js';
import { readSchemaFile } from '../../subgraphs/consent/schema-file.js';
import { startConsentSubgraph } from '../../subgraphs/consent/start.js';
import { TestLog } from '../audit/log/support.js';
import { consentTerms } from '../support/consent-terms.js';
import {
  type Answer,
  AUDIENCE,
  Cleanup,
  codes,
  compose,
  freePort,
  startTestGateway,
  type TestGateway,
  TestIssuer,
  TestSubgraph,
} from '../gateway/support.js';

const MAIL = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9")
  @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@requiresScope", "@subject", "@minimize"])
  type Query { letters(of: [ID!]!): [Letter!]! @requiresScope(scope: "mail:read") }
  type Mutation { burn(of: ID!): Boolean @requiresScope(scope: "mail:burn") }
  type Letter @subject(field: "owner", unless: [["support"]]) {
    id: ID! @requiresScope(scope: "mail:read")
    text: String @requiresScope(scope: "mail:read") @minimize(to: MASK, showLength: true, unless: [["mail:whole"]])
    secret: String @requiresScope(scope: "mail:secret")
  }`;

const cleanup = new Cleanup();
let log: TestLog;
let issuer: TestIssuer;
let gateway: TestGateway;

const letter = (owner: string): object => ({ id: owner, owner, text: `to ${owner}`, secret: 'x' });

beforeAll(async () => {
  log = await TestLog.create(`history_${randomBytes(6).toString('hex')}`);
  const { db, url: databaseUrl } = log.database;
  const reader = `history_reader_${randomBytes(6).toString('hex')}`;
  await migrateAuthority(db as never);
  await createReaderRole(db, 'password', reader);
  cleanup.add(async () => {
    await sql`drop owned by ${sql.id(reader)}`.execute(db);
    await sql`drop role ${sql.id(reader)}`.execute(db);
    await log.drop();
  });
  const port = await freePort();
  const trust = {
    issuer: `http://127.0.0.1:${port}`,
    jwksUri: `http://127.0.0.1:${port}/.well-known/jwks.json`,
  };
  issuer = await TestIssuer.start();
  const mail = await TestSubgraph.start('mail', trust, MAIL, {
    resolvers: {
      Query: { letters: (_: unknown, { of }: { of: string[] }) => of.map(letter) },
      Mutation: { burn: () => true },
    },
  });
  const auditDatabaseUrl = readerUrl(databaseUrl, 'password', reader);
  const consent = await startConsentSubgraph({ databaseUrl, auditDatabaseUrl, gateway: trust, port: 0 });
  for (const each of [issuer, mail, consent]) cleanup.add(() => each.close());
  const supergraph = compose(mail, { name: 'consent', sdl: readSchemaFile(), url: consent.url });
  gateway = await startTestGateway(cleanup, supergraph, {
    listen: { port },
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    subgraphs: { consent: { roles: ['administrator', 'auditor'] } },
    audit: {
      mode: 'required',
      database: log.writerUrl,
      pseudonymKey: randomBytes(32).toString('base64url'),
    },
  });
});
afterAll(() => cleanup.run());

type Claims = Readonly<Record<string, unknown>>;

const consentOf = (subject: string, ...purposes: string[]) => ({
  id: `consent-of-${subject}`,
  version: 3,
  purposes,
  detail: 'full',
});
const person = (sub: string): Claims => ({
  sub,
  scope: 'mail:read mail:burn audit:read',
  consent: consentOf(sub, 'reading'),
});
const SUPPORT: Claims = {
  sub: 'dana',
  client_id: 'desk',
  scope: 'mail:read support',
  consent: consentOf('dana', 'help'),
};
const AUDITOR: Claims = {
  sub: 'iris',
  client_id: 'bank-console',
  scope: 'audit:search',
  roles: ['auditor'],
  consent: consentOf('iris', 'administration'),
};

async function ask(query: string, claims: Claims, variables: Record<string, unknown> = {}): Promise<Answer> {
  return gateway.ask(query, { token: await issuer.mint(claims), variables });
}

const read = (of: readonly string[], claims: Claims): Promise<Answer> =>
  ask('query Read($of: [ID!]!) { letters(of: $of) { text secret } }', claims, { of });

const HISTORY = `query History($first: Int, $after: String) { accessHistory(first: $first, after: $after) {
  edges { node { transactionId occurredAt by clientId actor consentId consentVersion purposes outcome code event isOfOthersToo proof
    fields { coordinate decision count strategy rule subgraph } } }
  pageInfo { hasNextPage hasPreviousPage endCursor } } }`;

interface Node {
  readonly transactionId: string;
  readonly proof: string | null;
  readonly fields: readonly { readonly coordinate: string }[];
  readonly [name: string]: unknown;
}
interface Connection {
  readonly edges: readonly { readonly node: Node }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

async function historyOf(claims: Claims, page: Record<string, unknown> = {}): Promise<Connection> {
  const answer = await ask(HISTORY, claims, page);
  expect(answer.body.errors).toBeUndefined();
  return answer.body.data?.accessHistory as Connection;
}

/** What the person sees, the newest first, without their looking at it. */
async function seenBy(claims: Claims): Promise<readonly Node[]> {
  const { edges } = await historyOf(claims, { first: 100 });
  return edges
    .map(({ node }) => node)
    .filter(({ fields }) => !fields.some(({ coordinate }) => coordinate === 'Query.accessHistory'));
}

async function recorded(): Promise<readonly AuditEntry[]> {
  const found = await readAuditEntries(log.database.db, { limit: 1_000 });
  return found.map(({ record }) => record);
}

describe('a person’s history', () => {
  it('says who read what, when, under which consent, and how it was minimized', async () => {
    const before = Date.now();
    const answer = await read(['alma'], person('alma'));
    const [newest, ...more] = await seenBy(person('alma'));
    expect(more).toEqual([]);
    expect(newest).toMatchObject({
      transactionId: answer.headers['behalf-transaction'],
      by: 'APPLICATION',
      clientId: 'budget-app',
      actor: null,
      consentId: 'consent-of-alma',
      consentVersion: 3,
      purposes: ['reading'],
      outcome: 'ANSWERED',
      code: null,
      event: null,
      isOfOthersToo: false,
    });
    expect(Date.parse(String(newest?.occurredAt))).toBeGreaterThanOrEqual(before);
    expect(newest?.fields).toEqual(
      expect.arrayContaining([
        {
          coordinate: 'Letter.text',
          decision: 'MINIMIZED',
          count: 1,
          strategy: 'MASK',
          rule: '@authenticated @requiresScopes(mail:read)',
          subgraph: 'mail',
        },
        expect.objectContaining({
          coordinate: 'Letter.secret',
          decision: 'DENIED',
          subgraph: null,
        }) as unknown,
      ]),
    );
  });

  it('has what an administrator read of theirs, without the administrator’s consent', async () => {
    await read(['noor'], SUPPORT);
    const [newest] = await seenBy(person('noor'));
    expect(newest).toMatchObject({
      by: 'OTHER_PERSON',
      clientId: 'desk',
      consentId: null,
      consentVersion: null,
      purposes: null,
      isOfOthersToo: false,
    });
    expect(newest?.fields.map(({ coordinate }) => coordinate)).toContain('Letter.text');
  });

  it('has what an administrator read of their consents', async () => {
    const { db } = log.database;
    const consents = new ConsentRegister(db as never);
    for (const subject of ['xenia', 'yuri']) await consents.grant(consentTerms(subject));
    const administrator = { ...AUDITOR, scope: 'consents:admin', roles: ['administrator'] };
    const listed = await ask(
      '{ consents(filter: { subject: "xenia" }) { edges { node { clientId scopes } } } }',
      administrator,
    );
    expect(listed.body.errors).toBeUndefined();
    const [newest] = await seenBy(person('xenia'));
    expect(newest).toMatchObject({
      transactionId: listed.headers['behalf-transaction'],
      by: 'OTHER_PERSON',
      clientId: 'bank-console',
    });
    expect(newest?.fields.map(({ coordinate }) => coordinate)).toContain('ConsentRecord.scopes');
    expect(await seenBy(person('yuri'))).toEqual([]);
  });

  it('has what a service read, and which actor acted for an application', async () => {
    await read(['sam'], { sub: 'job', client_id: 'job', scope: 'mail:read support' });
    await read(['sam'], { ...person('sam'), act: { sub: 'agent-7' } });
    expect(await seenBy(person('sam'))).toMatchObject([
      { by: 'APPLICATION', actor: 'agent-7' },
      { by: 'SERVICE', clientId: 'job', actor: null },
    ]);
  });

  it('has each access with a proof that anybody can verify', async () => {
    await read(['petra'], person('petra'));
    expect((await seenBy(person('petra')))[0]?.proof).toBeNull();
    await log.sequencer().round();
    const [newest] = await seenBy(person('petra'));
    const { record } = verifyProof(newest?.proof ?? '', log.policy);
    expect(record.transactionId).toBe(newest?.transactionId);
  });

  it('has no proof of a record that names other people, whose rows were read as well', async () => {
    await read(['vera', 'wim'], SUPPORT);
    await log.sequencer().round();
    for (const name of ['vera', 'wim']) {
      expect((await seenBy(person(name)))[0]).toMatchObject({ isOfOthersToo: true, proof: null });
    }
    // Nor of an own request that read others' rows.
    expect((await seenBy({ ...SUPPORT, scope: 'audit:read' }))[0]).toMatchObject({
      isOfOthersToo: true,
      proof: null,
    });
  });

  it('has no proof of what an administrator read: it would name them', async () => {
    await read(['ulla'], SUPPORT);
    await log.sequencer().round();
    expect((await seenBy(person('ulla')))[0]).toMatchObject({
      by: 'OTHER_PERSON',
      isOfOthersToo: false,
      proof: null,
    });
  });

  it('has a mutation before and after it ran', async () => {
    await ask('mutation { burn(of: "x") }', person('zoe'));
    const seen = await seenBy(person('zoe'));
    expect(seen.map(({ outcome }) => outcome)).toEqual(['ANSWERED', 'INTENDED']);
    expect(seen[1]?.fields).toMatchObject([{ coordinate: 'Mutation.burn', decision: null, count: null }]);
  });

  it('has what was refused, with the code', async () => {
    await ask('{ nothing }', person('rune'));
    expect(await seenBy(person('rune'))).toMatchObject([
      { outcome: 'REFUSED', code: 'OPERATION_INVALID', fields: [] },
    ]);
  });

  it('is itself recorded, and read page by page', async () => {
    for (let n = 0; n < 3; n++) await read(['olaf'], person('olaf'));
    const first = await historyOf(person('olaf'), { first: 2 });
    expect(first.edges).toHaveLength(2);
    expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    const second = await historyOf(person('olaf'), { first: 2, after: first.pageInfo.endCursor });
    expect(second.edges).toHaveLength(1);
    expect(second.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true, endCursor: null });
    const looks = (await recorded()).filter(
      (each) =>
        'fields' in each && each.fields.some(({ coordinate }) => coordinate === 'Query.accessHistory'),
    );
    const pseudonym = await pseudonymOf(log.database.db, 'olaf');
    expect(looks.filter(({ caller }) => caller.subjectPseudonym === pseudonym)).toHaveLength(2);
  });

  it('of a person whom nobody knows is empty', async () => {
    expect(await seenBy(person('nobody'))).toEqual([]);
  });
});

describe('another person’s history', () => {
  it('cannot be asked for by an argument', async () => {
    for (const argument of ['subject: "noor"', 'filter: { subject: "noor" }', 'pseudonym: "x"']) {
      const answer = await ask(
        `{ accessHistory(${argument}) { edges { node { clientId } } } }`,
        person('alma'),
      );
      expect(codes(answer)).toEqual(['GRAPHQL_VALIDATION_FAILED']);
    }
  });

  it('cannot be reached by its cursor', async () => {
    for (let n = 0; n < 3; n++) await read(['gita'], person('gita'));
    const { pageInfo } = await historyOf(person('gita'), { first: 1 });
    expect(pageInfo.endCursor).not.toBeNull();
    const answer = await ask(HISTORY, person('alma'), { after: pageInfo.endCursor });
    expect(answer.body.data?.accessHistory).toBeNull();
    expect(codes(answer)).toEqual(['BAD_USER_INPUT']);
  });

  it('names nobody else: no pseudonym of theirs is anywhere in it', async () => {
    await read(['hugo', 'ines'], SUPPORT);
    await log.sequencer().round();
    const others = await Promise.all(['ines', 'dana'].map((name) => pseudonymOf(log.database.db, name)));
    const text = JSON.stringify(await seenBy(person('hugo')));
    for (const pseudonym of others) expect(text).not.toContain(pseudonym);
    expect(text).not.toMatch(/ines|dana/);
  });

  it('is closed to a service, and without the scope or a token', async () => {
    const service = { sub: 'job', client_id: 'job', scope: 'audit:read' };
    expect((await ask(HISTORY, service)).body.data?.accessHistory).toBeNull();
    expect(codes(await ask(HISTORY, { sub: 'alma', scope: 'mail:read audit:search' }))).toContain(
      'UNAUTHORIZED_FIELD_OR_TYPE',
    );
    expect((await gateway.ask(HISTORY)).body.data?.accessHistory).toBeNull();
  });
});

const EVENTS = `query Events($filter: AuditFilter, $reason: String, $first: Int, $after: String) {
  auditEvents(filter: $filter, reason: $reason, first: $first, after: $after) {
    edges { node { transactionId recordedAt occurredAt isClockOff class outcome code event clientId actor isService pseudonym consentId
      consentVersion purposes operationName source subjects hasMoreSubjects unaccounted operator reason details proof
      fields { coordinate decision count } } }
    pageInfo { hasNextPage hasPreviousPage endCursor } } }`;

async function eventsOf(variables: Record<string, unknown>, claims = AUDITOR): Promise<Connection> {
  const answer = await ask(EVENTS, claims, variables);
  expect(answer.body.errors).toBeUndefined();
  return answer.body.data?.auditEvents as Connection;
}

const nodesOf = ({ edges }: Connection): readonly Node[] => edges.map(({ node }) => node);

describe('an auditor', () => {
  it('finds records by every filter', async () => {
    const answer = await read(['kaja'], person('kaja'));
    const transactionId = String(answer.headers['behalf-transaction']);
    const pseudonym = await pseudonymOf(log.database.db, 'kaja');
    const minute = 60_000;
    const times = [-minute, minute].map((ms) => new Date(Date.now() + ms).toISOString());
    for (const filter of [
      { transactionId },
      { pseudonym },
      { pseudonym, clientId: 'budget-app', coordinate: 'Letter.text', outcome: 'ANSWERED', class: 'ACCESS' },
      { pseudonym, class: 'ACCESS', from: times[0], until: times[1] },
    ]) {
      const found = nodesOf(await eventsOf({ filter, reason: 'complaint 6' }));
      expect(found).toMatchObject([
        {
          ...{
            transactionId,
            pseudonym,
            class: 'ACCESS',
            outcome: 'ANSWERED',
            operationName: 'Read',
            isService: false,
          },
          ...{
            consentId: 'consent-of-kaja',
            consentVersion: 3,
            purposes: ['reading'],
            subjects: [pseudonym],
          },
        },
      ]);
    }
    for (const filter of [
      { pseudonym, clientId: 'desk' },
      { pseudonym, actor: 'nobody' },
      { pseudonym, event: 'subject-erased' },
      { pseudonym, until: times[0] },
      { transactionId: crypto.randomUUID() },
    ]) {
      expect(nodesOf(await eventsOf({ filter, reason: 'complaint 6' }))).toEqual([]);
    }
  });

  it('reads the log page by page, with proofs', async () => {
    for (let n = 0; n < 3; n++) await read(['lena'], person('lena'));
    await log.sequencer().round();
    const filter = { pseudonym: await pseudonymOf(log.database.db, 'lena') };
    const reason = 'complaint 7';
    const first = await eventsOf({ filter, reason, first: 2 });
    const second = await eventsOf({ filter, reason, first: 2, after: first.pageInfo.endCursor });
    const found = [...nodesOf(first), ...nodesOf(second)];
    expect(new Set(found.map(({ transactionId }) => transactionId)).size).toBe(3);
    for (const { proof, transactionId } of found) {
      expect(verifyProof(proof ?? '', log.policy).record.transactionId).toBe(transactionId);
    }
  });

  it('looks for a person by name with a reason, which is recorded before the answer', async () => {
    await read(['mona'], person('mona'));
    const pseudonym = await pseudonymOf(log.database.db, 'mona');
    const answer = await ask(EVENTS, AUDITOR, { filter: { subject: 'mona' }, reason: 'complaint 12' });
    const [lookUp, access, ...more] = nodesOf(answer.body.data?.auditEvents as Connection);
    expect(more).toEqual([]);
    expect(access).toMatchObject({ pseudonym, class: 'ACCESS' });
    expect(lookUp).toMatchObject({
      transactionId: answer.headers['behalf-transaction'],
      ...{
        class: 'LOG',
        event: 'subject-looked-up',
        reason: 'complaint 12',
        subjects: [pseudonym],
        fields: [],
      },
      ...{
        clientId: 'bank-console',
        consentId: 'consent-of-iris',
        pseudonym: await pseudonymOf(log.database.db, 'iris'),
      },
    });
    expect(JSON.stringify(await recorded())).not.toContain('"mona"');
  });

  it('records a search by pseudonym for the person, before the answer, if there are records', async () => {
    await read(['olga'], person('olga'));
    const pseudonym = await pseudonymOf(log.database.db, 'olga');
    const of = async (filter: object): Promise<readonly unknown[]> =>
      nodesOf(await eventsOf({ filter, reason: 'complaint 16' }));
    expect(await of({ pseudonym })).toHaveLength(1);
    expect(await of({ pseudonym: 'made-up' })).toEqual([]);
    expect(await of({ pseudonym, coordinate: 'Query.none' })).toEqual([]);
    const lookUps = nodesOf(await eventsOf({ filter: { event: 'subject-looked-up' } }));
    expect(lookUps.filter(({ reason }) => reason === 'complaint 16')).toMatchObject([
      { subjects: [pseudonym] },
    ]);
    expect(await seenBy(person('olga'))).toMatchObject([{ event: 'subject-looked-up' }, { event: null }]);
  });

  it('finds nothing of a person whom the log does not know, and is recorded', async () => {
    const answer = await eventsOf({ filter: { subject: 'unknown-person' }, reason: 'complaint 13' });
    expect(answer).toMatchObject({ edges: [], pageInfo: { hasNextPage: false } });
    const { edges } = await eventsOf({ filter: { event: 'subject-looked-up' } });
    expect(edges[0]).toMatchObject({ node: { reason: 'complaint 13', subjects: null } });
  });

  it('is seen by the person, who is not told the reason', async () => {
    await pseudonymOf(log.database.db, 'nils');
    await eventsOf({ filter: { subject: 'nils' }, reason: 'suspected fraud' });
    await log.sequencer().round();
    const [newest] = await seenBy(person('nils'));
    expect(newest).toMatchObject({
      ...{
        by: 'OTHER_PERSON',
        event: 'subject-looked-up',
        clientId: 'bank-console',
        outcome: null,
        proof: null,
      },
    });
    expect(JSON.stringify(newest)).not.toContain('fraud');
  });

  it('sees what operators did, and the person that one did', async () => {
    const pseudonym = await pseudonymOf(log.database.db, 'otto');
    const event = {
      transactionId: crypto.randomUUID(),
      time: Date.now(),
      event: 'subject-looked-up',
    } as const;
    const who = { operator: 'dana', reason: 'told on the phone', details: { ticket: 7 } };
    await appendEvent(log.database.db, { ...event, caller: {}, ...who, subjects: [pseudonym] });
    await appendEvent(log.database.db, {
      ...event,
      caller: {},
      event: 'records-lost',
      subjects: [pseudonym],
    });
    const { edges } = await eventsOf({ filter: { pseudonym }, reason: 'complaint 14' });
    expect(edges).toMatchObject([{ node: { event: 'records-lost' } }, { node: who }]);
    expect(await seenBy(person('otto'))).toMatchObject([
      { by: 'OTHER_PERSON', event: 'subject-looked-up', clientId: 'bank-console' },
      { by: 'SYSTEM', event: 'records-lost' },
      { by: 'OPERATOR', event: 'subject-looked-up', proof: null },
    ]);
    const accesses = await ask(
      '{ accessHistory(class: ACCESS) { edges { node { event } } } }',
      person('otto'),
    );
    expect(accesses.body.data?.accessHistory).toEqual({ edges: [{ node: { event: null } }] });
  });

  it.each([
    ['no reason', { filter: { subject: 'alma' } }],
    ['no reason for a pseudonym', { filter: { pseudonym: 'x' } }],
    ['an empty reason', { filter: { subject: 'alma' }, reason: ' \n' }],
    ['a reason that is too long', { filter: { subject: 'alma' }, reason: 'x'.repeat(501) }],
    ['a reason with control characters', { filter: { subject: 'alma' }, reason: 'a\u0007b' }],
    ['a name that nobody can have', { filter: { subject: 'a\u0000b' }, reason: 'x' }],
    ['a person named twice', { filter: { subject: 'alma', pseudonym: 'x' }, reason: 'x' }],
    ['a wild pseudonym', { filter: { pseudonym: "' or true --" }, reason: 'x' }],
    ['a wild coordinate', { filter: { coordinate: 'a\u0000b' } }],
    ['a coordinate that is too long', { filter: { coordinate: 'x'.repeat(2_000) } }],
    ['half a character', { filter: { clientId: '\ud800' } }],
    ['an event that there is not', { filter: { event: '__proto__' } }],
    ['a transaction that is none', { filter: { transactionId: '1' } }],
    ['a day that there is not', { filter: { from: '2026-02-31T99:00:00Z' } }],
    ['a page of nothing', { first: 0 }],
    ['a page that is too large', { first: 101 }],
    ['a cursor that is none', { after: 'x' }],
    ['a cursor that was made up', { after: 'A'.repeat(32) }],
  ])('is refused %s, and nobody is looked up', async (_what, variables) => {
    const lookUps = async (): Promise<number> =>
      (await recorded()).filter((each) => 'event' in each && each.event === 'subject-looked-up').length;
    const before = await lookUps();
    const answer = await ask(EVENTS, AUDITOR, variables);
    expect(answer.body.data?.auditEvents ?? null).toBeNull();
    expect(codes(answer)).toEqual(['BAD_USER_INPUT']);
    expect(await lookUps()).toBe(before);
  });

  it.each([
    ['pseudonym: "../"', '"pseudonym" cannot be searched for'],
    ['clientId: ""', '"clientId" cannot be searched for'],
    ['from: "yesterday"', '"from" is not a time of the form YYYY-MM-DDThh:mm:ssZ'],
    ['from: "2026-11-30T00:00:00"', '"from" is not a time of the form YYYY-MM-DDThh:mm:ssZ'],
    ['until: "2026-02-30T00:00:00Z"', '"until" is not a time of the form YYYY-MM-DDThh:mm:ssZ'],
    ['until: "2026-02-28T24:30:00Z"', '"until" is not a time of the form YYYY-MM-DDThh:mm:ssZ'],
    ['from: "1969-12-31T23:59:59Z"', '"from" cannot be searched for'],
  ])('is told what is wrong with the filter %s', async (filter, message) => {
    const answer = await ask(
      `{ auditEvents(filter: { ${filter} }, reason: "x") { edges { node { class } } } }`,
      AUDITOR,
    );
    expect(answer.body.errors).toMatchObject([
      { message, path: ['auditEvents'], extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  });

  it.each(['9999-12-31T23:59:59Z', '1970-01-01T00:00:00Z', '2024-02-29T12:00:00.5+02:00'])(
    'may search until %s',
    async (until) => {
      const query = `{ auditEvents(filter: { until: "${until}" }) { edges { node { class } } } }`;
      expect((await ask(query, AUDITOR)).body.errors).toBeUndefined();
    },
  );

  it('cannot go on with a cursor of another search, or one that was changed', async () => {
    for (let n = 0; n < 2; n++) await read(['pia'], person('pia'));
    const filter = { pseudonym: await pseudonymOf(log.database.db, 'pia') };
    const reason = 'complaint 15';
    const { endCursor } = (await eventsOf({ filter, reason, first: 1 })).pageInfo;
    const changed = `${endCursor?.startsWith('A') === true ? 'B' : 'A'}${endCursor?.slice(1) ?? ''}`;
    for (const variables of [{ after: endCursor }, { filter, reason, after: changed }]) {
      expect(codes(await ask(EVENTS, AUDITOR, variables))).toEqual(['BAD_USER_INPUT']);
    }
  });

  it.each([
    ['the role', { ...AUDITOR, roles: [] }, 'FORBIDDEN'],
    ['another role', { ...AUDITOR, roles: ['helpdesk'] }, 'FORBIDDEN'],
    ['the scope', { ...AUDITOR, scope: 'audit:read consents:admin' }, 'UNAUTHORIZED_FIELD_OR_TYPE'],
    ['the purpose', { ...AUDITOR, consent: consentOf('iris', 'reading') }, 'UNAUTHORIZED_FIELD_OR_TYPE'],
  ])('needs %s', async (_what, claims, code) => {
    const answer = await ask(EVENTS, claims, { filter: { subject: 'alma' }, reason: 'x' });
    expect(answer.body.data?.auditEvents ?? null).toBeNull();
    expect(codes(answer)).toContain(code);
  });

  it('may be an administrator', async () => {
    expect(nodesOf(await eventsOf({ first: 1 }, { ...AUDITOR, roles: ['administrator'] }))).toHaveLength(1);
  });
});

describe('without a log', () => {
  it('both fields say so, and consents stay visible', async () => {
    const port = await freePort();
    const trust = {
      issuer: `http://127.0.0.1:${port}`,
      jwksUri: `http://127.0.0.1:${port}/.well-known/jwks.json`,
    };
    const { url: databaseUrl } = log.database;
    const local = new Cleanup();
    const consent = await startConsentSubgraph({ databaseUrl, gateway: trust, port: 0 });
    local.add(() => consent.close());
    try {
      const supergraph = compose({ name: 'consent', sdl: readSchemaFile(), url: consent.url });
      const alone = await startTestGateway(local, supergraph, {
        listen: { port },
        issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
        subgraphs: { consent: { roles: ['auditor'] } },
      });
      const token = await issuer.mint({ ...AUDITOR, scope: 'audit:read audit:search consents:read' });
      const answer = await alone.ask(
        '{ accessHistory { edges { node { by } } } auditEvents { edges { node { class } } } myConsents { id } }',
        { token },
      );
      expect(answer.body.data).toEqual({ accessHistory: null, auditEvents: null, myConsents: [] });
      expect(codes(answer)).toEqual(['NO_AUDIT_LOG', 'NO_AUDIT_LOG']);
    } finally {
      await local.run();
    }
  });
});
