import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { txnTokenRefusals } from '@behalf/directives/internal';
import { readRefusedToken } from '../../gateway/propagate/facts.js';
import { RefusedTokens } from '../../gateway/propagate/refused-tokens.js';
import {
  AUDIENCE,
  Cleanup,
  compose,
  freePort,
  sendJson,
  startTestGateway,
  TestIssuer,
  TestLog,
  TestSubgraph,
} from './support.js';
import type { TestGateway } from './support.js';

const cleanup = new Cleanup();
afterAll(() => cleanup.run());

describe('a protected subgraph that refuses every transaction token', () => {
  let issuer: TestIssuer;
  let people: TestSubgraph;
  let accounts: TestSubgraph;
  let gateway: TestGateway;
  let auditFile: string;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'behalf-refused-'));
    cleanup.add(() => rm(folder, { recursive: true, force: true }));
    auditFile = join(folder, 'audit.jsonl');
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const jwksUri = `${url}/.well-known/jwks.json`;
    const log = (): void => undefined;
    issuer = await TestIssuer.start();
    // It trusts another gateway; and the other one cannot fetch the keys.
    people = await TestSubgraph.start('people', { issuer: 'https://other.example', jwksUri }, undefined, {
      log,
    });
    const nowhere = `http://127.0.0.1:${await freePort()}/jwks`;
    accounts = await TestSubgraph.start('accounts', { issuer: url, jwksUri: nowhere }, undefined, { log });
    for (const each of [issuer, people, accounts]) cleanup.add(() => each.close());
    gateway = await startTestGateway(cleanup, compose(people, accounts), {
      listen: { port },
      issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
      audit: { mode: 'required', file: auditFile },
    });
  });

  const ask = async () =>
    gateway.ask('{ me { id name accounts { id } } }', {
      token: await issuer.mint({ scope: 'name accounts accounts:full' }),
    });

  it('is logged with its reason, once a minute, and not taken for unprotected', async () => {
    await ask();
    await ask();
    expect(gateway.log.of('TXN_TOKEN_REFUSED')).toContainEqual({
      subgraph: 'people',
      reason: 'TXN_TOKEN_ISSUER',
      count: 1,
    });
    const lines = gateway.log.of('TXN_TOKEN_REFUSED').filter(({ subgraph }) => subgraph === 'people');
    expect(lines).toHaveLength(1);
    expect(gateway.log.of('SUBGRAPH_UNPROTECTED')).toEqual([]);
    expect(gateway.log.of('SUBGRAPH_FACTS_MALFORMED')).toEqual([]);
  });

  it('is counted by subgraph and reason', async () => {
    const { text } = await gateway.running.gateway.metrics();
    expect(text).toMatch(
      /behalf_refused_txn_tokens_total\{subgraph="people",reason="TXN_TOKEN_ISSUER"\} [1-9]/,
    );
  });

  it('is missing in the record', async () => {
    await ask();
    const [last = '{}'] = (await readFile(auditFile, 'utf8')).trim().split('\n').reverse();
    expect((JSON.parse(last) as { unaccounted?: unknown }).unaccounted).toContain('people');
  });

  it('tells the client nothing of it', async () => {
    expect((await ask()).text).not.toMatch(/refusedToken|TXN_TOKEN/);
  });

  it('is not believed about a request without a token', async () => {
    const before = gateway.log.of('TXN_TOKEN_REFUSED').length;
    people.instead = (_request, response) =>
      sendJson(response, 200, {
        data: { hello: 'x' },
        extensions: { behalf: { v: 1, refusedToken: 'TXN_TOKEN_REPLAYED' } },
      });
    const answer = await gateway.ask('{ hello }');
    people.instead = undefined;
    expect(answer.body).toEqual({ data: { hello: 'x' } });
    expect(gateway.log.of('TXN_TOKEN_REFUSED')).toHaveLength(before);
  });
});

describe('the reason of a hostile subgraph', () => {
  it.each(Object.keys(txnTokenRefusals))('may be %s', (refusedToken) => {
    expect(readRefusedToken({ v: 1, refusedToken })).toBe(refusedToken);
  });

  it.each(['constructor', '__proto__', 'x'.repeat(100_000), 'TXN_TOKEN_NEW', ''])(
    'never becomes a label of its own',
    (refusedToken) => {
      expect(readRefusedToken({ v: 1, refusedToken })).toBe('TXN_TOKEN_INVALID');
    },
  );

  it.each([undefined, null, [], 'x', {}, { v: 1 }, { v: 2, refusedToken: 'x' }, { v: 1, refusedToken: {} }])(
    'is none in other facts: %j',
    (facts) => {
      expect(readRefusedToken(facts)).toBeUndefined();
    },
  );
});

it('refused tokens are logged once a minute per subgraph and reason, with their number', () => {
  let nowMs = 0;
  const counted: string[] = [];
  const log = new TestLog();
  const metrics = { countRefusedToken: (subgraph: string) => void counted.push(subgraph) };
  const tokens = new RefusedTokens(metrics, log, { monotonic: () => nowMs });
  for (let second = 0; second <= 60; second += 1) {
    nowMs = second * 1_000;
    tokens.report('people', 'TXN_TOKEN_CLAIM');
  }
  tokens.report('people', 'TXN_TOKEN_EXPIRED');
  tokens.report('accounts', 'TXN_TOKEN_CLAIM');
  expect(log.of('TXN_TOKEN_REFUSED')).toEqual([
    { subgraph: 'people', reason: 'TXN_TOKEN_CLAIM', count: 1 },
    { subgraph: 'people', reason: 'TXN_TOKEN_CLAIM', count: 60 },
    { subgraph: 'people', reason: 'TXN_TOKEN_EXPIRED', count: 1 },
    { subgraph: 'accounts', reason: 'TXN_TOKEN_CLAIM', count: 1 },
  ]);
  expect(counted).toHaveLength(63);
});
