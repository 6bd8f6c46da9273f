import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ACCESS_DECISIONS } from '@behalf/directives/internal';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AuditRecord } from '../../audit/index.js';
import { composeSupergraph } from '../../gateway/compose/compose.js';
import { createOperationAuthorizer } from '../../gateway/authorize/index.js';
import { protectGateway } from '../../gateway/index.js';
import { readAccount } from '../../gateway/propagate/facts.js';
import {
  AUDIENCE,
  Cleanup,
  compose,
  freePort,
  MemorySink,
  send,
  sendJson,
  startTestGateway,
  TestIssuer,
  TestLog,
  TestSubgraph,
} from './support.js';
import type { TestGateway } from './support.js';

/** Of a subgraph that is not believed, the record has what it was asked for. */
const ASKED = [{ coordinate: 'Query.hello', decision: 'asked', subgraph: 'people' }];

const cleanup = new Cleanup();
let issuer: TestIssuer;
let people: TestSubgraph;
let accounts: TestSubgraph;
let gateway: TestGateway;
let auditFile: string;
let trust: { issuer: string; jwksUri: string };

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-accounts-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  auditFile = join(folder, 'audit.jsonl');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  trust = { issuer: url, jwksUri: `${url}/.well-known/jwks.json` };
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people', trust);
  accounts = await TestSubgraph.start('accounts', trust);
  for (const each of [issuer, people, accounts]) cleanup.add(() => each.close());
  gateway = await startTestGateway(cleanup, compose(people, accounts), {
    listen: { port },
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    audit: { mode: 'required', file: auditFile },
    metrics: { listen: { port: 0 } },
  });
});
afterAll(() => cleanup.run());
beforeEach(() => {
  people.instead = undefined;
  gateway.log.entries.length = 0;
});

async function records(): Promise<AuditRecord[]> {
  const lines = (await readFile(auditFile, 'utf8')).trim().split('\n');
  return lines.map((line) => JSON.parse(line) as AuditRecord);
}

async function metrics(): Promise<string> {
  return (await send(`${gateway.running.metricsUrl ?? ''}/metrics`, '', {}, 'GET')).text;
}

/** Sends a request to a subgraph that returns these facts, as JSON text. */
async function recordWith(accountText: string): Promise<AuditRecord> {
  people.instead = (_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(`{"data":{"hello":"hi"},"extensions":{"behalf":${accountText}}}`);
  };
  const before = (await records().catch(() => [])).length;
  const answer = await gateway.ask('{ hello }', { token: await issuer.mint() });
  expect(answer.body).toEqual({ data: { hello: 'hi' } });
  const after = await records();
  expect(after).toHaveLength(before + 1);
  const [record] = after.slice(-1);
  if (record === undefined) throw new Error('no record');
  return record;
}

const entry = (...parts: unknown[]): string => JSON.stringify({ v: 1, fields: [parts] });

