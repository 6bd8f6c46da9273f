import type { Choices } from './choices.js';
import { IMPLEMENTERS } from './shape.js';
import type { Shape } from './shape.js';

export type Row = Record<string, unknown>;

/** What resolvers get besides their arguments. */
export interface RunContext {
  /** Mutations, in execution order. */
  readonly ran: string[];
}

export interface Data {
  /** Root value: fields of Query and Mutation. */
  readonly root: Row;
  /** The entity that a representation names, as one subgraph has it. */
  entity(type: string, representation: Row): Row | undefined;
}

/** Draws rows for a shape: the same in every subgraph, so it does not matter which one answers. */
export function drawData(choices: Choices, shape: Shape): Data {
  const rows = new Map<string, Row[]>();
  for (const type of shape.entities) {
    rows.set(
      type,
      Array.from({ length: 1 + choices.below(3) }, (_, index) => ({
        __typename: type,
        id: `${type}${index}`,
        sku: `sku-${type}${index}`,
        org: index,
      })),
    );
  }
  const root: Row = {};
  for (const [type, entities] of rows) for (const row of entities) fill(row, type, String(row.id));
  fill(root, 'Query', 'q');
  for (const field of shape.types.get('Mutation')?.values() ?? []) {
    const value = valueOf(field.type, 'Mutation', field.name, field.name);
    root[field.name] = ({ k }: { k?: number | null }, { ran }: RunContext) => {
      ran.push(k === undefined ? field.name : `${field.name}(${k})`);
      return value;
    };
  }
  return {
    root,
    entity: (type, representation) =>
      rows
        .get(type)
        ?.find((row) =>
          ['id', 'sku', 'org'].every((key) => !(key in representation) || representation[key] === row[key]),
        ),
  };

  function fill(row: Row, type: string, label: string): void {
    for (const field of shape.types.get(type)?.values() ?? []) {
      if (field.name in row) continue;
      if (field.requires !== undefined) {
        const { requires, name } = field;
        Object.defineProperty(row, name, { enumerable: true, get: () => madeOf(requires, label, row) });
      } else if (field.args === '') row[field.name] = valueOf(field.type, type, field.name, label);
      else row[field.name] = ({ k }: { k?: number | null }) => `${label}.${field.name}(${k})`;
    }
  }

  function valueOf(type: string, parent: string, name: string, label: string): unknown {
    if (type.endsWith('!')) return present(type.slice(0, -1), parent, name, label);
    return choices.oneIn(6) ? null : present(type, parent, name, label);
  }

  function present(type: string, parent: string, name: string, label: string): unknown {
    if (type.startsWith('[')) {
      return Array.from({ length: choices.below(4) }, (_, index) =>
        valueOf(type.slice(1, -1), parent, name, `${label}.${index}`),
      );
    }
    switch (type) {
      case 'Int':
        return choices.below(100);
      case 'Boolean':
        return true;
      case 'E':
        return choices.of(['ONE', 'TWO']);
      case 'V': {
        return { __typename: 'V', p: choices.below(100), q: choices.oneIn(6) ? null : `${label}.${name}.q` };
      }
      case 'P': {
        const row: Row = { __typename: 'P' };
        fill(row, 'P', label);
        return row;
      }
      case 'I':
      case 'U':
        return anyOf(type, parent, name, label);
      default:
        return rows.has(type) ? choices.of(rows.get(type) ?? []) : `${label}.${name}`;
    }
  }

  /** One that every subgraph which may be asked for it knows. */
  function anyOf(type: string, parent: string, name: string, label: string): unknown {
    const graphs = [...(shape.types.get(parent)?.get(name)?.graphs ?? [])].flatMap(([graph, how]) =>
      how === 'own' ? [graph] : [],
    );
    const members = [...IMPLEMENTERS, 'C', 'V'].filter((member) =>
      graphs.every((graph) => shape.membersOf(type, graph).includes(member)),
    );
    return members.length === 0 ? null : present(choices.of(members), parent, name, label);
  }
}

/** The inputs of a field with `@requires` are part of its value, so wrong inputs make a wrong answer. */
export function madeOf(requires: string, label: string, given: Row): string {
  const names = namesOf(requires);
  const inputs = names.map(([name, nested]) => {
    const value = given[name];
    if (nested === undefined || value === null || value === undefined) return value;
    return (value as Row)[nested];
  });
  return `${label}<${JSON.stringify(inputs)}>`;
}

/**
 * Equal, or both made from inputs of the same field of the same object. `@apollo/gateway` does not always fetch the inputs of
 * an input first (`@requires` on a field with `@requires`), and then makes the value from nulls.
 */
export function isSameOrMade(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'string' || typeof other !== 'string') return false;
  const [label, ...made] = one.split('<[');
  return made.length > 0 && other.startsWith(`${label ?? ''}<[`);
}

/** `x v { p }` → `[['x'], ['v', 'p']]`. */
export function namesOf(requires: string): [string, string?][] {
  return [...requires.matchAll(/(\w+)(?: \{ (\w+) \})?/g)].map(([, name = '', nested]) =>
    nested === undefined ? [name] : [name, nested],
  );
}
