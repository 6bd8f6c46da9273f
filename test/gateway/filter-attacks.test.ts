import { randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  AUDIENCE,
  Cleanup,
  compose,
  freePort,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
} from './support.js';
import type { Answer, TestGateway } from './support.js';

/** A bank whose balances are rounded to thousands, with the arguments by which such a list is usually asked for. */
const schemaOf = (balance: string): string => `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@authenticated"])
  @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@minimize", "@filters"])

  type Query {
    accounts(
      minBalance: Int ${balance}
      where: AccountFilter
      orderBy: AccountOrder = ID_ASC
      first: Int = 10
      after: String
    ): AccountConnection @authenticated
  }
  input AccountFilter { balance: IntRange ${balance}, not: AccountFilter, anyOf: [AccountFilter!] }
  input IntRange { gte: Int, lt: Int }
  enum AccountOrder { ID_ASC BALANCE_ASC ${balance} }
  type AccountConnection @authenticated { totalCount: Int! edges: [AccountEdge!]! }
  type AccountEdge @authenticated { cursor: String! node: Account! }
  type Account @authenticated {
    id: ID!
    balance: Int @minimize(to: GENERALIZE, step: 1000, unless: [["balance:exact"]])
  }
`;

interface Account {
  readonly id: string;
  readonly balance: number;
}

interface Where {
  readonly balance?: { readonly gte?: number; readonly lt?: number } | null;
  readonly not?: Where;
  readonly anyOf?: readonly Where[];
}

interface Asked {
  readonly minBalance?: number | null;
  readonly where?: Where | null;
  readonly orderBy: 'ID_ASC' | 'BALANCE_ASC';
  readonly first: number;
  readonly after?: string | null;
}

const SECRET = 1_734;
const ACCOUNTS: readonly Account[] = [
  { id: '1', balance: SECRET },
  { id: '2', balance: 1_250 },
  { id: '3', balance: 1_990 },
];

function matches(account: Account, { balance, not, anyOf }: Where): boolean {
  if (balance?.gte !== undefined && account.balance < balance.gte) return false;
  if (balance?.lt !== undefined && account.balance >= balance.lt) return false;
  if (not !== undefined && matches(account, not)) return false;
  return anyOf?.some((each) => matches(account, each)) ?? true;
}

/** Written as such resolvers are: the cursor has the value that the list is sorted by. */
function page(_source: unknown, { minBalance, where, orderBy, first, after }: Asked): object {
  const keyOf = ({ id, balance }: Account): string =>
    orderBy === 'BALANCE_ASC' ? `balance:${String(balance).padStart(9, '0')}` : `id:${id}`;
  const found = ACCOUNTS.filter((account) => account.balance >= (minBalance ?? 0))
    .filter((account) => matches(account, where ?? {}))
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  if (minBalance !== null && minBalance !== undefined && found.length === 0)
    throw new Error(`no balance reaches ${minBalance}; the highest is ${SECRET}`);
  const from = after === null || after === undefined ? '' : Buffer.from(after, 'base64').toString();
  const rest = found.filter((account) => keyOf(account) > from).slice(0, first);
  return {
    totalCount: found.length,
    edges: rest.map((node) => ({ node, cursor: Buffer.from(keyOf(node)).toString('base64') })),
  };
}

const PSEUDONYM_KEY = randomBytes(32).toString('base64url');
const cleanup = new Cleanup();
const auditFile = join(tmpdir(), `behalf-filters-${randomBytes(6).toString('hex')}.jsonl`);
let issuer: TestIssuer;
/** With `@filters`, and the same without. */
let closed: TestGateway;
let open: TestGateway;
let bank: TestSubgraph;
let caller: string;

async function start(filters: string): Promise<{ gateway: TestGateway; subgraph: TestSubgraph }> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const trust = { issuer: url, jwksUri: `${url}/.well-known/jwks.json` };
  const subgraph = await TestSubgraph.start('bank', trust, schemaOf(filters), {
    resolvers: { Query: { accounts: page } },
  });
  cleanup.add(() => subgraph.close());
  const gateway = await startTestGateway(cleanup, compose(subgraph), {
    listen: { port },
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    audit: {
      mode: 'required',
      file: `${auditFile}${filters === '' ? '.open' : ''}`,
      pseudonymKey: PSEUDONYM_KEY,
    },
  });
  return { gateway, subgraph };
}

beforeAll(async () => {
  for (const file of [auditFile, `${auditFile}.open`]) cleanup.add(() => rm(file, { force: true }));
  issuer = await TestIssuer.start();
  cleanup.add(() => issuer.close());
  ({ gateway: open } = await start(''));
  ({ gateway: closed, subgraph: bank } = await start('@filters(field: "Account.balance")'));
  caller = await issuer.mint({ sub: 'mallory', scope: 'accounts' });
});
afterAll(() => cleanup.run());
beforeEach(() => {
  bank.requests.length = 0;
});

