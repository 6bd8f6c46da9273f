import type { Delegation } from '@behalf/directives';
import * as fc from 'fast-check';
import { astFromValue, buildSchema, Kind, parse, print } from 'graphql';
import { beforeEach, describe, expect, it } from 'vitest';
import { createOperationAuthorizer } from '../../../gateway/authorize/index.js';
import type {
  Authorization,
  ClientOperation,
  OperationAuthorizer,
} from '../../../gateway/authorize/index.js';
import { composeSupergraph } from '../../../gateway/compose/compose.js';
import { testedSubgraph } from '../../directives/support.js';
import { delegationOf } from '../../properties/delegations.js';

const LINKS = `extend schema
  @link(
    url: "https://specs.apollo.dev/federation/v2.9"
    import: ["@key", "@authenticated", "@policy", "@requiresScopes", "@shareable", "@external"]
  )
  @link(
    url: "https://specs.behalf.dev/behalf/v0.1"
    import: ["@requiresScope", "@minimize", "@public", "@purpose", "@subject", "@personalData", "@filters"]
  )
`;
const SDL = `
  type Query {
    accounts(where: Where, order: Order = ID, max: Int @filters(field: "Account.balance")): [Account!] @public
    secured(max: Int @filters(field: "Account.balance")): [Account!] @requiresScope(scope: "secured")
    node: Node @public
    never(x: Int @filters(field: "Account.hidden")): Int @public
    judged(x: Int @filters(field: "Account.judged")): Int @public
  }
  input Where {
    balance: Range @filters(field: "Account.balance")
    holder: String @filters(field: "Account.holder")
    name: String
    and: [Where!]
    preset: Int = 3 @filters(field: "Account.holder")
  }
  input Range { gt: Int }
  enum Order { ID BALANCE @filters(field: "Account.balance") }
  interface Node { friends(above: Int): [Account!] }
  type Account implements Node @public {
    id: ID!
    balance: Int @minimize(to: GENERALIZE, step: 1000, unless: [["balance"]])
    holder: String @requiresScope(scope: "holder")
    hidden: Int @minimize(to: REDACT)
    judged: Int @policy(policies: [["fair"]])
    friends(above: Int @filters(field: "Account.balance")): [Account!]
  }
`;

const url = 'http://bank.invalid';
const supergraph = composeSupergraph([{ name: 'bank', url, sdl: LINKS + SDL }]);
let authorizer: OperationAuthorizer;
beforeEach(() => {
  authorizer = createOperationAuthorizer(supergraph);
});

function clientOf(text: string): ClientOperation {
  const document = parse(text);
  const [operation] = document.definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('no operation');
  return { document, operation, queryHash: text };
}

const holding = (...scopes: string[]): Delegation | undefined =>
  delegationOf({ scopes, policies: [], purposes: [] });

function decide(
  text: string,
  scopes: readonly string[] = [],
  variables: Record<string, unknown> = {},
): Authorization {
  return authorizer.authorize(clientOf(text), holding(...scopes), variables);
}

/** What of the operation is executed, on one line. */
const executed = ({ execute }: Authorization): string | undefined =>
  execute === undefined ? undefined : print(execute.document).replace(/\s+/g, ' ');

