import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Explanation } from '../../gateway/authorize/index.js';
import { checkConfig } from '../../gateway/index.js';
import {
  AUDIENCE,
  BOTH_SCHEMES,
  Cleanup,
  compose,
  send,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
  until,
} from './support.js';
import type { Answer, TestGateway } from './support.js';
import { ofConsent, Transmitter } from '../revocation/transmitter.js';

const SCOPE = 'gateway:admin';
const JSON_TYPE = { 'content-type': 'application/json' };
const QUERY = 'query Look { me { name email accounts { iban balance } } }';
const cleanup = new Cleanup();
let issuer: TestIssuer;
let people: TestSubgraph;
let accounts: TestSubgraph;
let supergraph: string;
let gateway: TestGateway;
let auditFile: string;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-administration-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  auditFile = join(folder, 'audit.jsonl');
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  accounts = await TestSubgraph.start('accounts');
  for (const each of [issuer, people, accounts]) cleanup.add(() => each.close());
  supergraph = compose(people, accounts);
  gateway = await startTestGateway(cleanup, supergraph, {
    ...config(),
    administration: { scope: SCOPE },
    audit: { mode: 'required', file: auditFile },
  });
});
afterAll(() => cleanup.run());
beforeEach(() => {
  people.requests.length = 0;
});

function config() {
  return { issuers: [{ issuer: issuer.url, audience: AUDIENCE }] };
}

function explain(
  body: unknown,
  token: string | undefined,
  { headers = JSON_TYPE, url = gateway.url }: { headers?: Record<string, string>; url?: string } = {},
): Promise<Answer> {
  return send(`${url}/admin/explain`, JSON.stringify(body), {
    ...headers,
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  });
}

async function records(): Promise<
  { transactionId: string; outcome: string; reason?: string; operationName?: string }[]
> {
  const lines = (await readFile(auditFile, 'utf8')).trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Awaited<ReturnType<typeof records>>[number]);
}

const admin = (): Promise<string> => issuer.mint({ scope: SCOPE });

describe('an administrator', () => {
  it('sees the decision for a client with these scopes; nothing is executed', async () => {
    const answer = await explain({ query: QUERY, scopes: ['name', 'accounts'] }, await admin());
    expect(answer.status).toBe(200);
    const { selections, lacks, allowed } = answer.body as unknown as Explanation;
    expect(allowed).toBe(false);
    expect(Object.fromEntries(selections.map(({ path, decision }) => [path.join('.'), decision]))).toEqual({
      me: 'allowed',
      'me.name': 'allowed',
      'me.email': 'denied',
      'me.accounts': 'allowed',
      'me.accounts.iban': 'minimized',
      'me.accounts.balance': 'denied',
    });
    expect(lacks?.scopes.sets).toEqual([['balance', 'email']]);
    expect(people.requests).toEqual([]);

    const client = await gateway.ask(QUERY, { token: await issuer.mint({ scope: 'name accounts' }) });
    const denied = selections
      .filter(({ decision }) => decision === 'denied')
      .map(({ coordinate }) => coordinate);
    expect((client.body.errors ?? []).map(({ extensions }) => extensions?.coordinate)).toEqual(denied);
  });

  it('explains for an anonymous caller by leaving out the delegation', async () => {
    for (const body of [{ query: '{ mine }' }, { query: '{ mine }', anonymous: true }]) {
      const answer = await explain(body, await admin());
      expect((answer.body as unknown as Explanation).selections[0]?.decision).toBe('denied');
    }
    const authenticated = await explain({ query: '{ mine }', anonymous: false }, await admin());
    expect((authenticated.body as unknown as Explanation).allowed).toBe(true);
  });

  it('is recorded, and so is a caller who is refused', async () => {
    const used = await explain({ query: QUERY }, await admin());
    const refused = await explain({ query: QUERY }, await issuer.mint({ scope: 'name' }));
    const all = await records();
    const of = (answer: Answer) =>
      all.find(({ transactionId }) => transactionId === answer.headers['behalf-transaction']);
    expect(of(used)).toMatchObject({ outcome: 'explained', operationName: 'Look', fields: [] });
    expect(of(refused)).toMatchObject({ outcome: 'refused', reason: 'INSUFFICIENT_SCOPE' });
  });
});