describe('a subgraph with false facts cannot prevent the record', () => {
  it.each([
    ['a negative count', entry('Query.hello', 'denied', -1, null, null)],
    ['a count of zero', entry('Query.hello', 'denied', 0, null, null)],
    ['a broken count', entry('Query.hello', 'denied', 1.5, null, null)],
    ['a count beyond all rows', entry('Query.hello', 'denied', 1e308, null, null)],
    ['a count that is not a number', entry('Query.hello', 'allowed', '3', null, null)],
    ['a count that JSON cannot hold', '{"v":1,"fields":[["Query.hello","denied",1e400,null,null]]}'],
    [
      'a count that was rounded',
      '{"v":1,"fields":[["Query.hello","denied",12345678901234567890,null,null]]}',
    ],
    ['null for a count', entry('Query.hello', 'denied', null, null, null)],
    ['an unknown decision', entry('Query.hello', 'permitted', 1, null, null)],
    ['a decision of another type', entry('Query.hello', ['denied'], 1, null, null)],
    ['the coordinate of another subgraph', entry('Account.iban', 'allowed', 1, null, null)],
    ['a coordinate that is nowhere', entry('X.y', 'denied', -1, null, null)],
    ['arbitrary text', entry('iban SE4550000000058398257466', 'allowed', 1, null, null)],
    ['what acts on terminals', entry('\u001b[2J\u001b]0;x\u0007\nPerson.name', 'allowed', 1, null, null)],
    ['text in another direction', entry('Person.\u202eeman', 'allowed', 1, null, null)],
    ['names of prototypes', entry('__proto__', 'allowed', 1, null, null)],
    ['more of them', entry('constructor.prototype', 'allowed', 1, null, null)],
    ['introspection', entry('Query.__schema', 'allowed', 1, null, null)],
    ['entities', entry('Query._entities', 'allowed', 1, null, null)],
    ['a coordinate in a list', entry(['Query.hello'], 'allowed', 1, null, null)],
    ['an entry that is an object', '{"v":1,"fields":[{"0":"Query.hello","1":"allowed","2":1}]}'],
  ])('%s', async (_case, account) => {
    const record = await recordWith(account);
    expect(record).toMatchObject({ outcome: 'answered', fields: ASKED, unaccounted: ['people'] });
    expect(gateway.log.of('SUBGRAPH_FACTS_MALFORMED')).toEqual([
      { subgraph: 'people', entries: 1, transaction: record.transactionId },
    ]);
    expect(gateway.log.text).not.toMatch(/SE45|u001b|proto/);
  });

  it.each([
    ['another version', '{"v":2,"fields":[]}'],
    ['no version', '{"fields":[]}'],
    ['no list', '{"v":1,"fields":{"length":1}}'],
    ['null', 'null'],
    ['text', '"v1"'],
    ['100,000 entries', JSON.stringify({ v: 1, fields: Array(100_000).fill(['Query.hello', 'allowed', 1]) })],
  ])('invalid facts: %s', async (_case, account) => {
    expect(await recordWith(account)).toMatchObject({ fields: ASKED, unaccounted: ['people'] });
    expect(gateway.log.of('SUBGRAPH_FACTS_MALFORMED')).toMatchObject([{ subgraph: 'people', entries: 0 }]);
  });

  it('keeps the plausible facts, under the gateway’s rules and wording', async () => {
    const record = await recordWith(
      JSON.stringify({
        v: 1,
        fields: [
          ['Person.name', 'allowed', 2, 'MASK', 'a rule with SE4550000000058398257466 in it'],
          ['Person.name', 'allowed', 3, null, null],
          ['Person.nick', 'denied', 1, null, '@subject'],
          ['Person.nick', 'allowed', -3, null, null],
        ],
      }),
    );
    expect(record.fields).toEqual([
      ...ASKED,
      {
        coordinate: 'Person.name',
        decision: 'allowed',
        count: 5,
        rule: '@requiresScopes(name)',
        subgraph: 'people',
      },
      // Nothing states that rows of this type have an owner.
      { coordinate: 'Person.nick', decision: 'denied', count: 1, subgraph: 'people' },
    ]);
    expect(record.unaccounted).toEqual(['people']);
    expect(JSON.stringify(record)).not.toContain('SE45');
  });

  it('counts rejected facts by subgraph, without their content', async () => {
    await recordWith(entry('evil{coordinate="x"}', 'denied', -1, null, null));
    const text = await metrics();
    expect(text).toMatch(/behalf_disbelieved_entries_total\{subgraph="people"\} [1-9]/);
    expect(text).toMatch(/behalf_unaccounted_total\{subgraph="people"\} [1-9]/);
    expect(text).not.toContain('evil');
  });
});

