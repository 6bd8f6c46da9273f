import { mergeColumns, requestedColumns } from '@behalf/directives';
import type { ColumnMapping, RequestedColumn } from '@behalf/directives';
import { graphql } from 'graphql';
import type { GraphQLResolveInfo } from 'graphql';
import { describe, expect, it } from 'vitest';
import { testedSubgraph } from '../support.js';
import type { TestedSubgraph, TokenOptions } from '../support.js';
import { ACCOUNT, PARTY, SDL, SHOP } from './accounts.js';

interface Asked {
  readonly lists: readonly (readonly RequestedColumn[])[];
  readonly errors: readonly string[];
}

/** Tells which columns the resolver of the field was given. */
class Bank {
  #lists: (readonly RequestedColumn[])[] = [];
  readonly subgraph: TestedSubgraph;

  constructor(
    readonly mapping: ColumnMapping = ACCOUNT,
    readonly path = '',
    options: Parameters<typeof testedSubgraph>[2] = {},
  ) {
    const resolve = (_source: unknown, _args: unknown, context: unknown, info: GraphQLResolveInfo): null => {
      this.#lists.push(requestedColumns(info, context, this.mapping, this.path));
      return null;
    };
    const Query = { account: resolve, accounts: resolve, node: resolve, party: resolve, shop: resolve };
    const Account = {
      __resolveReference: (_ref: unknown, context: unknown, info: GraphQLResolveInfo) =>
        resolve({}, {}, context, info),
    };
    this.subgraph = testedSubgraph(
      SDL,
      { Query, Account, Node: { __resolveType: () => 'Account' }, Party: { __resolveType: () => 'Person' } },
      options,
    );
  }

  async ask(query: string, caller?: TokenOptions, variables?: Record<string, unknown>): Promise<Asked> {
    return this.execute(query, await this.subgraph.context(caller), variables);
  }

