import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildProtectedSubgraph } from '@behalf/directives';
import { createTxnTokenReader } from '@behalf/directives/internal';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey, JWK } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AuditRecord } from '../../audit/index.js';
import { createOperationAuthorizer } from '../../gateway/authorize/index.js';
import { accountsSdl, peopleSdl, resolvers } from './domain.js';
import {
  AUDIENCE,
  bodyOf,
  Cleanup,
  compose,
  freePort,
  send,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
} from './support.js';
import type { TestGateway } from './support.js';

const cleanup = new Cleanup();
afterAll(() => cleanup.run());

type Members = Readonly<Record<string, unknown>>;

describe('a transaction token of another minor version', () => {
  const ISSUER = 'https://gateway.example';
  let privateKey: CryptoKey;
  let publicJwk: JWK;

  beforeAll(async () => {
    const pair = await generateKeyPair('EdDSA', { extractable: true });
    privateKey = pair.privateKey;
    publicJwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'EdDSA' };
  });

  const consent = { id: 'consent-1', version: 1, purposes: ['tax'], detail: 'full' };
  const present = {
    txn: 't-1',
    scope: 'name',
    req_wl: ISSUER,
    tctx: { consent, policies: ['vip'], roles: ['staff'] },
    rctx: { client_id: 'budget-app', act: { sub: 'assistant' } },
  };

  async function read(claims: Members, keys: JWK[] = [publicJwk]) {
    const token = await new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'txntoken+jwt', kid: 'k1' })
      .setIssuer(ISSUER)
      .setAudience('people')
      .setSubject('alma')
      .setIssuedAt()
      .setExpirationTime('15s')
      .sign(privateKey);
    return createTxnTokenReader('people', { issuer: ISSUER, keys })(token);
  }

  it('means the same with unknown members', async () => {
    const { verified: today } = await read(present);
    const { verified } = await read({
      ...present,
      newer: { a: 1 },
      tctx: { ...present.tctx, newer: ['x'], consent: { ...consent, newer: true } },
      rctx: { ...present.rctx, newer: null, act: { sub: 'assistant', newer: 'x' } },
    });
    expect(verified?.delegation).toEqual(today?.delegation);
    expect(today?.delegation).toMatchObject({ subject: 'alma', clientId: 'budget-app', consent });
  });

  it('grants nothing by missing members', async () => {
    const { verified } = await read({
      txn: 't-1',
      scope: '',
      tctx: {},
      rctx: { client_id: 'budget-app' },
    });
    expect(verified?.delegation).toEqual({
      subject: 'alma',
      clientId: 'budget-app',
      scopes: new Set(),
      policies: new Set(),
      roles: [],
    });
  });

  it.each<[string, Members]>([
    ['a detail level that this version does not know', { consent: { ...consent, detail: 'coarse' } }],
    ['another kind of service', { service: 'batch' }],
    ['policies in another form', { policies: { vip: true } }],
  ])('is refused with %s: restrictions are never ignored', async (_what, tctx) => {
    expect(await read({ ...present, tctx })).toEqual({ refusal: 'TXN_TOKEN_CLAIM' });
  });

  it('is verified beside keys of unknown kinds', async () => {
    const newer = { kty: 'AKP', alg: 'ML-DSA-44', kid: 'k2', pub: 'AAAA' };
    expect((await read(present, [newer, { ...publicJwk, ...{ newer: 'x' } }])).verified).toBeDefined();
  });
});

describe('a schema of the next minor version', () => {
  const NEXT = peopleSdl
    .replace('behalf/v0.1", import: [', 'behalf/v0.2", import: ["@newerRule", ')
    .replace('nick: String', 'nick: String @newerRule');

  it('stops an older subgraph, and the message names both versions', () => {
    const start = () =>
      buildProtectedSubgraph({
        name: 'people',
        typeDefs: NEXT,
        resolvers: resolvers.people,
        coverage: 'open',
        gateway: { issuer: 'https://gateway.example', jwksUri: 'https://gateway.example/jwks' },
      });
    expect(start).toThrow(/specs\.behalf\.dev\/behalf.*"v0\.2".*v0\.1/);
  });

  it('is refused by an older gateway, and the message names both versions', async () => {
    const people = await TestSubgraph.start('people');
    cleanup.add(() => people.close());
    const supergraph = compose(people).replaceAll(
      'specs.behalf.dev/behalf/v0.1',
      'specs.behalf.dev/behalf/v0.2',
    );
    expect(() => createOperationAuthorizer(supergraph)).toThrow(/specs\.behalf\.dev\/behalf.*"v0\.2".*v0\.1/);
  });
});

