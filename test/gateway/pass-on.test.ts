import {
  createTxnTokenVerifier,
  exchangeTxnToken,
  PassOnError,
  protectedContext,
  buildProtectedSubgraph,
  txnTokenHeaders,
} from '@behalf/directives';
import {
  createTxnTokenReader,
  graphqlRequestHash,
  isMet,
  NO_REQUIREMENT,
  isExemptFromMinimize,
} from '@behalf/directives/internal';
import type { Delegation } from '@behalf/directives';
import type { Requirement } from '@behalf/directives/internal';
import fc from 'fast-check';
import { decodeJwt, exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose';
import type { JWK } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { audienceVocabulary } from '../../gateway/propagate/audience.js';
import { TxnTokenExchange } from '../../gateway/propagate/txn-token-exchange.js';
import { SigningKeys } from '../../gateway/propagate/signing-keys.js';
import { mintTxnToken } from '../../gateway/propagate/txn-token.js';
import { checkConfig } from '../../gateway/index.js';
import { resolvers } from './domain.js';
import {
  AUDIENCE,
  Cleanup,
  compose,
  freePort,
  listen,
  send,
  sendJson,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
} from './support.js';
import type { TestGateway } from './support.js';

const SECRET = 'people: a secret of the subgraph, 100% its own';
const cleanup = new Cleanup();
const auditFile = join(tmpdir(), `behalf-pass-on-${process.pid}.jsonl`);
let issuer: TestIssuer;
let people: TestSubgraph;
let accounts: TestSubgraph;
let gateway: TestGateway;
let ledgerUrl: string;
let ledgerKey: JWK;
const refused: string[] = [];
const seenByLedger: Delegation[] = [];

/** The subgraph's resolver, given the context value of its request. */
let resolveMine: (context: unknown) => Promise<string>;

beforeAll(async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const trust = { issuer: url, jwksUri: `${url}/.well-known/jwks.json` };
  const pair = await generateKeyPair('ES256', { extractable: true });
  ledgerKey = { ...(await exportJWK(pair.privateKey)), alg: 'ES256' };
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people', trust, undefined, {
    passOn: { endpoint: `${url}/txn-token`, secret: SECRET },
    resolvers: {
      ...resolvers.people,
      Query: {
        ...resolvers.people.Query,
        mine: (_source: unknown, _args: unknown, context: unknown) => resolveMine(context),
      },
    },
  });
  accounts = await TestSubgraph.start('accounts', trust, undefined, {
    onRefusedToken: (reason) => refused.push(reason),
  });
  // A service that does not use GraphQL.
  const verify = createTxnTokenVerifier('ledger', trust);
  const ledger = await listen(async (request, response) => {
    const { verified, refusal } = await verify(request.headers['txn-token']);
    if (verified === undefined) {
      refused.push(refusal);
      sendJson(response, 401, {});
      return;
    }
    seenByLedger.push(verified.delegation);
    sendJson(response, 200, { balance: 7 });
  });
  ledgerUrl = ledger.url;
  for (const each of [issuer, people, accounts, ledger]) cleanup.add(() => each.close());
  const { d: _private, ...publicKey } = ledgerKey;
  const config = checkConfig({
    supergraph: 'x',
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    propagation: {
      passOn: {
        maxHops: 2,
        workloads: [
          {
            name: 'people',
            secret: SECRET,
            audiences: ['accounts', 'ledger', 'nobody'],
            carries: { scopes: ['accounts'], purposes: ['tax'], roles: ['teller'] },
          },
          { name: 'ledger', publicKey, audiences: ['ledger', 'accounts'] },
        ],
        services: { ledger: { scopes: ['accounts', 'name'], purposes: ['tax'], roles: ['teller'] } },
      },
    },
    audit: { mode: 'required', file: auditFile },
  });
  gateway = await startTestGateway(cleanup, compose(people, accounts), {
    listen: { port },
    issuers: config.issuers,
    propagation: config.propagation,
    audit: config.audit,
  });
});
afterAll(() => cleanup.run());
beforeEach(() => {
  people.requests.length = 0;
  accounts.requests.length = 0;
  refused.length = 0;
  seenByLedger.length = 0;
  resolveMine = () => Promise.resolve('mine');
});