  async execute(
    query: string,
    contextValue: unknown,
    variableValues: Record<string, unknown> = {},
  ): Promise<Asked> {
    this.#lists = [];
    const { schema } = this.subgraph;
    const { errors = [] } = await graphql({ schema, source: query, contextValue, variableValues });
    return { lists: this.#lists, errors: errors.map(({ message }) => message) };
  }

  /** `property=column`, with the strategy if less than the value is wanted. */
  async columns(
    query: string,
    caller?: TokenOptions,
    variables?: Record<string, unknown>,
  ): Promise<string[]> {
    const { lists, errors } = await this.ask(query, caller, variables);
    expect(errors).toEqual([]);
    expect(lists).toHaveLength(1);
    return textsOf(lists[0] ?? []);
  }
}

function textsOf(columns: readonly RequestedColumn[]): string[] {
  return columns.map(({ property, column, minimize, constant }) => {
    const kept = minimize?.to === 'TRUNCATE' ? ` ${minimize.keep}` : '';
    const detail = minimize === undefined ? '' : ` ${minimize.to}${kept}`;
    return `${property}=${column}${detail}${constant === undefined ? '' : ` ${constant}`}`;
  });
}

const ALWAYS = ['id=id', 'holderId=holder_id'];
const READS = { scope: 'read' };

describe('requestedColumns', () => {
  it('has the selected fields’ columns, in the detail that the caller gets', async () => {
    const bank = new Bank();
    const query = '{ account { iban opened age address { city } } }';
    expect(await bank.columns(query, READS)).toEqual([
      ...ALWAYS,
      'iban=iban MASK',
      'opened=opened_on GENERALIZE',
      'opened_on=opened_on',
      'city=city',
    ]);
    expect(await bank.columns(query, { scope: 'read details' })).toEqual([
      ...ALWAYS,
      'iban=iban',
      'opened=opened_on',
      'opened_on=opened_on',
      'city=city',
    ]);
    const least = await bank.columns(query, { scope: 'read details', detail: 'minimal' });
    expect(least).toContain('iban=iban MASK');
  });

  it('has the detail of the level in force', async () => {
    const bank = new Bank(SHOP);
    const query = '{ shop { note } }';
    const levels = (...inForce: string[]): TokenOptions => ({
      ...READS,
      inForce: { levels: { 'Shop.note': inForce } },
    });
    expect(await bank.columns(query, levels('all'))).toEqual(['note=note']);
    expect(await bank.columns(query, levels('all', 'two'))).toEqual(['note=note TRUNCATE 2']);
    expect(await bank.columns(query, levels('none'))).toEqual([]);
  });

  it('leaves out what a rule denies, and everything below it', async () => {
    const query = '{ account { id secret open address { city street } } }';
    const bank = new Bank();
    expect(await bank.columns(query, READS)).toEqual([...ALWAYS, 'open=is_open', 'city=city']);
    expect(await bank.columns(query, { scope: 'secret' })).toEqual([
      ...ALWAYS,
      'hidden=secret',
      'open=is_open',
    ]);
  });

  it('leaves out what is redacted, or has the constant in its place', async () => {
    expect(await new Bank().columns('{ account { tax kind tags } }', READS)).toEqual([
      ...ALWAYS,
      'kind=kind REDACT [redacted]',
      // How many entries a list has is returned.
      'tags=tags REDACT',
    ]);
  });

  it('aliases, fragments, @skip and @include count', async () => {
    const query = `query ($no: Boolean!) {
      account { a: iban b: iban ...F ...F @skip(if: $no) ... @include(if: $no) { age } ... on Node { id } }
    }
    fragment F on Account { opened ... on Account { tags @skip(if: true) payments } }`;
    expect(await new Bank().columns(query, READS, { no: false })).toEqual([
      ...ALWAYS,
      'iban=iban MASK',
      'opened=opened_on GENERALIZE',
    ]);
  });

  it('fragments that double at each level are walked once', async () => {
    const levels = 40;
    const fragments = Array.from(
      { length: levels },
      (_, level) => `fragment F${level} on Account { ...F${level + 1} ... on Node { ...F${level + 1} } }`,
    );
    const query = `{ account { ...F0 } } ${fragments.join(' ')} fragment F${levels} on Account { open }`;
    // Walked at each spread, they would take longer than any test has.
    expect(await new Bank().columns(query, READS)).toEqual([...ALWAYS, 'open=is_open']);
  });

  it('looks at the end of a path, unless a field on it is denied', async () => {
    const query = '{ accounts { edges { cursor node { open } } edges { node { iban } } } }';
    expect(await new Bank(ACCOUNT, 'edges.node').columns(query, READS)).toEqual([
      ...ALWAYS,
      'iban=iban MASK',
      'open=is_open',
    ]);
    const hidden = new Bank(ACCOUNT, 'edges.hidden');
    expect(await hidden.columns('{ accounts { edges { hidden { iban } } } }', READS)).toEqual(ALWAYS);
  });

  it('an interface, and a reference, select what applies to the type', async () => {
    const bank = new Bank();
    expect(await bank.columns('{ node { id ... on Account { open } } }', READS)).toEqual([
      ...ALWAYS,
      'open=is_open',
    ]);
    const entities =
      '{ _entities(representations: [{ __typename: "Account", id: "1" }]) { ... on Account { iban } } }';
    expect(await bank.columns(entities, READS)).toEqual([...ALWAYS, 'iban=iban MASK']);
  });

  it('one property in two details is selected whole', async () => {
    const bank = new Bank(PARTY);
    expect(await bank.columns('{ party { __typename ... on Person { name } } }')).toEqual([
      'kind=kind',
      'name=name TRUNCATE 1',
    ]);
    expect(await bank.columns('{ party { ... on Merchant { name } ... on Person { name } } }')).toEqual([
      'name=name',
    ]);
  });

  it('the owner of the row is compared, so it is selected without being asked for', async () => {
    const { always: _none, ...mapping } = ACCOUNT;
    const bank = new Bank({
      ...mapping,
      columns: { ...mapping.columns, payments: [{ column: 'holder_id', as: 'holderId' }] },
    });
    expect(await bank.columns('{ account { open } }', READS)).toEqual(['holderId=holder_id', 'open=is_open']);
  });

  it('the key of a row with noise is selected, because noise is drawn from it', async () => {
    const sdl = `type Query { row: Row @public }
      type Row @key(fields: "id") @public { id: ID sum: Int @minimize(to: NOISE, spread: 10) }`;
    let columns: readonly RequestedColumn[] = [];
    const subgraph = testedSubgraph(sdl, {
      Query: {
        row: (_source: unknown, _args: unknown, context: unknown, info: GraphQLResolveInfo) => {
          columns = requestedColumns(info, context, {
            type: 'Row',
            columns: {},
            column: (field) => `c_${field}`,
          });
          return null;
        },
      },
      Row: { __resolveReference: () => null },
    });
    expect((await subgraph.ask('{ row { sum } }')).errors).toBeUndefined();
    expect(textsOf(columns)).toEqual(['id=c_id', 'sum=c_sum NOISE']);
  });
});

describe('who has no delegation gets the columns of public fields only', () => {
  const query = '{ shop { name margin note } }';
  const lists = async (bank: Bank, contextValue: unknown): Promise<string[][]> =>
    (await bank.execute(query, contextValue)).lists.map(textsOf);

  it('and who has one, those of the others', async () => {
    const bank = new Bank(SHOP);
    expect(await lists(bank, await bank.subgraph.context(READS))).toEqual([
      ['name=name', 'margin=margin', 'note=note'],
    ]);
  });

  it('without a token', async () => {
    const bank = new Bank(SHOP);
    expect(await lists(bank, await bank.subgraph.context(undefined))).toEqual([
      ['name=name', 'note=note TRUNCATE 1'],
    ]);
  });

  it('by a context value that the library did not make', async () => {
    expect(await lists(new Bank(SHOP), {})).toEqual([['name=name', 'note=note TRUNCATE 1']]);
  });

  it('by the context value of another subgraph', async () => {
    const other = await new Bank(SHOP).subgraph.context(READS);
    expect(await lists(new Bank(SHOP), other)).toEqual([['name=name', 'note=note TRUNCATE 1']]);
  });

  it('after the delegation’s end', async () => {
    const bank = new Bank(SHOP);
    const contextValue = await bank.subgraph.context(READS);
    bank.subgraph.nowMs += 60_000;
    expect(await lists(bank, contextValue)).toEqual([['name=name', 'note=note TRUNCATE 1']]);
  });
});

it('in shadow, every column is selected whole', async () => {
  const bank = new Bank(ACCOUNT, '', { enforcement: 'shadow' });
  expect(await bank.columns('{ account { iban tax secret address { street } } }')).toEqual([
    ...ALWAYS,
    'iban=iban',
    'tax=tax_id',
    'hidden=secret',
    'street=street',
  ]);
});

it('all rows of a field get the same list, and other fields another one', async () => {
  const { lists } = await new Bank().ask(
    '{ a: account { open } b: account { open } c: account { iban } }',
    READS,
  );
  expect(lists.map(textsOf)).toEqual([
    [...ALWAYS, 'open=is_open'],
    [...ALWAYS, 'open=is_open'],
    [...ALWAYS, 'iban=iban MASK'],
  ]);
});

describe('a mapping that does not fit is an error at the first call', () => {
  const problem = async (
    mapping: ColumnMapping,
    path = '',
    query = '{ account { open } }',
  ): Promise<readonly string[]> => (await new Bank(mapping, path).ask(query, READS)).errors;
  const without = (...names: string[]): ColumnMapping['columns'] =>
    Object.fromEntries(Object.entries(ACCOUNT.columns).filter(([name]) => !names.includes(name)));

  it('without a field that this operation does not select', async () => {
    expect(await problem({ ...ACCOUNT, columns: without('iban') })).toEqual([
      `Account.iban: has no column; write "iban": '…' if a column has its value, "iban": ['…'] with those that its resolver computes it from, or "iban": []`,
    ]);
    expect(await problem({ ...ACCOUNT, columns: without('address.street') })).toEqual([
      expect.stringContaining('Address.street: has no column; write "address.street"'),
    ]);
  });

  it('without a field that returns an object', async () => {
    const columns = without('address.city', 'address.street');
    expect(await problem({ ...ACCOUNT, columns, column: (field) => field })).toEqual([
      expect.stringContaining(
        `Account.address: has no columns; write "address": [] if its resolver needs none`,
      ),
    ]);
  });

  it('with a field that the type does not have', async () => {
    expect(await problem({ ...ACCOUNT, columns: { ...ACCOUNT.columns, ibam: 'x' } })).toEqual([
      'ibam: is no field of Account; did you mean iban?',
    ]);
  });

  it('without the owner', async () => {
    expect(await problem({ ...ACCOUNT, always: ['id'] })).toEqual([
      `Account: needs the property holderId of each row for its directives; write always: [{ column: '…', as: 'holderId' }]`,
    ]);
  });

  it('with two columns for one property', async () => {
    const columns = { ...ACCOUNT.columns, open: { column: 'is_open', as: 'iban' } };
    expect(await problem({ ...ACCOUNT, columns })).toEqual([
      'Account: the columns "iban" and "is_open" would both be the property iban; name one by as',
    ]);
  });

  it('for another type, or without the path', async () => {
    expect(await problem({ ...ACCOUNT, type: 'Acount' })).toEqual([
      'Acount: is no object type, interface or union of the schema',
    ]);
    expect(await problem(ACCOUNT, '', '{ accounts { total } }')).toEqual([
      'Query.accounts: returns no Account; give the path to it, for example "edges.node"',
    ]);
    expect(await problem(ACCOUNT, 'edges.nod', '{ accounts { total } }')).toEqual([
      'Query.accounts: returns no Account at "edges.nod"',
    ]);
  });

  it('in a schema without protection', async () => {
    const { buildSchema } = await import('graphql');
    const schema = buildSchema('type Query { a: A } type A { b: Int }');
    const rootValue = {
      a: (_args: unknown, context: unknown, info: GraphQLResolveInfo) =>
        requestedColumns(info, context, { type: 'A', columns: { b: 'b' } }),
    };
    const { errors } = await graphql({ schema, source: '{ a { b } }', rootValue });
    expect(errors?.[0]?.originalError).toMatchObject({ code: 'NOT_PROTECTED' });
  });
});

describe('mergeColumns', () => {
  const column: RequestedColumn = { column: 'c', property: 'p', coordinates: ['T.p'] };
  const minimize = { to: 'TRUNCATE', keep: 1 } as const;

  it('has each property once, and whole if a key wants it whole', () => {
    const little = { ...column, minimize };
    expect(mergeColumns([[little], [little], [{ ...column, property: 'q' }]])).toEqual([
      little,
      { ...column, property: 'q' },
    ]);
    expect(mergeColumns([[little], [column]])[0]?.minimize).toBeUndefined();
  });
});