describe('what is executed', () => {
  it('is the operation without the selections whose arguments are refused', () => {
    const decided = decide('{ a: accounts(max: 5) { id } b: accounts { id } }');
    expect(executed(decided)).toBe('{ b: accounts { id } }');
    expect(decided.denials).toEqual([
      {
        coordinate: 'Query.accounts',
        toldAs: 'Query.accounts(max:)',
        requires: { scopes: [[['balance']]], filters: ['Account.balance'] },
        rule: '@filters(Account.balance) @minimize(unless: balance)',
        selections: 1,
      },
    ]);
  });

  it('drops a variable with the selection that uses it', () => {
    const text = 'query ($v: Int) { accounts(max: $v) { id } node { friends { id } } }';
    expect(executed(decide(text, [], { v: 1 }))).not.toContain('$v');
    expect(executed(decide(text, [], {}))).toContain('$v');
    expect(decide(text).unchanged).toBe(true);
  });

  it('is denied for the field itself first', () => {
    expect(decide('{ secured(max: 5) { id } }').denials).toMatchObject([
      { toldAs: 'Query.secured', requires: { scopes: [[['secured']]] } },
    ]);
    expect(decide('{ secured(max: 5) { id } }', ['secured']).denials).toMatchObject([
      { toldAs: 'Query.secured(max:)' },
    ]);
    expect(decide('{ secured(max: 5) { id } }', ['secured', 'balance']).denials).toEqual([]);
  });

  it('is decided on an interface as on the types that answer', () => {
    const text = '{ node { friends(above: 5) { id } } }';
    const { denials, execute } = decide(text);
    expect(execute).toBeUndefined();
    expect(denials).toMatchObject([{ toldAs: 'Node.friends(above:)' }]);
    expect(decide(text, ['balance']).denials).toEqual([]);
  });

  it('gives the denial its place in the response', () => {
    const { errors = [], data } = decide(
      '{ a: accounts(order: BALANCE) { id } b: accounts { id } }',
    ).complete({
      data: { b: [{ id: '1' }] },
    });
    expect(data).toEqual({ a: null, b: [{ id: '1' }] });
    expect(errors).toMatchObject([{ path: ['a'], extensions: { coordinate: 'Query.accounts(order:)' } }]);
  });

  it('does not depend on a selection that is left out', () => {
    const text = 'query ($s: Boolean!) { accounts(max: 5) @skip(if: $s) { id } node { friends { id } } }';
    expect(decide(text, [], { s: true }).denials).toEqual([]);
    expect(decide(text, [], { s: false }).denials).toHaveLength(1);
  });
});

describe('a decision is shared', () => {
  const text = 'query ($w: Where, $m: Int) { accounts(where: $w, max: $m) { id } }';

  it('by requests that use the same conditions, whatever their values', () => {
    decide(text, [], { w: { balance: { gt: 1 } } });
    const { decisions } = authorizer.cached();
    decide(text, [], { w: { and: [{ balance: null }] } });
    expect(authorizer.cached().decisions).toBe(decisions);
  });

  it('and not by those that use others', () => {
    const told = (variables: Record<string, unknown>): unknown =>
      decide(text, [], variables).denials.map(({ toldAs, requires }) => [toldAs, requires.filters]);
    expect(told({ w: { balance: {} } })).toEqual([['Query.accounts(where:)', ['Account.balance']]]);
    expect(told({ w: { holder: 'x' } })).toEqual([['Query.accounts(where:)', ['Account.holder']]]);
    expect(told({ m: 1 })).toEqual([['Query.accounts(max:)', ['Account.balance']]]);
    expect(told({})).toEqual([]);
    expect(told({ w: {} })).toEqual([]);
  });

  it('and not with a consent to the least detail', () => {
    const minimal = { ...delegationOf({ scopes: ['balance'], policies: [], purposes: [] }) } as Delegation;
    const consent = { id: 'c', version: 1, purposes: [], detail: 'minimal' } as const;
    const client = clientOf('{ accounts(max: 1) { id } }');
    expect(authorizer.authorize(client, minimal, {}).denials).toEqual([]);
    expect(authorizer.authorize(client, { ...minimal, consent }, {}).denials).toMatchObject([
      { requires: { filters: ['Account.balance'], rule: 'minimized' } },
    ]);
    expect(authorizer.authorize(client, holding(), {}).denials).toMatchObject([
      { requires: { scopes: [[['balance']]] } },
    ]);
  });
});

describe('policies', () => {
  it.each([
    ['{ judged(x: 1) }', ['fair']],
    ['query ($x: Int) { judged(x: $x) }', ['fair']],
    ['{ judged }', []],
  ])('of %s are asked about %j', (text, policies) => {
    expect(authorizer.policiesOf(clientOf(text))).toEqual(policies);
  });
});

