import { createHash, randomBytes } from 'node:crypto';
import { ACCESS_DECISIONS } from '@behalf/directives/internal';
import { sql } from 'kysely';
import { TestLog } from './log/support.js';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createWriterRole, readAudit, writerUrl } from '../../audit/postgres.js';
import type { AuditRecord } from '../../audit/index.js';
import type { AuditDatabase, StoredAuditRecord } from '../../audit/postgres.js';
import { receiptOf } from '../../audit/log/entry.js';
import { truncateAddress } from '../../http/truncate-address.js';
import {
  AUDIENCE,
  Cleanup,
  codes,
  compose,
  freePort,
  sendJson,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
  until,
} from '../gateway/support.js';
import type { TestGateway } from '../gateway/support.js';
import { createAuditDatabase } from '../support/audit-database.js';
import type { TestDatabase } from '../support/database.js';

const cleanup = new Cleanup();
const role = `audit_gateway_${randomBytes(6).toString('hex')}`;
let database: TestDatabase<AuditDatabase>;
let issuer: TestIssuer;
let people: TestSubgraph;
let accounts: TestSubgraph;
let gateway: TestGateway;
let url: string;
let supergraph: string;

beforeAll(async () => {
  database = await createAuditDatabase();
  await createWriterRole(database.db, 'password', role);
  cleanup.add(async () => {
    await sql`drop owned by ${sql.id(role)}`.execute(database.db);
    await sql`drop role ${sql.id(role)}`.execute(database.db);
    await database.drop();
  });
  url = writerUrl(database.url, 'password', role);
  issuer = await TestIssuer.start();
  const port = await freePort();
  const gatewayUrl = `http://127.0.0.1:${port}`;
  const trust = { issuer: gatewayUrl, jwksUri: `${gatewayUrl}/.well-known/jwks.json` };
  people = await TestSubgraph.start('people', trust);
  accounts = await TestSubgraph.start('accounts', trust);
  for (const each of [issuer, people, accounts]) cleanup.add(() => each.close());
  supergraph = compose(people, accounts);
  gateway = await startTestGateway(cleanup, supergraph, {
    listen: { port },
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    subgraphs: { people: { owner: 'team-people' }, accounts: {} },
    audit: { mode: 'required', database: url, pseudonymKey: randomBytes(32).toString('base64url') },
  });
});
afterAll(() => cleanup.run());
beforeEach(() => {
  people.requests.length = 0;
});

async function newest(): Promise<StoredAuditRecord> {
  const [stored] = await readAudit(database.db, { limit: 1 });
  if (stored === undefined) throw new Error('no record');
  return stored;
}

async function last(): Promise<AuditRecord> {
  return (await newest()).record;
}