describe('an incomplete record says so', () => {
  it('if a subgraph returns no facts for its answer', async () => {
    people.instead = (_request, response) => sendJson(response, 200, { data: { hello: 'hi' } });
    await gateway.ask('{ hello }', { token: await issuer.mint() });
    expect((await records()).at(-1)).toMatchObject({
      outcome: 'answered',
      fields: ASKED,
      unaccounted: ['people'],
    });
    // A subgraph without the library returns no facts, and is not broken.
    expect(gateway.log.codes()).not.toContain('SUBGRAPH_FACTS_MALFORMED');
  });

  it('if a subgraph fails after the request', async () => {
    people.instead = (_request, response) => sendJson(response, 500, {});
    await gateway.ask('{ hello }', { token: await issuer.mint() });
    expect((await records()).at(-1)).toMatchObject({ unaccounted: ['people'] });
  });

  it('but not for a renamed root type, recorded by the supergraph’s name', async () => {
    const sdl = `
      extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
      schema { query: Root }
      type Root { renamed: String }`;
    const renamed = await TestSubgraph.start('renamed', trust, sdl, {
      resolvers: { Root: { renamed: () => 'there' } },
    });
    cleanup.add(() => renamed.close());
    await gateway.update(compose(people, accounts, renamed));
    const answer = await gateway.ask('{ renamed }', { token: await issuer.mint() });
    expect(answer.body).toEqual({ data: { renamed: 'there' } });
    const record = (await records()).at(-1);
    expect(record?.fields).toEqual([
      { coordinate: 'Query.renamed', decision: 'allowed', count: 1, subgraph: 'renamed' },
    ]);
    expect(record).not.toHaveProperty('unaccounted');
  });

  it('and only then: neither for honest subgraphs nor anonymous callers', async () => {
    const token = await issuer.mint({ scope: 'name accounts' });
    await gateway.ask('{ me { name accounts { iban } } rates }', { token });
    const [honest] = (await records()).slice(-1);
    expect(honest?.fields.map(({ coordinate }) => coordinate)).toEqual(
      expect.arrayContaining(['Person.name', 'Account.iban', 'Query.rates']),
    );
    expect(honest).not.toHaveProperty('unaccounted');
    await gateway.ask('{ hello }');
    expect((await records()).at(-1)).not.toHaveProperty('unaccounted');
  });
});

describe('no failure beside the record prevents it', () => {
  it('a log that throws, in required mode', async () => {
    const sink = new MemorySink();
    const { records: taken } = sink;
    const gateway = protectGateway(
      { supergraphSdl: compose(people, accounts) },
      {
        issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
        propagation: { issuer: 'https://gateway.example' },
        audit: {
          mode: 'required',
          pseudonymKey: new Uint8Array(32),
          sink,
        },
        log: {
          log: () => {
            throw new Error('the disk is full');
          },
        },
      },
    );
    cleanup.add(() => gateway.stop());
    await gateway.load();
    const exchange = gateway.begin({ authorization: ['Bearer not.a.token'] });
    await expect(gateway.authenticate(exchange)).rejects.toMatchObject({
      refusal: { code: 'INVALID_TOKEN' },
    });
    expect(taken).toMatchObject([{ outcome: 'authentication-failed' }]);
  });

  it.each(['best-effort', 'required'] as const)('a sink that throws synchronously: %s', async (mode) => {
    const log = new TestLog();
    const gateway = protectGateway(
      { supergraphSdl: compose(people, accounts) },
      {
        issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
        propagation: { issuer: 'https://gateway.example' },
        audit: {
          mode,
          pseudonymKey: new Uint8Array(32),
          sink: {
            append: () => {
              throw new Error('no promise');
            },
            lost: 1,
            close: async () => undefined,
          },
        },
        log,
      },
    );
    cleanup.add(() => gateway.stop());
    await gateway.load();
    const exchange = gateway.begin({ authorization: [] });
    const recorded = gateway.pipeline.record(exchange, 'answered', undefined);
    if (mode === 'required')
      await expect(recorded).rejects.toMatchObject({ refusal: { code: 'AUDIT_UNAVAILABLE' } });
    else await expect(recorded).resolves.toBeUndefined();
    expect(log.codes()).toContain(mode === 'required' ? 'AUDIT_UNAVAILABLE' : 'AUDIT_RECORD_LOST');
  });
});