describe('an explanation', () => {
  it('names the argument, what it filters by, and what is missing', () => {
    const text = 'query ($w: Where) { accounts(where: $w, order: BALANCE) { id } }';
    const explained = authorizer.explain(clientOf(text), holding('holder'), { w: { holder: 'x' } });
    expect(explained.allowed).toBe(false);
    expect(explained.selections[0]).toMatchObject({
      decision: 'denied',
      filters: [
        {
          at: 'Order.BALANCE',
          fields: ['Account.balance'],
          met: false,
          missing: { scopes: [[['balance']]] },
        },
        { at: 'Where.holder', rule: '@filters(Account.holder) @requiresScopes(holder)', met: true },
      ],
    });
    expect(explained.needs.scopes.sets).toEqual([['balance', 'holder']]);
    expect(explained.lacks?.scopes.sets).toEqual([['balance']]);
  });

  it('says where nobody can meet the condition', () => {
    const explained = authorizer.explain(clientOf('{ never(x: 1) }'), holding(), {});
    expect(explained.needs.impossible).toEqual(['Query.never(x:)']);
    expect(explained.selections[0]?.filters?.[0]?.missing).toEqual({
      filters: ['Account.hidden'],
      rule: 'minimized',
    });
  });
});

describe('composition', () => {
  const part = (name: string, sdl: string): { name: string; url: string; sdl: string } => ({
    name,
    url: `http://${name}.invalid`,
    sdl: LINKS + sdl,
  });
  const account =
    'type Account @key(fields: "id") @public @shareable { id: ID! balance: Int @requiresScope(scope: "b") }';
  const input = (filters: string): string =>
    `input Range { gt: Int ${filters} } enum Order { ID BALANCE ${filters} }`;
  const query = (filters: string): string =>
    `type Query @shareable { accounts(max: Int ${filters}, range: Range, order: Order): [Account!] @public }`;
  const STATED = '@filters(field: "Account.balance")';

  it.each([
    ['the argument', query(STATED) + input(''), query('') + input(''), '(max: 1)'],
    ['the input field', query('') + input(STATED), query('') + input(''), '(range: { gt: 1 })'],
    ['the enum value', query('') + input(STATED), query('') + input(''), '(order: BALANCE)'],
  ])('puts %s under the rule that one of two subgraphs states', (_which, stating, silent, args) => {
    for (const [one, two] of [
      [stating, silent],
      [silent, stating],
    ] as const) {
      authorizer = createOperationAuthorizer(
        composeSupergraph([part('one', account + one), part('two', account + two)]),
      );
      expect(decide(`{ accounts${args} { id } }`).denials).toMatchObject([
        { requires: { scopes: [[['b']]], filters: ['Account.balance'] } },
      ]);
      expect(decide(`{ accounts${args} { id } }`, ['b']).denials).toEqual([]);
    }
  });

  it('requires what every subgraph requires of the field', () => {
    const stricter = account.replace('@requiresScope(scope: "b")', '@requiresScope(scope: "c")');
    authorizer = createOperationAuthorizer(
      composeSupergraph([
        part('one', account + query(STATED) + input('')),
        part('two', stricter + query('') + input('')),
      ]),
    );
    expect(decide('{ accounts(max: 1) { id } }', ['b']).denials).toHaveLength(1);
    expect(decide('{ accounts(max: 1) { id } }', ['b', 'c']).denials).toEqual([]);
  });

  it('refuses a field that no subgraph has', () => {
    const misspelt = part('one', account + query('@filters(field: "Account.balnce")') + input(''));
    expect(() => composeSupergraph([misspelt])).toThrow(
      expect.objectContaining({ details: [expect.stringContaining('did you mean balance?')] }) as Error,
    );
    const broken = supergraph.replaceAll('field: "Account.judged"', 'field: "Account.jugded"');
    expect(() => createOperationAuthorizer(broken)).toThrow('did you mean judged?');
  });
});

