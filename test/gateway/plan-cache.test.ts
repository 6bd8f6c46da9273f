import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  AUDIENCE,
  Cleanup,
  codes,
  compose,
  send,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
} from './support.js';
import type { Answer, Asking, TestGateway } from './support.js';

/**
 * @apollo/gateway caches query plans by a hash and not by the document. Whatever the order of operations, a subgraph must
 * receive only what this caller may read.
 */

const cleanup = new Cleanup();
let issuer: TestIssuer;
let people: TestSubgraph;
let accounts: TestSubgraph;
let gateway: TestGateway;
let full: string;
let limited: string;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  accounts = await TestSubgraph.start('accounts');
  for (const each of [issuer, people, accounts]) cleanup.add(() => each.close());
  gateway = await startTestGateway(cleanup, compose(people, accounts), {
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
  });
  full = await issuer.mint({ scope: 'name email accounts accounts:full balance people:write' });
  limited = await issuer.mint({ scope: 'name' });
});
afterAll(() => cleanup.run());
beforeEach(clear);

function clear(): void {
  people.requests.length = 0;
  accounts.requests.length = 0;
}

async function asked(query: string, asking: Asking): Promise<Answer> {
  clear();
  return gateway.ask(query, asking);
}

/** Makes an operation that no other test has sent. */
let count = 0;
const fresh = (): string => `fresh${(count += 1)}`;

const isFull = (answer: Answer): void => {
  expect(answer.body).toEqual({
    data: {
      me: {
        id: 'c-000001',
        name: 'Name of c-000001',
        email: 'c-000001@example.org',
        accounts: [{ iban: 'SE4550000000058398257466', balance: 100 }],
      },
    },
  });
  expect(people.queries).toContain('email');
  expect(accounts.queries).toMatch(/iban[^]*balance/);
};
const isLimited = (answer: Answer): void => {
  expect(answer.body.data).toEqual({
    me: { id: 'c-000001', name: 'Name of c-000001', email: null, accounts: null },
  });
  expect(new Set(codes(answer))).toEqual(new Set(['UNAUTHORIZED_FIELD_OR_TYPE']));
  expect(people.requests).toHaveLength(1);
  expect(people.queries).not.toContain('email');
  expect(accounts.requests).toEqual([]);
};

describe.each([
  [
    'an anonymous operation',
    (alias: string) => [`{ me { id name email accounts { iban balance } } } # ${alias}`],
  ],
  [
    'a named operation',
    (alias: string) => [`query ${alias} { me { id name email accounts { iban balance } } }`, alias],
  ],
] as const)('%s', (_name, make) => {
  it.each(['full', 'limited', 'nobody'] as const)(
    'answers each caller correctly, first for %s',
    async (first) => {
      const [query = '', operationName] = make(fresh());
      const asking = operationName === undefined ? {} : { operationName };
      const callers = {
        full: async () => isFull(await asked(query, { token: full, ...asking })),
        limited: async () => isLimited(await asked(query, { token: limited, ...asking })),
        nobody: async () => {
          const answer = await asked(query, asking);
          expect(answer.body.data).toMatchObject({ me: { id: 'c-000001', name: null, email: null } });
          expect(people.queries).not.toMatch(/name|email/);
          expect(accounts.requests).toEqual([]);
        },
      };
      await callers[first]();
      for (let round = 0; round < 2; round += 1) {
        await callers.full();
        await callers.limited();
        await callers.nobody();
      }
    },
  );

  it('answers concurrent callers correctly', async () => {
    const [query = '', operationName] = make(fresh());
    const asking = operationName === undefined ? {} : { operationName };
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_each, index) => {
        const token = index % 2 === 0 ? full : limited;
        return [token, await gateway.ask(query, { token, ...asking })] as const;
      }),
    );
    for (const [token, { body }] of answers) {
      const { email } = body.data?.me as { email: unknown };
      expect(email).toBe(token === full ? 'c-000001@example.org' : null);
    }
  });
});