const consent = { id: 'consent-1', version: 3, purposes: ['credit', 'tax'], detail: 'minimal' };

/** The token of the subgraph `people` for a request with all of its scopes. */
async function held(claims: Record<string, unknown> = {}): Promise<string> {
  people.requests.length = 0;
  const token = await issuer.mint({ scope: 'name accounts email', consent, roles: ['teller'], ...claims });
  await gateway.ask('{ hello }', { token });
  return String(people.requests.at(-1)?.headers['txn-token']);
}

const BASIC = `Basic ${Buffer.from(`people:${encodeURIComponent(SECRET)}`).toString('base64')}`;
const TYPE = 'urn:ietf:params:oauth:token-type:txn_token';

async function exchange(
  token: string,
  more: Record<string, string | undefined> = {},
  headers: Record<string, string | readonly string[]> = { authorization: BASIC },
  extra = '',
) {
  const parameters: Record<string, string | undefined> = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: token,
    subject_token_type: TYPE,
    audience: 'ledger',
    ...more,
  };
  const form = new URLSearchParams(
    Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const answer = await send(`${gateway.url}/txn-token`, `${form.toString()}${extra}`, {
    'content-type': 'application/x-www-form-urlencoded',
    ...headers,
  });
  const body = answer.body as Record<string, unknown>;
  return { ...answer, body, token: typeof body.access_token === 'string' ? body.access_token : undefined };
}

async function assertion(
  claims: Record<string, unknown> = {},
  key = ledgerKey,
): Promise<Record<string, string>> {
  const now = Math.floor(Date.now() / 1000);
  return {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await new SignJWT({
      iss: 'ledger',
      sub: 'ledger',
      aud: gateway.url,
      jti: crypto.randomUUID(),
      iat: now,
      exp: now + 30,
      ...claims,
    })
      .setProtectedHeader({ alg: 'ES256' })
      .sign(await importJWK(key)),
  };
}

describe('a subgraph that calls another service in the same transaction', () => {
  it('passes on a token for that service, with the same person and fewer rights', async () => {
    resolveMine = async (context) => {
      const headers = await txnTokenHeaders(context, { audience: 'ledger' });
      const response = await fetch(ledgerUrl, { headers });
      return JSON.stringify(await response.json());
    };
    const token = await issuer.mint({ scope: 'name accounts email', consent, roles: ['teller', 'other'] });
    const answer = await gateway.ask('{ mine }', { token });
    expect(answer.body).toEqual({ data: { mine: '{"balance":7}' } });
    expect(refused).toEqual([]);
    expect(seenByLedger).toMatchObject([
      {
        subject: 'c-000001',
        clientId: 'budget-app',
        // Not email, which the ledger's rules cannot require.
        scopes: new Set(['name', 'accounts']),
        roles: ['teller'],
        consent: { id: 'consent-1', version: 3, purposes: ['tax'], detail: 'minimal' },
      },
    ]);
  });

  it('calls a protected subgraph, which decides by that token', async () => {
    resolveMine = async (context) => {
      const query =
        '{ _entities(representations: [{ __typename: "Person", id: "c-000001" }]) { ... on Person { accounts { iban } } } }';
      const headers = {
        'content-type': 'application/json',
        ...(await txnTokenHeaders(context, { audience: 'accounts' })),
      };
      const response = await fetch(accounts.url, {
        method: 'POST',
        headers,
        body: JSON.stringify({ query }),
      });
      return JSON.stringify(await response.json());
    };
    const rich = await gateway.ask('{ mine }', {
      token: await issuer.mint({ scope: 'accounts accounts:full' }),
    });
    // Masked: `people` cannot pass on a scope that it was not given.
    expect(String(rich.body.data?.mine)).toContain('7466');
    expect(String(rich.body.data?.mine)).not.toContain('SE4550000000058398257466');
    expect(refused).toEqual([]);
    const poor = await gateway.ask('{ mine }', { token: await issuer.mint() });
    expect(String(poor.body.data?.mine)).toContain('UNAUTHORIZED_FIELD_OR_TYPE');
  });

  it('exchanges once per audience and request, and nothing for an anonymous caller', async () => {
    const tokens: string[] = [];
    resolveMine = async (context) => {
      tokens.push(
        ...(await Promise.all([1, 2].map(() => exchangeTxnToken(context, { audience: 'ledger' })))),
      );
      return 'x';
    };
    await gateway.ask('{ mine }', { token: await issuer.mint() });
    expect(tokens).toHaveLength(2);
    expect(new Set(tokens).size).toBe(1);
    const schema = buildProtectedSubgraph({
      name: 'people',
      typeDefs: 'type Query { a: String }',
      resolvers: {},
      gateway: { issuer: gateway.url, jwksUri: 'https://gateway.example/jwks' },
    });
    const anonymous = await protectedContext(schema, {
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    });
    await expect(exchangeTxnToken(anonymous, { audience: 'ledger' })).rejects.toThrow(
      new PassOnError('TXN_TOKEN_NOTHING_TO_PASS_ON'),
    );
    await expect(exchangeTxnToken({}, { audience: 'ledger' })).rejects.toBeInstanceOf(PassOnError);
    expect(await txnTokenHeaders(anonymous, { audience: 'ledger' })).toEqual({
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    });
  });

  it('gets a code without a token if it may not use an audience', async () => {
    let failure: unknown;
    resolveMine = async (context) => {
      failure = await exchangeTxnToken(context, { audience: 'people' }).catch((error: unknown) => error);
      return 'x';
    };
    await gateway.ask('{ mine }', { token: await issuer.mint() });
    expect(failure).toEqual(new PassOnError('TXN_TOKEN_EXCHANGE_REFUSED'));
  });
});