describe('the coordinates of a subgraph’s facts', () => {
  const of = (subgraph: string): ReadonlySet<string> =>
    new Set(createOperationAuthorizer(compose(people, accounts)).accountable.get(subgraph)?.keys());

  it('are what the supergraph lets it resolve: its fields and keys', () => {
    expect(of('people')).toContain('Person.name');
    expect(of('people')).toContain('Person.id');
    expect(of('accounts')).toContain('Person.id');
    expect(of('accounts')).toContain('Account.iban');
    expect(of('accounts')).not.toContain('Person.name');
    expect(of('people')).not.toContain('Account.iban');
    expect(of('people')).not.toContain('Person.accounts');
  });

  it('include provided @external, interface objects as interfaces, and moved overrides', () => {
    const link = (imports: string) =>
      `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [${imports}])`;
    const supergraph = composeSupergraph([
      {
        name: 'a',
        url: 'http://localhost:1',
        sdl: `${link('"@key", "@external", "@provides", "@requires", "@shareable"')}
          type Query { provided: P @provides(fields: "city") plain: P node: Node }
          type P @key(fields: "id") { id: ID! city: String @external zip: String @external full: String @requires(fields: "zip") }
          interface Node @key(fields: "id") { id: ID! }
          type Impl implements Node @key(fields: "id") { id: ID! own: String }`,
      },
      {
        name: 'b',
        url: 'http://localhost:2',
        sdl: `${link('"@key", "@shareable", "@interfaceObject", "@override"')}
          type P @key(fields: "id") { id: ID! city: String @shareable zip: String moved: String @override(from: "c") }
          type Node @key(fields: "id") @interfaceObject { id: ID! extra: String }`,
      },
      {
        name: 'c',
        url: 'http://localhost:3',
        sdl: `${link('"@key"')}
          schema { query: Root }
          type Root { renamed: String }
          type P @key(fields: "id") { id: ID! moved: String }`,
      },
    ]);
    const { accountable } = createOperationAuthorizer(supergraph);
    const coordinates = (name: string) => [...(accountable.get(name)?.keys() ?? [])].sort();
    expect(coordinates('a')).toEqual([
      'Impl.id',
      'Impl.own',
      'P.city',
      'P.full',
      'P.id',
      'Query.node',
      'Query.plain',
      'Query.provided',
    ]);
    expect(coordinates('b')).toEqual(['Node.extra', 'Node.id', 'P.city', 'P.id', 'P.moved', 'P.zip']);
    expect(coordinates('c')).toEqual(['P.id', 'Query.renamed']);
  });

  it('never include anything else, whatever it sends (property)', () => {
    const fields = new Map([
      ['T.a', { rule: '@authenticated', isOwned: true }],
      ['T.b', { strategy: 'MASK', isOwned: false }],
    ]);
    const anything = fc.oneof(
      fc.anything(),
      fc.array(
        fc.tuple(
          fc.oneof(fc.constantFrom('T.a', 'T.b', '__proto__'), fc.string()),
          fc.oneof(fc.constantFrom(...ACCESS_DECISIONS), fc.string()),
          fc.oneof(fc.integer(), fc.double(), fc.maxSafeInteger()),
          fc.anything(),
          fc.oneof(fc.constant('@subject'), fc.string()),
        ),
        { maxLength: 20 },
      ),
    );
    fc.assert(
      fc.property(anything, (sent) => {
        const account = readAccount({ v: 1, fields: sent }, fields, undefined);
        for (const access of account?.accesses ?? []) {
          expect(fields.has(access.coordinate)).toBe(true);
          expect(ACCESS_DECISIONS).toContain(access.decision);
          expect(Number.isInteger(access.count) && access.count > 0 && access.count <= 1e7).toBe(true);
          expect([undefined, '@authenticated', '@subject']).toContain(access.rule);
          expect([undefined, 'MASK']).toContain(access.strategy);
        }
      }),
    );
  });

  it('are bounded per coordinate: each decision, and two for its owner', () => {
    const fields = new Map([['Person.name', { isOwned: true }]]);
    const entries = (count: number): object => ({
      v: 1,
      fields: Array.from({ length: count }, () => ['Person.name', 'allowed', 1, null, null]),
    });
    const most = ACCESS_DECISIONS.length + 2;
    expect(readAccount(entries(most), fields, undefined)?.accesses).toHaveLength(most);
    expect(readAccount(entries(most + 1), fields, undefined)).toBeUndefined();
    expect(readAccount(entries(1), new Map(), undefined)).toBeUndefined();
  });
});