describe('a rolling upgrade', () => {
  type Account = { v: number; fields: unknown[][] };

  /** What another version of the library would report of the same accesses. */
  const VERSIONS: Readonly<Record<string, (account: Account) => unknown>> = {
    present: (account) => account,
    // Without the parts of an entry that the gateway does not rely on.
    older: ({ v, fields }) => ({ v, fields: fields.map((entry) => entry.slice(0, 3)) }),
    newer: ({ v, fields }) => ({
      v,
      fields: fields.map((entry) => [...entry, { newer: 1 }, 'x']),
      newer: { fields: 'x' },
    }),
  };
  let version = 'present';
  let issuer: TestIssuer;
  let auditFile: string;
  let gateway: TestGateway;

  /** A subgraph behind a proxy that rewrites its facts as another version would. */
  async function startSkewed(subgraph: TestSubgraph): Promise<string> {
    const server = createServer((request, response) => {
      void (async () => {
        const answer = await send(subgraph.url, await bodyOf(request), {
          'content-type': 'application/json',
          'txn-token': String(request.headers['txn-token']),
        });
        const { extensions, ...others } = answer.body as { extensions?: { behalf?: Account } };
        const account = extensions?.behalf;
        const skewed =
          account === undefined ? {} : { extensions: { behalf: VERSIONS[version]?.(account), newer: 1 } };
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ ...others, ...skewed }));
      })();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanup.add(() => server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  }

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'behalf-skew-'));
    cleanup.add(() => rm(folder, { recursive: true, force: true }));
    auditFile = join(folder, 'audit.jsonl');
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const trust = { issuer: url, jwksUri: `${url}/.well-known/jwks.json` };
    issuer = await TestIssuer.start();
    const people = await TestSubgraph.start('people', trust);
    const accounts = await TestSubgraph.start('accounts', trust, accountsSdl);
    for (const each of [issuer, people, accounts]) cleanup.add(() => each.close());
    const config = {
      issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
      audit: { mode: 'required', file: auditFile },
      subgraphs: {
        people: { url: await startSkewed(people) },
        accounts: { url: await startSkewed(accounts) },
      },
      propagation: { issuer: url },
    } as const;
    gateway = await startTestGateway(cleanup, compose(people, accounts), { ...config, listen: { port } });
  });
  const byCoordinate = (record: AuditRecord | undefined) =>
    [...(record?.fields ?? [])].sort((a, b) => (a.coordinate < b.coordinate ? -1 : 1));

  beforeEach(() => {
    version = 'present';
  });

  const QUERY = '{ me { name email accounts { id iban } } rates }';

  it('changes no answer or record across three versions of subgraphs', async () => {
    const token = await issuer.mint({ scope: 'name accounts' });
    const expected = (await gateway.ask(QUERY, { token })).body;
    for (const next of ['older', 'newer', 'present', 'newer', 'older']) {
      version = next;
      const answers = await Promise.all([1, 2].map(() => gateway.ask(QUERY, { token })));
      for (const { body } of answers) expect(body).toEqual(expected);
    }
    const lines = (await readFile(auditFile, 'utf8')).trim().split('\n');
    const records = lines.map((line) => JSON.parse(line) as AuditRecord);
    expect(records).toHaveLength(11);
    for (const record of records) {
      // Subgraphs that are called concurrently answer in any order.
      expect(byCoordinate(record)).toEqual(byCoordinate(records[0]));
      expect(record).not.toHaveProperty('unaccounted');
    }
    expect(records[0]?.fields.map(({ decision }) => decision)).toEqual(
      expect.arrayContaining(['allowed', 'denied', 'minimized']),
    );
    expect(gateway.log.codes()).not.toContain('SUBGRAPH_FACTS_MALFORMED');
  });
});