describe('POST /txn-token (RFC 8693)', () => {
  it('answers with a token that names the exchanging workload, and ends no later', async () => {
    const original = await held();
    const answer = await exchange(original);
    expect(answer.status).toBe(200);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.body).toMatchObject({ issued_token_type: TYPE, token_type: 'N_A' });
    const [before, after] = [decodeJwt(original), decodeJwt(answer.token ?? '')];
    expect(after).toMatchObject({
      iss: gateway.url,
      aud: 'ledger',
      txn: before.txn,
      sub: before.sub,
      rctx: before.rctx,
      req_wl: `${gateway.url},people`,
    });
    expect(after.exp).toBe(before.exp);
    expect(await lastRecord()).toMatchObject({
      transactionId: before.txn,
      outcome: 'passed-on',
      caller: { clientId: 'budget-app', consentId: 'consent-1' },
      passedOn: { by: 'people', to: 'ledger' },
    });
  });

  async function lastRecord(): Promise<Record<string, unknown>> {
    const lines = (await readFile(auditFile, 'utf8')).trim().split('\n');
    const line = JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown>;
    return (line.record ?? line) as Record<string, unknown>;
  }

  const MALFORMED: [string, string, Record<string, string | undefined>][] = [
    ['another grant', 'unsupported_grant_type', { grant_type: 'client_credentials' }],
    [
      'another type of subject token',
      'invalid_request',
      { subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' },
    ],
    [
      'another requested type',
      'invalid_request',
      { requested_token_type: 'urn:ietf:params:oauth:token-type:access_token' },
    ],
    ['no subject token', 'invalid_request', { subject_token: undefined }],
    ['no audience', 'invalid_target', { audience: undefined }],
    ['a forbidden audience', 'invalid_target', { audience: 'people' }],
    ['an unknown audience', 'invalid_target', { audience: 'nobody' }],
    ['a scope, which it would ignore', 'invalid_request', { scope: 'admin' }],
    ['an actor token', 'invalid_request', { actor_token: 'x', actor_token_type: TYPE }],
    ['an invalid hash', 'invalid_request', { request_hash: 'x' }],
  ];
  it.each(MALFORMED)('refuses %s', async (_name, error, more) => {
    const answer = await exchange(await held(), more);
    expect([answer.status, answer.body]).toEqual([400, { error }]);
    expect((await lastRecord()).outcome).toBe('refused');
  });

  it('refuses a repeated parameter', async () => {
    const answer = await exchange(await held(), {}, undefined, '&audience=accounts');
    expect([answer.status, answer.body]).toEqual([400, { error: 'invalid_request' }]);
  });

  it('accepts only POST with a form', async () => {
    const url = `${gateway.url}/txn-token`;
    expect((await send(url, '', {}, 'GET')).status).toBe(405);
    expect((await send(url, '{}', { 'content-type': 'application/json' })).status).toBe(415);
  });

  it('gives nothing for a token of another workload', async () => {
    await held();
    await gateway.ask('{ rates }', { token: await issuer.mint({ scope: 'accounts' }) });
    const ofAccounts = String(accounts.requests.at(-1)?.headers['txn-token']);
    const own = await held();
    const [header, payload] = own.split('.');
    const keys = await SigningKeys.create();
    const forged = keys.sign({ ...decodeJwt(own) });
    const access = await issuer.mint({ scope: 'accounts' });
    for (const [token, reason] of [
      [ofAccounts, 'TXN_TOKEN_AUDIENCE'],
      [forged, 'TXN_TOKEN_SIGNATURE'],
      [`${header ?? ''}.${payload ?? ''}.AAAA`, 'TXN_TOKEN_SIGNATURE'],
      [access, 'TXN_TOKEN_INVALID'],
    ] as const) {
      expect((await exchange(token)).body).toEqual({ error: 'invalid_request' });
      expect(gateway.log.of('TXN_TOKEN_NOT_EXCHANGED').at(-1)?.reason).toBe(reason);
    }
    expect(gateway.log.text).not.toContain(ofAccounts);
  });

  it('gives nothing to an unauthenticated workload', async () => {
    const token = await held();
    const basic = (name: string, secret: string) =>
      `Basic ${Buffer.from(`${name}:${encodeURIComponent(secret)}`).toString('base64')}`;
    const credentials: Record<string, string | readonly string[]>[] = [
      {},
      { authorization: basic('people', 'wrong') },
      { authorization: basic('people', '') },
      { authorization: basic('ledger', '') },
      { authorization: basic('nobody', SECRET) },
      { authorization: basic('people', '%') },
      { authorization: [BASIC, BASIC] },
      { authorization: `Bearer ${token}` },
      { authorization: 'Basic people' },
    ];
    for (const headers of credentials) {
      const answer = await exchange(token, {}, headers);
      expect([answer.status, answer.body]).toEqual([401, { error: 'invalid_client' }]);
      expect(answer.headers['www-authenticate']).toBe('Basic');
    }
    expect((await lastRecord()).outcome).toBe('authentication-failed');
  });

  it('authenticates a workload by a short-lived, single-use assertion (RFC 7523)', async () => {
    const first = await exchange(await held());
    const shown = await assertion();
    // The ledger holds a token and exchanges it for itself: the second hop.
    const answer = await exchange(first.token ?? '', shown, {});
    expect(answer.status).toBe(200);
    expect(decodeJwt(answer.token ?? '').req_wl).toBe(`${gateway.url},people,ledger`);
    const now = Math.floor(Date.now() / 1000);
    const stranger = {
      ...(await exportJWK((await generateKeyPair('ES256', { extractable: true })).privateKey)),
      alg: 'ES256',
    };
    for (const bad of [
      shown,
      await assertion({ aud: 'https://other.example' }),
      await assertion({ sub: 'people' }),
      await assertion({ iss: 'people', sub: 'people' }),
      await assertion({ exp: now + 600 }),
      await assertion({ exp: now - 60, iat: now - 90 }),
      await assertion({ exp: now + 600, iat: now + 570 }),
      await assertion({ jti: undefined }),
      await assertion({}, stranger),
      { ...(await assertion()), client_assertion_type: 'other' },
      { client_assertion: (await assertion()).client_assertion },
    ])
      expect((await exchange(first.token ?? '', bad, {})).body).toEqual({ error: 'invalid_client' });
    expect((await exchange(first.token ?? '', await assertion(), { authorization: BASIC })).body).toEqual({
      error: 'invalid_client',
    });
  });

  it('ends a chain after the configured number of hops', async () => {
    const first = await exchange(await held());
    const second = await exchange(first.token ?? '', await assertion(), {});
    const third = await exchange(second.token ?? '', await assertion(), {});
    expect(third.body).toEqual({ error: 'invalid_request' });
    expect(gateway.log.of('TXN_TOKEN_NOT_EXCHANGED').at(-1)?.reason).toBe('HOPS');
  });
});

