import { describe, expect, it } from 'vitest';
import { composeSupergraph } from '../../gateway/compose/compose.js';
import { filteredNames } from '../../gateway/inspect/lint/filter-names.js';
import { lint } from '../../gateway/inspect/lint/index.js';
import type { Finding } from '../../gateway/inspect/lint/index.js';

const HEAD = `
extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@authenticated"])
  @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@requiresScope", "@minimize", "@public", "@filters"])
`;

function run(...schemas: readonly string[]): readonly Finding[] {
  const subgraphs = schemas.map((sdl, index) => ({
    name: `s${index}`,
    url: `http://s${index}`,
    file: `s${index}.graphql`,
    sdl: HEAD + sdl,
  }));
  return lint({
    subgraphs,
    supergraph: composeSupergraph(subgraphs),
    policy: undefined,
    today: '2026-11-24',
  });
}

function undeclared(findings: readonly Finding[]): string[] {
  return findings
    .filter(({ code }) => code === 'FILTER_UNDECLARED')
    .map(({ coordinate, message }) => `${coordinate}: ${/filtered by ([\w.]+)/.exec(message)?.[1]}`);
}

const CUSTOMER = `
  scalar Date
  type Customer @public {
    id: ID!
    name: String
    birthDate: Date @minimize(to: GENERALIZE, unit: YEAR, unless: [["identity"]])
    balance: Int @requiresScope(scope: "balance")
    iban: String @minimize(to: PSEUDONYMIZE)
    vip: Boolean @requiresScope(scope: "vip")
    tier: Tier @requiresScope(scope: "tier")
    employer: Employer
  }
  enum Tier { GOLD SILVER }
  type Employer @public { id: ID! revenue: Float @requiresScope(scope: "revenue") }
`;

const of = (args: string, more = '', returns = '[Customer!]'): readonly Finding[] =>
  run(`type Query { customers(${args}): ${returns} @public } ${CUSTOMER} ${more}`);