describe('a mutation', () => {
  it.each([true, false])(
    'that is filtered out is not executed (full caller first: %s)',
    async (isFullFirst) => {
      const query = `mutation ${fresh()} { rename(name: "x") { id name } touch }`;
      const byFull = async (): Promise<void> => {
        const answer = await asked(query, { token: full });
        expect(answer.body).toEqual({ data: { rename: { id: 'c-000001', name: 'x' }, touch: 'touched' } });
      };
      if (isFullFirst) await byFull();
      for (const token of [limited, undefined, limited]) {
        const answer = await asked(query, { token });
        expect(answer.body.data).toEqual({ rename: null, touch: 'touched' });
        expect(people.requests).toHaveLength(1);
        expect(people.queries).not.toContain('rename');
      }
      await byFull();
    },
  );

  it('that is denied whole reaches no subgraph', async () => {
    const query = `mutation ${fresh()} { rename(name: "x") { id } }`;
    expect((await asked(query, { token: full })).body.errors).toBeUndefined();
    const answer = await asked(query, { token: limited });
    expect(answer.body.data).toEqual({ rename: null });
    expect(people.requests).toEqual([]);
  });
});

describe('two operations in one document', () => {
  it('are decided and planned separately', async () => {
    const [open, closed] = [fresh(), fresh()];
    const query = `
      query ${open} { me { id nick } }
      query ${closed} { me { id email } }
      mutation ${open}M { touch }
      mutation ${closed}M { rename(name: "x") { nick } }`;
    for (const token of [full, limited, full]) {
      const a = await asked(query, { token, operationName: open });
      expect(a.body).toEqual({ data: { me: { id: 'c-000001', nick: 'al' } } });
      expect(people.queries).not.toContain('email');
      const b = await asked(query, { token, operationName: closed });
      const email = token === full ? 'c-000001@example.org' : null;
      expect(b.body.data).toEqual({ me: { id: 'c-000001', email } });
      expect(people.queries.includes('email')).toBe(token === full);
      const c = await asked(query, { token, operationName: `${closed}M` });
      expect(c.body.data).toEqual({ rename: token === full ? { nick: 'al' } : null });
      expect(people.requests).toHaveLength(token === full ? 1 : 0);
      expect((await asked(query, { token, operationName: `${open}M` })).body.data).toEqual({
        touch: 'touched',
      });
    }
  });
});

describe('@skip and @include', () => {
  it('with other variables do not run another’s plan', async () => {
    const query = `query ${fresh()}($e: Boolean!, $n: Boolean!) {
      me { id name @skip(if: $n) email @include(if: $e) } }`;
    for (const token of [full, limited, full, limited]) {
      for (const [e, n] of [
        [true, false],
        [false, true],
        [true, true],
        [false, false],
      ] as const) {
        const answer = await asked(query, { token, variables: { e, n } });
        expect(answer.body.data).toEqual({
          me: {
            id: 'c-000001',
            ...(n ? {} : { name: 'Name of c-000001' }),
            ...(e ? { email: token === full ? 'c-000001@example.org' : null } : {}),
          },
        });
        if (token === limited) expect(people.queries).not.toContain('email');
        expect(codes(answer)).toHaveLength(token === limited && e ? 1 : 0);
      }
    }
  });
});

describe('the hash that the client names', () => {
  it('is ignored', async () => {
    const query = `query ${fresh()} { me { id email } }`;
    await asked(query, { token: full });
    const sha256Hash = createHash('sha256').update(query).digest('hex');
    const body = JSON.stringify({ query, extensions: { persistedQuery: { version: 1, sha256Hash } } });
    clear();
    const answer = await send(`${gateway.url}/graphql`, body, {
      'content-type': 'application/json',
      authorization: `Bearer ${limited}`,
    });
    expect(answer.text).not.toContain('@example.org');
    expect(people.queries).not.toContain('email');
  });
});