describe('an exchanged token', () => {
  const names = fc.subarray(['a', 'b', 'c', 'd']);
  const alternatives = fc.array(fc.subarray(['a', 'b', 'c', 'd']), { maxLength: 2 });
  const requirement: fc.Arbitrary<Requirement> = fc.record({
    authenticated: fc.boolean(),
    scopes: fc.array(alternatives, { maxLength: 2 }),
    policies: fc.array(alternatives, { maxLength: 2 }),
    purposes: fc.array(names, { maxLength: 2 }),
    uncovered: fc.constant(false),
  });
  const vocabulary = fc.record({ scopes: names, policies: names, purposes: names, roles: names });

  it('never permits more than its predecessor, along a whole chain (property)', async () => {
    const keys = await SigningKeys.create();
    const propagation = { issuer: 'https://gateway.example' };
    const secret = 'x'.repeat(32);
    const workloads = ['w1', 'w2', 'w3'];
    const authorization = (name: string) => [`Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`];
    const passing = new TxnTokenExchange(
      { maxHops: 3, workloads: workloads.map((name) => ({ name, secret, audiences: ['w2', 'w3', 'w4'] })) },
      propagation.issuer,
    );
    const readAs = async (name: string, token: string) => {
      const { verified } = await createTxnTokenReader(name, {
        issuer: propagation.issuer,
        keys: keys.jwks().keys,
      })(token);
      if (verified === undefined) throw new Error('not accepted');
      return verified;
    };
    await fc.assert(
      fc.asyncProperty(
        fc.record({ scopes: names, policies: names, purposes: names, roles: names }),
        fc.boolean(),
        fc.constantFrom('full' as const, 'minimal' as const),
        fc.tuple(vocabulary, vocabulary, vocabulary, vocabulary),
        fc.array(requirement, { minLength: 5, maxLength: 5 }),
        alternatives,
        fc.integer({ min: 3, max: 40 }),
        async (holds, isService, detail, vocabularies, requirements, unless, left) => {
          const delegation: Delegation = {
            subject: isService ? 'urn:behalf:service:s' : 's',
            clientId: 'c',
            scopes: new Set(holds.scopes),
            policies: new Set(holds.policies),
            roles: holds.roles,
            ...(isService
              ? { service: true as const }
              : { consent: { id: 'k', version: 1, purposes: holds.purposes, detail } }),
          };
          let token = mintTxnToken(keys, propagation, {
            delegation,
            transactionId: 't',
            audience: 'w1',
            vocabulary: audienceVocabulary(undefined, vocabularies[0]),
            notAfter: Math.floor(Date.now() / 1000) + left,
          });
          let before = await readAs('w1', token);
          for (const [index, name] of workloads.entries()) {
            const audience = `w${index + 2}`;
            const form = new URLSearchParams({
              grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
              subject_token: token,
              subject_token_type: TYPE,
              audience,
            });
            const outcome = await passing.exchange(
              { authorization: authorization(name), form },
              {
                keys,
                propagation,
                vocabularyOf: () => audienceVocabulary(undefined, vocabularies[index + 1]),
                isSubgraph: () => false,
              },
            );
            if (outcome.token === undefined) throw new Error(outcome.reason);
            const after = await readAs(audience, outcome.token);
            for (const each of [...requirements, { ...NO_REQUIREMENT, authenticated: true }])
              if (isMet(each, after.delegation)) expect(isMet(each, before.delegation)).toBe(true);
            if (isExemptFromMinimize(unless, after.delegation))
              expect(isExemptFromMinimize(unless, before.delegation)).toBe(true);
            expect(before.delegation.roles).toEqual(expect.arrayContaining([...after.delegation.roles]));
            const { subject, clientId, service } = after.delegation;
            expect([subject, clientId, service]).toEqual([
              delegation.subject,
              delegation.clientId,
              delegation.service,
            ]);
            expect(after.expiresAt).toBeLessThanOrEqual(before.expiresAt);
            expect(after.transactionId).toBe('t');
            expect(after.requestingWorkloads).toEqual([...before.requestingWorkloads, name]);
            [token, before] = [outcome.token, after];
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('is bound to its request if the gateway binds tokens, or refused', async () => {
    const keys = await SigningKeys.create();
    const propagation = { issuer: 'https://gateway.example', bind: 'body' as const };
    const secret = 'x'.repeat(32);
    const passing = new TxnTokenExchange(
      { workloads: [{ name: 'one', secret, audiences: ['two', 'service'] }], services: { service: {} } },
      propagation.issuer,
    );
    const nothing = audienceVocabulary(undefined);
    const delegation: Delegation = {
      subject: 's',
      clientId: 'c',
      scopes: new Set(),
      policies: new Set(),
      roles: [],
    };
    const request = { query: '{ a }' };
    const token = mintTxnToken(keys, propagation, {
      delegation,
      transactionId: 't',
      audience: 'one',
      vocabulary: nothing,
      notAfter: Infinity,
      boundTo: graphqlRequestHash({ query: '{ other }' }),
    });
    const ask = (more: Record<string, string>) =>
      passing.exchange(
        {
          authorization: [`Basic ${Buffer.from(`one:${secret}`).toString('base64')}`],
          form: new URLSearchParams({
            grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
            subject_token: token,
            subject_token_type: TYPE,
            audience: 'two',
            ...more,
          }),
        },
        { keys, propagation, vocabularyOf: () => nothing, isSubgraph: (audience) => audience === 'two' },
      );
    expect(await ask({})).toMatchObject({ error: 'invalid_request', reason: 'REQUEST_HASH_MISSING' });
    expect((await ask({ audience: 'service' })).token).toBeDefined();
    const bound = await ask({ request_hash: graphqlRequestHash(request) ?? '' });
    const verify = createTxnTokenVerifier('two', { issuer: propagation.issuer, keys: keys.jwks().keys });
    expect((await verify(bound.token, { query: '{ b }' })).refusal).toBe('TXN_TOKEN_BODY');
    expect((await verify(bound.token, request)).verified).toBeDefined();
    expect((await verify(bound.token, request)).refusal).toBe('TXN_TOKEN_REPLAYED');
  });
});

describe('the configuration', () => {
  const issuers = [{ issuer: 'https://login.example', audience: 'a' }];
  const workload = { name: 'one', secret: 'x'.repeat(32), audiences: ['two'] };
  const config = (...workloads: unknown[]) =>
    checkConfig({ supergraph: 'x', issuers, propagation: { passOn: { workloads } } });

  it.each<[string, unknown[]]>([
    ['propagation.passOn.workloads[1].name', [workload, workload]],
    ['propagation.passOn.workloads[0].name', [{ ...workload, name: 'one,two' }]],
    ['propagation.passOn.workloads[0]', [{ name: 'one', audiences: ['two'] }]],
    ['propagation.passOn.workloads[0]', [{ ...workload, publicKey: { kty: 'EC', alg: 'ES256' } }]],
    ['propagation.passOn.workloads[0].secret', [{ ...workload, secret: 'short' }]],
    ['propagation.passOn.workloads', []],
  ])('names the key: %s', (path, workloads) => {
    expect(() => config(...workloads)).toThrow(new RegExp(`^${path.replaceAll(/[[\].]/g, '\\$&')}:`));
  });

  it('without workloads has no exchange endpoint', async () => {
    const at = await startTestGateway(cleanup, compose(people, accounts), {
      issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    });
    expect(
      (await send(`${at.url}/txn-token`, '', { 'content-type': 'application/x-www-form-urlencoded' })).status,
    ).toBe(404);
  });
});