describe('arguments that look like a filter', () => {
  it.each([
    ['birthDate: Date', 'Customer.birthDate'],
    ['birthDate_gt: String', 'Customer.birthDate'],
    ['birth_date_before: Date', 'Customer.birthDate'],
    ['maxBirthDate: Date', 'Customer.birthDate'],
    ['balanceGte: Int', 'Customer.balance'],
    ['minBalance: Float', 'Customer.balance'],
    ['balanceIn: [Int!]', 'Customer.balance'],
    ['hasBalance: Boolean', 'Customer.balance'],
    ['isVip: Boolean', 'Customer.vip'],
    ['tier: [Tier!]', 'Customer.tier'],
    ['ibanStartsWith: String', 'Customer.iban'],
  ])('%s is found', (args, field) => {
    expect(undeclared(of(args))).toEqual([`Query.customers(${args.split(':')[0]}:): ${field}`]);
  });

  it.each([
    'name: String',
    'first: Int',
    'after: String',
    'balance: Boolean2',
    'tier: String',
    'vip: Int',
    'iban: String',
    'birthDate: Date @filters(field: "Customer.birthDate")',
  ])('%s is not', (args) => {
    expect(undeclared(of(args.replace('Boolean2', 'ID')))).toEqual([]);
  });

  it('are not found where everybody who can use them may know the value', () => {
    const sdl = `type Query {
      mine(balance: Int): [Customer!] @requiresScope(scope: "balance")
      other(balance: Int): [Customer!] @requiresScope(scope: "other") }`;
    expect(undeclared(run(sdl + CUSTOMER))).toEqual(['Query.other(balance:): Customer.balance']);
  });

  it('are found in input objects, for the rows that each is about', () => {
    const findings = of(
      'where: Where, covered: Where2 @filters(field: "Customer.balance")',
      `input Where { and: [Where!], birthDate: DateRange, employer: EmployerWhere, revenue: Float }
       input Where2 { balance: Int }
       input DateRange { gte: Date }
       input EmployerWhere { revenue: FloatRange, balance: Int }
       input FloatRange { gt: Float }`,
    );
    expect(undeclared(findings).sort()).toEqual([
      'EmployerWhere.revenue: Employer.revenue',
      'Where.birthDate: Customer.birthDate',
    ]);
  });

  it('are found in the values of a sort order, and in the fields of one', () => {
    const findings = of(
      'orderBy: [Order!], sort: SortInput, by: Column, filter: Tier',
      `enum Order { NAME_ASC BIRTH_DATE_ASC BALANCE_DESC_NULLS_LAST BALANCE @filters(field: "Customer.balance") }
       input SortInput { birthDate: Direction, column: Column }
       enum Direction { ASC DESC }
       enum Column { NAME BALANCE }`,
    );
    expect(undeclared(findings).sort()).toEqual([
      'Column.BALANCE: Customer.balance',
      'Order.BALANCE_DESC_NULLS_LAST: Customer.balance',
      'Order.BIRTH_DATE_ASC: Customer.birthDate',
      'SortInput.birthDate: Customer.birthDate',
    ]);
  });

  it('are found through a page', () => {
    const page = 'type Page @public { edges: [Edge!] total: Int } type Edge @public { node: Customer }';
    expect(undeclared(of('balance: Int', page, 'Page'))).toEqual([
      'Query.customers(balance:): Customer.balance',
    ]);
  });

  it('are reported by file and line, with what to write', () => {
    const [found] = of('\n\n balance: Int').filter(({ code }) => code === 'FILTER_UNDECLARED');
    expect(found).toMatchObject({
      severity: 'warning',
      file: 's0.graphql',
      line: 7,
      message: expect.stringContaining('write @filters(field: "Customer.balance")') as string,
    });
  });

  it('are not looked for in mutations, which mostly write what they are given', () => {
    const sdl = `type Query { a: Int @public } type Mutation { set(balance: Int): Customer @public } ${CUSTOMER}`;
    expect(undeclared(run(sdl))).toEqual([]);
  });

  it('are each visited once, however many inputs lead to them', () => {
    const inputs = Array.from({ length: 60 }, (_each, index) => {
      const links = Array.from({ length: 60 }, (_other, to) => `i${to}: I${to}`).join(' ');
      return `input I${index} { ${links} balance: Int }`;
    });
    expect(undeclared(of('where: I0', inputs.join('\n')))).toHaveLength(60);
  });
});

describe('the names', () => {
  it.each([
    ['minBalance_gte', ['minbalancegte', 'balancegte', 'minbalance', 'balance']],
    ['BIRTH_DATE_DESC', ['birthdatedesc', 'birthdate']],
    ['IBANIn', ['ibanin', 'iban']],
    ['from', ['from']],
    ['isNull', ['isnull', 'null', 'is']],
  ])('in %s are %j', (name, expected) => {
    expect([...filteredNames(name)].sort()).toEqual([...expected].sort());
  });
});

describe('declared filters', () => {
  it('that name a field without a rule here are an error, since the subgraph does not start', () => {
    const sdl = 'type Query { a(x: Int @filters(field: "Query.b")): Int @public b: Int @public }';
    expect(run(sdl)).toMatchObject([
      { code: 'FILTER_WITHOUT_RULE', severity: 'error', coordinate: 'Query.a(x:)' },
    ]);
  });

  it('of one subgraph are missed in another that has the argument', () => {
    const sdl = (filters: string): string =>
      `type Query @shareable { a(x: Int ${filters}): Int @public b: Int @requiresScope(scope: "b") }`;
    const findings = run(sdl('@filters(field: "Query.b")'), sdl(''));
    expect(findings).toMatchObject([
      { code: 'SHARED_FILTER_DIFFERS', severity: 'warning', coordinate: 'Query.a(x:)', subgraph: 's1' },
    ]);
  });
});