interface Page {
  readonly totalCount: number;
  readonly edges: readonly { readonly cursor: string; readonly node: Account }[];
}

function pageOf({ body }: Answer, key = 'accounts'): Page {
  return (body.data as Record<string, Page>)[key] ?? { totalCount: Number.NaN, edges: [] };
}

/** Denied for an argument: nothing of the answer depends on the rows, and the subgraph was not asked. */
function expectNothing(answer: Answer, argument: string): void {
  expect(answer.body).toEqual({
    data: { accounts: null },
    errors: [
      {
        message: 'Unauthorized field or type',
        path: ['accounts'],
        extensions: {
          code: 'UNAUTHORIZED_FIELD_OR_TYPE',
          coordinate: `Query.accounts(${argument}:)`,
          requires: {
            authenticated: true,
            scopes: [[['balance:exact']]],
            filters: ['Account.balance'],
          },
        },
      },
    ],
  });
  expect(bank.requests).toEqual([]);
}

/** Finds a value between two bounds by yes-or-no questions. */
async function search(isAtLeast: (value: number) => Promise<boolean>): Promise<number> {
  let [low, high] = [0, 1 << 14];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (await isAtLeast(middle)) low = middle;
    else high = middle;
  }
  return low;
}

describe('binary search by filter', () => {
  const query = 'query ($v: Int!) { accounts(where: { balance: { gte: $v } }) { edges { node { id } } } }';
  const has = async (gateway: TestGateway, value: number): Promise<boolean> =>
    pageOf(await gateway.ask(query, { token: caller, variables: { v: value } })).edges.some(
      ({ node }) => node.id === '1',
    );

  it('finds a minimized balance without @filters', async () => {
    const seen = await open.ask('{ accounts(first: 1) { edges { node { balance } } } }', { token: caller });
    expect(pageOf(seen).edges[0]?.node.balance).toBe(1_000);
    expect(await search((value) => has(open, value))).toBe(SECRET);
  });

  it('learns nothing with it: every question has the same answer', async () => {
    const answers = new Set<string>();
    await search(async (value) => {
      const answer = await closed.ask(query, { token: caller, variables: { v: value } });
      expectNothing(answer, 'where');
      answers.add(answer.text);
      return value % 2 === 0;
    });
    expect(answers.size).toBe(1);
  });

  it.each([
    ['(minBalance: 1735)', 'minBalance'],
    ['(minBalance: null)', 'minBalance'],
    ['(where: { balance: null })', 'where'],
    ['(where: { not: { balance: { gte: 1735 } } })', 'where'],
    ['(where: { anyOf: [{}, { anyOf: { balance: { lt: 1735 } } }] })', 'where'],
    ['(first: 1, orderBy: ID_ASC, where: { not: { not: { balance: {} } } })', 'where'],
  ])('%s does not get through', async (args, argument) => {
    const answer = await closed.ask(`{ accounts${args} { totalCount } }`, { token: caller });
    expectNothing(answer, argument);
  });

  it.each([
    ['$v: AccountFilter', '(where: $v)', { v: { anyOf: [{ balance: { lt: 5 } }] } }, 'where'],
    ['$v: AccountFilter = { balance: { lt: 5 } }', '(where: $v)', {}, 'where'],
    ['$v: IntRange', '(where: { balance: $v })', { v: null }, 'where'],
    ['$v: [AccountFilter!]', '(where: { anyOf: $v })', { v: { balance: {} } }, 'where'],
    ['$v: AccountOrder', '(orderBy: $v)', { v: 'BALANCE_ASC' }, 'orderBy'],
    ['$v: AccountOrder = BALANCE_ASC', '(orderBy: $v)', {}, 'orderBy'],
  ])('a variable (%s) does not get through either', async (declared, args, variables, argument) => {
    const query = `query (${declared}) { accounts${args} { totalCount } }`;
    expectNothing(await closed.ask(query, { token: caller, variables }), argument);
  });

  it('is decided anew when a variable gets a value, and when it loses it', async () => {
    const query = 'query ($v: Int, $w: AccountFilter) { accounts(minBalance: $v, where: $w) { totalCount } }';
    const ask = (variables: Record<string, unknown>): Promise<Answer> =>
      closed.ask(query, { token: caller, variables });
    for (let turn = 0; turn < 2; turn += 1) {
      expect(pageOf(await ask({})).totalCount).toBe(3);
      bank.requests.length = 0;
      expectNothing(await ask({ v: 1 }), 'minBalance');
      expectNothing(await ask({ w: { balance: {} } }), 'where');
      expect(pageOf(await ask({ w: { anyOf: [{}] } })).totalCount).toBe(3);
    }
  });

  it('is open to a caller who sees the values whole', async () => {
    const token = await issuer.mint({ sub: 'alma', scope: 'balance:exact' });
    const answer = await closed.ask(query, { token, variables: { v: SECRET } });
    expect(pageOf(answer).edges.map(({ node }) => node.id)).toEqual(['1', '3']);
  });
});

