import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AUDIENCE, Cleanup, compose, send, startTestGateway, TestIssuer, TestSubgraph } from './support.js';
import { lastRecord } from '../support/audit-file.js';
import type { Answer, TestGateway } from './support.js';

const cleanup = new Cleanup();
let people: TestSubgraph;
let gateway: TestGateway;
let auditFile: string;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-persisted-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  auditFile = join(folder, 'audit.jsonl');
  const issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  gateway = await startTestGateway(cleanup, compose(people), {
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    audit: { mode: 'required', file: auditFile, pseudonymKey: Buffer.alloc(32, 7).toString('base64url') },
    http: { get: true, batch: {}, persistedQueries: {} },
  });
});
afterAll(() => cleanup.run());

async function expectRefused(answer: Answer, message: string): Promise<void> {
  expect(answer.status).toBe(400);
  expect(answer.body).toEqual({ errors: [{ message, extensions: { code: 'BAD_REQUEST' } }] });
  expect(people.requests).toEqual([]);
  expect(gateway.log.codes()).not.toContain('INTERNAL_SERVER_ERROR');
  expect(await lastRecord(auditFile)).toMatchObject({ outcome: 'refused', reason: 'OPERATION_INVALID' });
}

describe('a faulty persisted query is refused, and told what is wrong', () => {
  const query = '{ hello }';
  const sha256Hash = createHash('sha256').update(query).digest('hex');
  const VERSION = '"extensions.persistedQuery" must be an object with "version": 1 and "sha256Hash"';
  const HASH = '"extensions.persistedQuery.sha256Hash" must be the SHA-256 of the query, in lower-case hex';
  const post = (body: object): Promise<Answer> =>
    send(`${gateway.url}/graphql`, JSON.stringify(body), { 'content-type': 'application/json' });

  it.each<[string, unknown, string]>([
    ['version 2', { version: 2, sha256Hash }, VERSION],
    ['version "1"', { version: '1', sha256Hash }, VERSION],
    ['no version', { sha256Hash }, VERSION],
    ['a number', 5, VERSION],
    ['a list', [], VERSION],
    ['true', true, VERSION],
    ['the hash of another text', { version: 1, sha256Hash: sha256Hash.replace(/^./, 'g') }, HASH],
    ['no hash', { version: 1 }, HASH],
    ['a number as hash', { version: 1, sha256Hash: 5 }, HASH],
    ['null as hash', { version: 1, sha256Hash: null }, HASH],
    ['a hash in upper case', { version: 1, sha256Hash: sha256Hash.toUpperCase() }, HASH],
  ])('%s', async (_case, persistedQuery, message) => {
    await expectRefused(await post({ query, extensions: { persistedQuery } }), message);
  });

  it('by GET', async () => {
    const extensions = encodeURIComponent(
      JSON.stringify({ persistedQuery: { version: 1, sha256Hash: 'x' } }),
    );
    const url = `${gateway.url}/graphql?query=${encodeURIComponent(query)}&extensions=${extensions}`;
    const answer = await send(url, '', { 'apollo-require-preflight': '1' }, 'GET');
    await expectRefused(answer, HASH);
  });

  it('in a batch by itself', async () => {
    const body = [{ query, extensions: { persistedQuery: 5 } }, { query }];
    const answer = await post(body);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toEqual([
      { errors: [{ message: VERSION, extensions: { code: 'BAD_REQUEST' } }] },
      { data: { hello: 'hello world' } },
    ]);
  });
});