describe('the record of a request', () => {
  const consent = { id: 'consent-1', version: 2, purposes: ['budgeting'], detail: 'full' };

  it('says who read what under which rule, without values or tokens', async () => {
    const token = await issuer.mint({
      sub: 'distinctive-subject',
      scope: 'name accounts',
      consent,
      act: { sub: 'robot' },
    });
    const query = `query Overview($id: ID!) {
      a: person(id: $id) { id name email accounts { iban balance } }
      distinctiveAlias: hello(name: "distinctive-argument")
    }`;
    const answer = await gateway.ask(query, {
      token,
      variables: { id: 'distinctive-variable', unused: 'distinctive-unused' },
      headers: { cookie: 'distinctive-cookie', 'x-forwarded-for': 'distinctive-address' },
    });
    expect(answer.text).toContain('distinctive-variable');
    const row = await last();
    expect(row).toMatchObject({
      outcome: 'answered',
      caller: {
        clientId: 'budget-app',
        actor: 'robot',
        consentId: 'consent-1',
        consentVersion: 2,
        purposes: ['budgeting'],
      },
      operationName: 'Overview',
      source: '127.0.0.0/24',
    });
    expect(row.operationHash).toMatch(/^[0-9a-f]{64}$/);
    expect(row.caller.subjectPseudonym).toMatch(/^[\w-]{43}$/);
    expect(row.fields).toEqual(
      expect.arrayContaining([
        {
          coordinate: 'Person.name',
          decision: 'allowed',
          count: 1,
          rule: expect.any(String) as string,
          subgraph: 'people',
        },
        expect.objectContaining({
          coordinate: 'Account.iban',
          decision: 'minimized',
          strategy: 'MASK',
          subgraph: 'accounts',
        }),
        expect.objectContaining({ coordinate: 'Person.email', decision: 'denied' }),
        expect.objectContaining({ coordinate: 'Account.balance', decision: 'denied' }),
      ]),
    );
    const text = JSON.stringify(row);
    expect(text).not.toMatch(/distinctive|SE45|example\.org|Name of/);
    for (const part of token.split('.')) expect(text).not.toContain(part);
    expect(gateway.log.text).not.toMatch(/distinctive|SE45|eyJ/);
  });

  it('names the transaction of the subgraphs, and links the trace', async () => {
    const traceId = randomBytes(16).toString('hex');
    await gateway.ask('{ hello }', {
      token: await issuer.mint(),
      headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
    });
    const row = await last();
    const [, claims = ''] = String(people.requests[0]?.headers['txn-token']).split('.');
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      txn: row.transactionId,
    });
    expect(row.traceLink).toBe(traceId);
    expect(row.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(row.traceId).not.toBe(traceId);
    await gateway.ask('{ hello }');
    const unlinked = await last();
    expect(unlinked.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(unlinked.traceLink).toBeUndefined();
  });

  it('has one pseudonym per person, and none without a person', async () => {
    const pseudonyms = [];
    for (const sub of ['a', 'a', 'b']) {
      await gateway.ask('{ hello }', { token: await issuer.mint({ sub }) });
      pseudonyms.push((await last()).caller.subjectPseudonym);
    }
    expect(pseudonyms[0]).toBe(pseudonyms[1]);
    expect(pseudonyms[0]).not.toBe(pseudonyms[2]);
    await gateway.ask('{ hello }');
    expect(await last()).toMatchObject({ outcome: 'answered', caller: {} });
    expect(Object.keys((await last()).caller)).toEqual([]);
  });

  it('exists for a failed authentication, a refusal and a failure', async () => {
    expect((await gateway.ask('{ hello }', { token: 'a.b.c' })).status).toBe(401);
    expect(await last()).toMatchObject({
      outcome: 'authentication-failed',
      reason: 'TOKEN_MALFORMED',
      caller: {},
      source: '127.0.0.0/24',
    });
    await gateway.ask('{ hello }', { token: await issuer.mint({ exp: 1, sub: 'distinctive' }) });
    expect(await last()).toMatchObject({ outcome: 'authentication-failed', reason: 'ERR_JWT_EXPIRED' });
    expect(JSON.stringify(await last())).not.toContain('distinctive');
    expect((await gateway.ask('{ __schema { queryType { name } } }')).status).toBe(401);
    expect(await last()).toMatchObject({ outcome: 'refused', reason: 'INTROSPECTION_DISABLED' });
    await gateway.ask('mutation M { rename(name: "distinctive") { id } }', { token: await issuer.mint() });
    const denied = await last();
    expect(denied).toMatchObject({ outcome: 'answered', operationName: 'M' });
    expect(denied.fields).toMatchObject([{ coordinate: 'Mutation.rename', decision: 'denied' }]);
    expect(people.requests).toEqual([]);
  });

  it('names the client of a refused token if a valid signature named it, and nobody else', async () => {
    const expired = await issuer.mint({ exp: 1, sub: 'distinctive', client_id: 'late-app' });
    await gateway.ask('{ hello }', { token: expired });
    expect((await last()).caller).toEqual({ clientId: 'late-app' });
    const elsewhere = await issuer.mint({ aud: 'https://other.example', client_id: 'lost-app' });
    await gateway.ask('{ hello }', { token: elsewhere });
    expect(await last()).toMatchObject({
      outcome: 'authentication-failed',
      caller: { clientId: 'lost-app' },
    });
    const broken = await issuer.mint({ consent: 'none', client_id: 'odd-app' });
    await gateway.ask('{ hello }', { token: broken });
    expect(await last()).toMatchObject({ reason: 'CONSENT_MALFORMED', caller: { clientId: 'odd-app' } });
    const unbound = await issuer.mint({ cnf: { jkt: 'x'.repeat(43) }, client_id: 'thief' });
    await gateway.ask('{ hello }', { token: unbound });
    expect((await last()).caller).toEqual({ clientId: 'thief' });
    const [head = '', claims = ''] = expired.split('.');
    await gateway.ask('{ hello }', { token: `${head}.${claims}.${'A'.repeat(86)}` });
    expect(await last()).toMatchObject({ reason: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED', caller: {} });
    expect((await last()).caller).toEqual({});
  });

  it('says by which rules it was decided, and who answers for the data', async () => {
    await gateway.ask('{ me { name accounts { iban } } }', {
      token: await issuer.mint({ scope: 'name accounts:read' }),
    });
    const row = await last();
    expect(row.caller.scopes).toEqual(['accounts:read', 'name']);
    expect(row.supergraphVersion).toBe(
      `sha-256:${createHash('sha256').update(supergraph).digest('base64url')}`,
    );
    expect(row).not.toHaveProperty('policyVersion');
    expect(row.owners).toEqual({ people: 'team-people' });
  });

  it('exists for an invalid operation, so that probing leaves a trace', async () => {
    const token = await issuer.mint();
    for (const query of ['{ distinctiveGuess }', '{ unclosed', '{ person(id: 1.5) { id } }']) {
      const after = await newest();
      expect((await gateway.ask(query, { token })).status).toBe(400);
      const rows = await readAudit(database.db, { after, limit: 10 });
      expect(rows).toMatchObject([
        {
          record: {
            outcome: 'refused',
            reason: 'OPERATION_INVALID',
            caller: { clientId: 'budget-app' },
            fields: [],
          },
        },
      ]);
      expect(JSON.stringify(rows)).not.toContain('distinctive');
    }
  });

  it('of a mutation exists before it runs, and again after it', async () => {
    const after = await newest();
    const token = await issuer.mint({ scope: 'people:write' });
    let stored: readonly StoredAuditRecord[] = [];
    people.instead = async (_request, response) => {
      stored = await readAudit(database.db, { after, limit: 10 });
      response.setHeader('content-type', 'application/json');
      response.end('{"data":{"rename":{"id":"1"},"again":{"id":"1"}}}');
    };
    const query =
      'mutation { ...R ... { again: rename(name: "distinctive") { id } } } fragment R on Mutation { rename(name: "x") { id } }';
    await gateway.ask(query, { token });
    people.instead = undefined;
    expect(stored).toMatchObject([
      {
        record: {
          outcome: 'intended',
          mutates: ['Mutation.rename'],
          fields: [],
          caller: { clientId: 'budget-app' },
        },
      },
    ]);
    const rows = await readAudit(database.db, { after, limit: 10 });
    expect(rows.map(({ record: { outcome } }) => outcome)).toEqual(['intended', 'answered']);
    expect(new Set(rows.map(({ record: { transactionId } }) => transactionId)).size).toBe(1);
    expect(JSON.stringify(rows)).not.toContain('distinctive');
  });

  it('is written once per request, whatever the outcome', async () => {
    const after = await newest();
    await gateway.ask('{ hello }');
    await gateway.ask('{ hello }', { token: 'a.b.c' });
    await gateway.ask('{ nothing }');
    await gateway.ask('{ __schema { queryType { name } } }');
    expect(await readAudit(database.db, { after, limit: 10 })).toHaveLength(4);
  });

  it('exists before the answer is sent', async () => {
    const after = await newest();
    await Promise.all(Array.from({ length: 40 }, () => gateway.ask('{ hello }')));
    expect(await readAudit(database.db, { after, limit: 100 })).toHaveLength(40);
  });
});

describe('what callers without a token read', () => {
  it.each([
    [true, ['Query.hello']],
    [false, []],
  ])('anonymous: %s', async (anonymous, coordinates) => {
    const other = await startTestGateway(cleanup, supergraph, {
      issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
      audit: { mode: 'required', database: url, anonymous },
    });
    await other.ask('{ hello }');
    const { fields, unaccounted } = await last();
    expect(fields.map(({ coordinate }) => coordinate)).toEqual(coordinates);
    for (const { decision } of fields) expect(decision).toBe('asked');
    expect(unaccounted).toBeUndefined();
  });
});

describe('the receipt of a response', () => {
  it('is the leaf of its record, for a refusal as well', async () => {
    for (const token of [await issuer.mint(), 'a.b.c']) {
      const { headers } = await gateway.ask('{ hello }', { token });
      const [stored] = await database.db
        .selectFrom('audit.record')
        .selectAll()
        .where('transaction_id', '=', String(headers['behalf-transaction']))
        .execute();
      const recordedAtMs = stored?.recorded_at.getTime() ?? NaN;
      expect(headers['behalf-receipt']).toBe(receiptOf('access', recordedAtMs, stored?.content ?? ''));
    }
  });
});

describe('without the log', () => {
  async function startWithout(mode: 'required' | 'best-effort') {
    const gone = new URL(url);
    gone.port = '1';
    return startTestGateway(cleanup, supergraph, {
      issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
      audit: { mode, database: gone.href },
    });
  }

  it('required: answers 503, and no data leaves', async () => {
    const without = await startWithout('required');
    const queries = ['{ hello me { id } }', 'mutation { touch }', '{ __schema { queryType { name } } }'];
    // Together, because each waits for the log for some seconds.
    const unreadable = without.ask('{ hello }', { token: 'a.b.c' });
    const answers = await Promise.all(queries.map((query) => without.ask(query)));
    for (const answer of answers) {
      expect(answer.status).toBe(503);
      expect(codes(answer)).toEqual(['AUDIT_UNAVAILABLE']);
      expect(answer.body.data ?? null).toBeNull();
      expect(answer.headers['retry-after']).toBe('5');
      expect(answer.text).not.toMatch(/hello world|ECONNREFUSED|c-000001/);
    }
    expect(codes(await unreadable)).toEqual(['AUDIT_UNAVAILABLE']);
    expect(people.queries, 'the mutation ran').not.toContain('touch');
    // Once, though each request was refused.
    expect(without.log.of('AUDIT_UNAVAILABLE')).toEqual([{ reason: 'ECONNREFUSED', count: 1 }]);
  });

  it('says in its log that records that were there are gone', async () => {
    const own = await TestLog.create(`gone_${randomBytes(6).toString('hex')}`);
    cleanup.add(() => own.drop());
    const open = await startTestGateway(cleanup, supergraph, {
      issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
      audit: { mode: 'required', database: own.writerUrl },
    });
    await own.append(5);
    expect((await open.ask('{ hello }')).status).toBe(200);
    await own.run('truncate audit.record, audit.leaf');
    for (let each = 0; each < 3; each += 1) expect((await open.ask('{ hello }')).status).toBe(503);
    expect(open.log.of('AUDIT_UNAVAILABLE')).toEqual([{ reason: 'AUDIT_LOG_BROKEN', count: 1 }]);
  });

  it('best-effort: data leaves, and lost records are counted and logged', async () => {
    const without = await startWithout('best-effort');
    expect((await without.ask('{ hello }')).body).toEqual({ data: { hello: 'hello world' } });
    expect((await without.ask('{ hello }')).status).toBe(200);
    await until(() => without.log.of('AUDIT_RECORD_LOST').length === 2, 'lost', 20_000);
    expect(without.log.of('AUDIT_RECORD_LOST').at(-1)).toEqual({
      lost: 2,
      reason: expect.stringMatching(/^[A-Z0-9_]+$/) as string,
    });
  });
});

describe('truncateAddress', () => {
  it.each([
    ['203.0.113.77', '203.0.113.0/24'],
    ['::ffff:203.0.113.77', '203.0.113.0/24'],
    ['::FFFF:203.0.113.77', '203.0.113.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
    ['2001:db8::1', '2001:db8:0::/48'],
    ['2001:db8:1::', '2001:db8:1::/48'],
    ['::1', '0:0:0::/48'],
    ['::', '0:0:0::/48'],
    ['fe80::1%eth0', 'fe80:0:0::/48'],
    ['1::2:3:4:5:6:7', '1:0:2::/48'],
  ])('%s is of %s', (address, network) => {
    expect(truncateAddress(address)).toBe(network);
  });
});

it('a subgraph cannot inflate the record with many coordinates', async () => {
  const port = await freePort();
  const gatewayUrl = `http://127.0.0.1:${port}`;
  const names = Array.from({ length: 1_500 }, (_each, index) => `anOrdinaryNameOfAField${index}`);
  const sdl = `
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@requiresScopes"])
    type Query { wide: Wide }
    type Wide { ${names.map((name) => `${name}: Int @requiresScopes(scopes: [["wide"]])`).join(' ')} }`;
  const trust = { issuer: gatewayUrl, jwksUri: `${gatewayUrl}/.well-known/jwks.json` };
  const wide = await TestSubgraph.start('wide', trust, sdl, { resolvers: {} });
  cleanup.add(() => wide.close());
  const hostile = await startTestGateway(cleanup, compose(people, wide), {
    listen: { port },
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    audit: { mode: 'required', database: url, pseudonymKey: randomBytes(32).toString('base64url') },
  });
  const fields = names.flatMap((name) =>
    ACCESS_DECISIONS.map((decision) => [`Wide.${name}`, decision, 10_000_000, null, null]),
  );
  wide.instead = (_request, response) =>
    sendJson(response, 200, {
      data: { wide: { [names[0] ?? '']: 7 } },
      extensions: { behalf: { v: 1, fields } },
    });
  const answer = await hostile.ask(`{ wide { ${names[0] ?? ''} } }`, {
    token: await issuer.mint({ scope: 'wide' }),
  });
  expect(answer.body).toEqual({ data: { wide: { [names[0] ?? '']: 7 } } });
  const record = await last();
  expect(record).toMatchObject({ outcome: 'answered', unaccounted: ['wide'] });
  // The coordinates that fit are recorded; the excess ones are rejected.
  expect(record.fields.length).toBeGreaterThan(1_000);
  expect(hostile.log.of('SUBGRAPH_FACTS_MALFORMED')).toMatchObject([
    { subgraph: 'wide', entries: fields.length - record.fields.length },
  ]);
});

it('a client cannot inflate the record with many fields', async () => {
  const names = Array.from({ length: 1_900 }, (_each, index) => `anOrdinaryNameOfAField${index}`);
  const scopes = Array.from({ length: 12 }, (_each, index) => [
    `https://scopes.example/office-${index}/read`,
  ]);
  const rule = `@requiresScopes(scopes: ${JSON.stringify(scopes)})`;
  const sdl = `
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@requiresScopes"])
    type Query { wide: Wide }
    type Wide { open: Int ${names.map((name) => `${name}: Int ${rule}`).join(' ')} }`;
  const wide = await TestSubgraph.start('wide', undefined, sdl, {
    resolvers: { Query: { wide: () => ({ open: 7 }) } },
  });
  cleanup.add(() => wide.close());
  const asked = await startTestGateway(cleanup, compose(people, wide), {
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    audit: { mode: 'required', database: url, pseudonymKey: randomBytes(32).toString('base64url') },
  });
  const { status } = await asked.ask(`{ wide { open ${names.join(' ')} } }`, { token: await issuer.mint() });
  expect(status).toBe(200);
  const { fields } = await last();
  expect(fields.filter(({ decision }) => decision === 'denied')).toHaveLength(names.length);
  expect(fields).toContainEqual({
    coordinate: `Wide.${names[0] ?? ''}`,
    decision: 'denied',
    count: 1,
    rule: expect.stringMatching(
      /^@requiresScopes\(https:\/\/scopes\.example\/office-0\/read.{0,80}…$/,
    ) as string,
  });
});