describe('sort order', () => {
  const query = '{ accounts(orderBy: BALANCE_ASC) { edges { node { id balance } } } }';

  it('ranks balances that look equal, without @filters', async () => {
    const { edges } = pageOf(await open.ask(query, { token: caller }));
    expect(edges.map(({ node }) => [node.id, node.balance])).toEqual([
      ['2', 1_000],
      ['1', 1_000],
      ['3', 1_000],
    ]);
  });

  it('ranks nothing with it', async () => {
    expectNothing(await closed.ask(query, { token: caller }), 'orderBy');
    const other = await closed.ask(query.replace('BALANCE', 'ID'), { token: caller });
    expect(pageOf(other).edges.map(({ node }) => node.id)).toEqual(['1', '2', '3']);
  });
});

describe('cursor', () => {
  const textOf = ({ cursor }: Page['edges'][number]): string => Buffer.from(cursor, 'base64').toString();

  it('has the value that the list is sorted by, without @filters', async () => {
    const query = '{ accounts(orderBy: BALANCE_ASC) { edges { cursor } } }';
    const { edges } = pageOf(await open.ask(query, { token: caller }));
    expect(edges.map(textOf)).toContain(`balance:00000${SECRET}`);
    expectNothing(await closed.ask(query, { token: caller }), 'orderBy');
  });

  it('made up by the caller pages by nothing that is hidden', async () => {
    const after = Buffer.from('balance:000001500').toString('base64');
    const order = '(orderBy: BALANCE_ASC, after: "AFTER")'.replace('AFTER', after);
    const query = `{ accounts${order} { edges { cursor node { id } } } }`;
    expect(pageOf(await open.ask(query, { token: caller })).edges.map(({ node }) => node.id)).toEqual([
      '1',
      '3',
    ]);
    expectNothing(await closed.ask(query, { token: caller }), 'orderBy');
    // In another order it is a position among identifiers.
    const byId = await closed.ask(query.replace('BALANCE_ASC', 'ID_ASC'), { token: caller });
    expect(pageOf(byId).edges.map(textOf)).toEqual(['id:1', 'id:2', 'id:3']);
  });
});

describe('totals', () => {
  const query = '{ accounts(minBalance: 1700) { totalCount } }';

  it('count the rows that match a hidden value, without @filters', async () => {
    expect(pageOf(await open.ask(query, { token: caller })).totalCount).toBe(2);
  });

  it('are null with it, whatever they would be', async () => {
    expectNothing(await closed.ask(query, { token: caller }), 'minBalance');
    expectNothing(await closed.ask(query.replace('1700', '99999'), { token: caller }), 'minBalance');
  });
});

describe('error messages', () => {
  it('of the resolver are never made', async () => {
    // It would throw, and its message has a balance.
    expectNothing(
      await closed.ask('{ accounts(minBalance: 99999) { totalCount } }', { token: caller }),
      'minBalance',
    );
  });

  it('about the value that was sent are the same for everybody', async () => {
    const query = 'query ($v: Int) { accounts(minBalance: $v) { totalCount } }';
    const texts = await Promise.all(
      [caller, await issuer.mint({ sub: 'alma', scope: 'balance:exact' })].map(
        async (token) => (await closed.ask(query, { token, variables: { v: 'x' } })).text,
      ),
    );
    expect(texts[0]).toBe(texts[1]);
  });
});

describe('aliases', () => {
  const aliases = Array.from(
    { length: 15 },
    (_each, index) => `a${index}: accounts(minBalance: ${1_725 + index}) { totalCount }`,
  );

  it('find the value in one request without @filters', async () => {
    const { body } = await open.ask(`{ ${aliases.join(' ')} }`, { token: caller });
    const counts = Object.values(body.data as Record<string, Page>).map(({ totalCount }) => totalCount);
    expect(1_725 + counts.lastIndexOf(2)).toBe(SECRET);
  });

  it('are all denied with it, and recorded once', async () => {
    const { body } = await closed.ask(`{ ${aliases.join(' ')} open: accounts { totalCount } }`, {
      token: caller,
    });
    expect(new Set(Object.values(body.data as object))).toEqual(new Set([null, { totalCount: 3 }]));
    expect(body.errors).toHaveLength(15);
    expect(
      new Set(body.errors?.map(({ message, extensions }) => JSON.stringify([message, extensions]))).size,
    ).toBe(1);
    expect(bank.requests.map(({ query }) => query)).toEqual([expect.not.stringContaining('minBalance')]);
    const last = (await readFile(auditFile, 'utf8')).trim().split('\n').at(-1) ?? '{}';
    const { fields } = JSON.parse(last) as { readonly fields: readonly { readonly decision: string }[] };
    expect(fields.filter(({ decision }) => decision === 'denied')).toEqual([
      {
        coordinate: 'Query.accounts',
        decision: 'denied',
        count: 15,
        rule: '@filters(Account.balance) @authenticated @minimize(unless: balance:exact)',
      },
    ]);
  });
});