describe('rfc6750: a caller who is not an administrator', () => {
  it('is refused with the fitting challenge', async () => {
    const nobody = await explain({ query: QUERY }, undefined);
    expect(nobody.status).toBe(401);
    expect(nobody.headers['www-authenticate']).toMatch(BOTH_SCHEMES);
    const other = await explain({ query: QUERY }, await issuer.mint({ scope: 'name gateway:administer' }));
    expect(other.status).toBe(403);
    expect(other.headers['www-authenticate']).toBe(
      `Bearer error="insufficient_scope", scope="gateway:admin", resource_metadata="${gateway.url}/.well-known/oauth-protected-resource/admin/explain"`,
    );
    const forged = await explain({ query: QUERY }, `${await admin()}x`);
    expect(forged.status).toBe(401);
    expect(forged.headers['www-authenticate']).toContain('invalid_token');
    for (const answer of [nobody, other, forged]) expect(answer.text).not.toContain('selections');
  });

  it('is refused as soon as the consent of the token is revoked', async () => {
    const transmitter = await Transmitter.start();
    const iss = transmitter.url;
    const guarded = await startTestGateway(cleanup, supergraph, {
      issuers: [{ issuer: iss, audience: AUDIENCE, jwksUri: `${issuer.url}/jwks` }],
      revocation: { streams: [{ issuer: iss, secret: 's' }] },
      administration: { scope: SCOPE },
    });
    cleanup.add(() => transmitter.close());
    await until(() => guarded.running.gateway.health().revocation === 'fresh', 'the view is fresh');
    const token = await issuer.mint({
      iss,
      scope: SCOPE,
      consent: { id: 'ends', version: 1, purposes: [], detail: 'full' },
    });
    expect((await explain({ query: QUERY }, token, { url: guarded.url })).status).toBe(200);
    await transmitter.announce(ofConsent('ends'));
    await until(
      async () => (await explain({ query: QUERY }, token, { url: guarded.url })).status === 401,
      'the token is refused',
    );
  });
});

describe('an invalid request', () => {
  it('from another site’s form is not read (CSRF)', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      '',
      'text/plain; application/json',
    ]) {
      const answer = await explain({ query: QUERY }, await admin(), { headers: { 'content-type': type } });
      expect(answer.status).toBe(415);
    }
    const get = await send(
      `${gateway.url}/admin/explain?query={me{name}}`,
      '',
      { authorization: `Bearer ${await admin()}` },
      'GET',
    );
    expect([get.status, get.headers.allow]).toEqual([405, 'POST']);
  });

  it.each([
    ['somebody’s token', { query: '{ hello }', token: 'x.y.z' }],
    ['no operation', { scopes: [] }],
    ['scopes that are not a list', { query: '{ hello }', scopes: 'name' }],
    ['an anonymous caller with scopes', { query: '{ hello }', scopes: ['name'], anonymous: true }],
    ['a list', ['{ hello }']],
    ['an invalid operation', { query: '{ nothing }' }],
    ['several operations without a name', { query: 'query A { hello } query B { hello }' }],
  ])('%s is 400', async (_name, body) => {
    expect((await explain(body, await admin())).status).toBe(400);
  });

  it('gets 404 without its key in the configuration', async () => {
    const plain = await startTestGateway(cleanup, supergraph, config());
    expect((await explain({ query: QUERY }, await admin(), { url: plain.url })).status).toBe(404);
    const base = { supergraph: 'x', issuers: [{ issuer: 'https://login.example', audience: 'a' }] };
    expect(() => checkConfig({ ...base, administration: {} })).toThrow('administration.scope: is missing');
    expect(() => checkConfig({ ...base, administration: { scope: 'a", b="c' } })).toThrow(
      'administration.scope',
    );
  });
});