describe('composition loses nothing', () => {
  it('of an argument that only one subgraph has', () => {
    const one =
      'type Query @shareable { a(x: Int @filters(field: "Query.b")): Int @public b: Int @requiresScope(scope: "b") }';
    const two = 'type Query @shareable { a: Int @public }';
    const sdl = composeSupergraph([
      { name: 'one', url, sdl: LINKS + one },
      { name: 'two', url, sdl: LINKS + two },
    ]);
    expect(sdl).not.toContain('Query.b');
  });

  it('of an argument that a subgraph takes over', () => {
    const [b, links] = [
      'b: Int @shareable @requiresScope(scope: "b")',
      LINKS.replace('"@key"', '"@key", "@override"'),
    ];
    const one = `type Query { a(x: Int @filters(field: "Query.b")): Int @public ${b} }`;
    const two = `type Query { a(x: Int): Int @public @override(from: "one") ${b} }`;
    const compose = (): unknown =>
      composeSupergraph([
        { name: 'one', url, sdl: links + one },
        { name: 'two', url, sdl: links + two },
      ]);
    try {
      const { denials } = createOperationAuthorizer(compose() as string).authorize(
        clientOf('{ a(x: 1) }'),
        undefined,
        {},
      );
      expect(denials).toHaveLength(1);
    } catch (error) {
      expect(error).toMatchObject({ details: [expect.stringMatching(/^RULE_LOST: \[one\] Query.a\(x:\)/)] });
    }
  });
});

interface Where {
  readonly balance?: { readonly gt?: number } | null;
  readonly holder?: string | null;
  readonly name?: string;
  readonly and?: readonly Where[] | Where | null;
}

const { where } = fc.letrec<{ where: Where }>((tie) => ({
  where: fc.record(
    {
      balance: fc.option(fc.record({ gt: fc.nat() }, { requiredKeys: [] })),
      holder: fc.option(fc.string()),
      name: fc.string(),
      and: fc.oneof(
        { depthSize: 'small' },
        fc.constant(null),
        fc.array(tie('where'), { maxLength: 3 }),
        tie('where'),
      ),
    },
    { requiredKeys: [] },
  ),
}));

function fieldsUsed({ balance, holder, and }: Where): string[] {
  const below = and === undefined || and === null ? [] : [and].flat().flatMap((each) => fieldsUsed(each));
  return [
    ...(balance === undefined ? [] : ['balance']),
    ...(holder === undefined ? [] : ['holder']),
    ...below,
  ];
}

const inputSchema = buildSchema(
  `type Query { x: Int } input Where { balance: Range holder: String name: String and: [Where!] } input Range { gt: Int }`,
);

function literal(value: Where): string {
  const node = astFromValue(value, inputSchema.getType('Where') as never);
  return node === null || node === undefined ? 'null' : print(node);
}

/** The same value as a literal, as a variable, as the default of one, and partly as one. */
function forms(value: Where): readonly (readonly [string, Record<string, unknown>])[] {
  return [
    [`{ accounts(where: ${literal(value)}) { id } }`, {}],
    ['query ($v: Where) { accounts(where: $v) { id } }', { v: value }],
    [`query ($v: Where = ${literal(value)}) { accounts(where: $v) { id } }`, {}],
    ['query ($v: Where!) { accounts(where: { and: [{ name: "x" }, $v] }) { id } }', { v: value }],
    ['query ($v: [Where!]) { accounts(where: { and: $v }) { id } }', { v: [value] }],
  ];
}

describe('gateway and subgraph', () => {
  const subgraph = testedSubgraph(SDL, { Query: { accounts: () => [] } });

  it('decide alike, by what is used and not by how it is written', async () => {
    await fc.assert(
      fc.asyncProperty(where, fc.subarray(['balance', 'holder']), async (value, scopes) => {
        const isDenied = fieldsUsed(value).some((field) => !scopes.includes(field));
        for (const [text, variables] of forms(value)) {
          expect(decide(text, scopes, variables).denials.length > 0).toBe(isDenied);
          const { errors } = await subgraph.ask(text, { scope: scopes.join(' ') }, variables);
          expect(errors !== undefined).toBe(isDenied);
        }
      }),
      { numRuns: 60 },
    );
  });
});
