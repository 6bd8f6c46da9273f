import { RuleTable } from '@behalf/directives/internal';
import { buildSchema, parse } from 'graphql';
import type { GraphQLResolveInfo } from 'graphql';
import { describe, expect, it } from 'vitest';
import { compileOwnRows } from '../../directives/src/enforce/own-rows.js';
import type { OwnRows, RowsCall } from '../../directives/src/enforce/own-rows.js';
import type { RequestState } from '../../directives/src/enforce/request-state.js';
import type { RowOwner } from '../../directives/src/enforce/row-owner.js';
import { LINKS } from './support.js';

const SDL = `
  type Query {
    note: Note needed: Note! notes: [Note] nested: [[Note!]!]
    any: Any all: [Any] node: Node robot: Robot robots: [Robot] count: Int free: Free
  }
  interface Node { id: ID }
  union Any = Note | Robot
  union Free = Robot
  type Note implements Node @subject(field: "owner") { id: ID }
  type Robot implements Node { id: ID }`;
/** With a member that the rules do not know. */
const schema = buildSchema(
  `${SDL.replace('@subject(field: "owner")', '')} type Added { id: ID } extend union Any = Added`,
);
const rules = new RuleTable(parse(LINKS + SDL), { coverage: 'open' });

function compile(field: string): OwnRows | undefined {
  const type = schema.getQueryType()?.getFields()[field]?.type;
  if (type === undefined) throw new Error(`no field ${field}`);
  return compileOwnRows(type, schema, (name) => {
    const subject = rules.type(name)?.subject;
    return subject && { property: subject.property, exemptionIndex: 0 };
  });
}

interface Left {
  readonly rows: unknown;
  readonly foreign: number;
}

async function left(field: string, value: unknown): Promise<Left> {
  const state = {
    mayRead: (row: unknown, { property }: RowOwner) => (row as Record<string, unknown>)[property] === 'alma',
  } as unknown as RequestState;
  const call: RowsCall = { state, contextValue: {}, info: { schema } as GraphQLResolveInfo, foreign: 0 };
  const rows: unknown = await compile(field)?.(value, call);
  return { rows, foreign: call.foreign };
}

const own = { __typename: 'Note', owner: 'alma' };
const foreign = { __typename: 'Note', owner: 'noor' };
const robot = { __typename: 'Robot', owner: 'noor' };

describe('foreign rows are looked for', () => {
  it.each(['note', 'needed', 'notes', 'nested', 'any', 'all', 'node'])('in what %s returns', (field) => {
    expect(compile(field)).toBeDefined();
  });

  it.each(['robot', 'robots', 'count', 'free'])('and not in %s, where none can be', (field) => {
    expect(compile(field)).toBeUndefined();
  });
});

describe('of what a resolver returns is left', () => {
  it.each([
    ['note', own, own, 0],
    ['note', foreign, null, 1],
    ['needed', foreign, null, 1],
    ['note', Promise.resolve(foreign), null, 1],
    ['note', null, null, 0],
    ['note', undefined, undefined, 0],
    ['notes', [own, foreign, null], [own, null], 1],
    ['notes', new Set([foreign, own]), [own], 1],
    ['notes', foreign, null, 1],
    ['notes', own, own, 0],
    ['notes', [Promise.resolve(foreign), own], [own], 1],
    ['nested', [[own, foreign], [foreign], []], [[own], [], []], 2],
    ['any', foreign, null, 1],
    ['any', robot, robot, 0],
    ['any', { owner: 'noor' }, { owner: 'noor' }, 0],
    ['all', [robot, foreign, own], [robot, own], 1],
    ['node', foreign, null, 1],
  ])('%s: %j', async (field, value, rows, count) => {
    expect(await left(field, value)).toEqual({ rows, foreign: count });
  });

  it('an asynchronous list without them, as graphql 17 completes one', async () => {
    const list = (async function* () {
      yield foreign;
      yield own;
    })();
    expect(await left('notes', list)).toEqual({ rows: [own], foreign: 1 });
    // What is both is read as graphql-js reads it.
    const both = Object.assign([own, foreign], { [Symbol.asyncIterator]: () => list });
    expect(await left('notes', both)).toEqual({ rows: [own], foreign: 1 });
  });

  it('an error, at its place', async () => {
    const error = Object.assign(new Error('mine'), { owner: 'noor' });
    expect(await left('note', error)).toEqual({ rows: error, foreign: 0 });
    expect(await left('notes', [foreign, error])).toEqual({ rows: [error], foreign: 1 });
  });

  it.each([
    ['notes', 'owner'],
    ['all', 'owner'],
    ['nested', 'owner'],
  ])('of %s, an error where the %s of a row cannot be read', async (field, property) => {
    const unreadable = Object.defineProperty({ __typename: 'Note' }, property, {
      get: () => {
        throw new Error('detached');
      },
    });
    const inList = (rows: readonly unknown[]) => (field === 'nested' ? [rows] : rows);
    const { rows, foreign: count } = await left(field, inList([foreign, unreadable, own]));
    const list = (field === 'nested' ? (rows as unknown[])[0] : rows) as [Promise<unknown>, unknown];
    await expect(list[0]).rejects.toThrow('detached');
    expect(list.slice(1)).toEqual([own]);
    expect(count).toBe(1);
  });

  it('an error in place of an inner list that cannot be read', async () => {
    const broken = {
      [Symbol.iterator]: () => {
        throw new Error('closed');
      },
    };
    const { rows } = await left('nested', [broken, [own, foreign]]);
    const [failed, kept] = rows as [Promise<unknown>, unknown];
    await expect(failed).rejects.toThrow('closed');
    expect(kept).toEqual([own]);
  });

  it('a rejection, at its place', async () => {
    const { rows } = await left('notes', [foreign, Promise.reject(new Error('lost')), own]);
    const [rejected, kept] = rows as [Promise<unknown>, unknown];
    await expect(rejected).rejects.toThrow('lost');
    expect(kept).toBe(own);
  });

  it('a row whose type cannot be told, which graphql-js refuses', async () => {
    const unknown = schema.getType('Any') as { resolveType?: unknown };
    for (const resolveType of [
      () => {
        throw new Error('no type');
      },
      () => Promise.reject(new Error('no type')),
      () => Promise.resolve('Robot'),
    ]) {
      unknown.resolveType = resolveType;
      expect(await left('any', foreign)).toEqual({ rows: foreign, foreign: 0 });
    }
    unknown.resolveType = () => Promise.resolve('Note');
    expect(await left('any', foreign)).toEqual({ rows: null, foreign: 1 });
    delete unknown.resolveType;
  });
});
