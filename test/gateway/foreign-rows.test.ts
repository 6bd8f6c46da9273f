import { randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  AUDIENCE,
  Cleanup,
  compose,
  freePort,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
} from './support.js';
import type { TestGateway } from './support.js';

const LINKS = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@authenticated"])
  @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@subject"])
`;
const PEOPLE = `${LINKS}
  type Query {
    person(id: ID!): Person @authenticated
    needed(id: ID!): Person! @authenticated
    people(ids: [ID!]!): [Person!] @authenticated
    letter(id: ID!): Letter @authenticated
  }
  type Person @key(fields: "id") @subject(field: "owner") { id: ID! @authenticated name: String @authenticated }
  type Letter @authenticated { to: Person from: Person }`;
const PHONES = `${LINKS}
  type Person @key(fields: "id") @subject(field: "owner") {
    id: ID! @authenticated
    phone: String! @authenticated
    calls: [String!] @authenticated
  }`;

const cleanup = new Cleanup();
const auditFile = join(tmpdir(), `behalf-foreign-rows-${randomBytes(6).toString('hex')}.jsonl`);
const logged: string[] = [];
let issuer: TestIssuer;
let gateway: TestGateway;
let token: string;

/** The identifier determines the owner: the caller's own begin with `own`, foreign ones with `of`; others do not exist. */
function row(id: string): object | null {
  if (id.startsWith('own')) return { id, name: 'N', phone: '1', calls: [], owner: 'alma' };
  return id.startsWith('of') ? { id, name: 'N', phone: '1', calls: [], owner: 'noor' } : null;
}
const byId = (_: unknown, { id }: { id: string }): unknown => row(id);
const __resolveReference = async ({ id }: { id: string }): Promise<unknown> =>
  // A person from the first subgraph may be foreign or missing in the second.
  row(id.replace('own-elsewhere-', ''));

beforeAll(async () => {
  cleanup.add(() => rm(auditFile, { force: true }));
  const port = await freePort();
  const issuerUrl = `http://127.0.0.1:${port}`;
  const trust = { issuer: issuerUrl, jwksUri: `${issuerUrl}/.well-known/jwks.json` };
  issuer = await TestIssuer.start();
  const log = (code: string, { coordinate = '' }: { coordinate?: string }): void => {
    logged.push(`${code} ${coordinate}`);
  };
  const people = await TestSubgraph.start('people', trust, PEOPLE, {
    log,
    resolvers: {
      Query: {
        person: byId,
        needed: byId,
        people: (_: unknown, { ids }: { ids: string[] }) => ids.map(row).filter((found) => found !== null),
        letter: (_: unknown, { id }: { id: string }) => ({ to: row('own'), from: row(id) }),
      },
      Person: { __resolveReference: ({ id }: { id: string }) => row(id) },
    },
  });
  const phones = await TestSubgraph.start('phones', trust, PHONES, {
    log,
    resolvers: { Person: { __resolveReference } },
  });
  for (const each of [issuer, people, phones]) cleanup.add(() => each.close());
  gateway = await startTestGateway(cleanup, compose(people, phones), {
    listen: { port },
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    audit: { mode: 'required', file: auditFile, pseudonymKey: randomBytes(32).toString('base64url') },
  });
  token = await issuer.mint({ sub: 'alma' });
});
afterAll(() => cleanup.run());

async function lastRecord(): Promise<string[]> {
  const lines = (await readFile(auditFile, 'utf8')).trim().split('\n');
  const { fields } = JSON.parse(lines.at(-1) ?? '{}') as {
    fields: { coordinate: string; decision: string; rule?: string }[];
  };
  return fields
    .filter(({ decision }) => decision === 'denied')
    .map(({ coordinate, rule }) => `${coordinate} ${rule ?? ''}`);
}

describe('through the gateway, a foreign row looks missing', () => {
  it.each([
    ['{ person(id: "ID") { id name } }', 'Query.person'],
    ['{ person(id: "ID") { phone calls } }', 'Query.person'],
    ['{ needed(id: "ID") { id phone } }', 'Query.needed'],
    ['{ people(ids: ["ID", "own1", "ID2", "own2"]) { id phone } }', 'Query.people'],
    ['{ letter(id: "ID") { to { phone } from { name phone } } }', 'Letter.from'],
    ['{ person(id: "own-elsewhere-ID") { name calls } }', 'Person.id'],
    ['{ person(id: "own-elsewhere-ID") { name phone } }', 'Person.id'],
  ])('%s', async (query, coordinate) => {
    const missing = await gateway.ask(query.replaceAll('ID', 'no-'), { token });
    expect(await lastRecord()).toEqual([]);
    const foreign = await gateway.ask(query.replaceAll('ID', 'of-'), { token });
    expect(foreign.text).toBe(missing.text);
    expect(foreign.status).toBe(missing.status);
    expect(foreign.text).not.toContain('UNAUTHORIZED');
    // The record and the subgraph's log tell the team.
    expect(await lastRecord()).toContain(`${coordinate} @subject`);
    expect(logged).toContain(`FOREIGN_ROWS ${coordinate === 'Person.id' ? 'Person' : coordinate}`);
  });
});
