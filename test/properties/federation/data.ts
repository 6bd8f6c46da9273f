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
  return new DataDrawing(choices, shape).draw();
}

class DataDrawing {
  readonly #choices: Choices;
  readonly #shape: Shape;
  readonly #rows = new Map<string, Row[]>();

  constructor(choices: Choices, shape: Shape) {
    this.#choices = choices;
    this.#shape = shape;
  }

  draw(): Data {
    for (const type of this.#shape.entities) {
      this.#rows.set(
        type,
        Array.from({ length: 1 + this.#choices.below(3) }, (_, index) => ({
          __typename: type,
          id: `${type}${index}`,
          sku: `sku-${type}${index}`,
          org: index,
        })),
      );
    }
    const root: Row = {};
    for (const [type, entities] of this.#rows)
      for (const row of entities) this.#fill(row, type, String(row.id));
    this.#fill(root, 'Query', 'q');
    for (const field of this.#shape.types.get('Mutation')?.values() ?? []) {
      const value = this.#valueOf(field.type, 'Mutation', field.name, field.name);
      root[field.name] = ({ k }: { k?: number | null }, { ran }: RunContext) => {
        ran.push(k === undefined ? field.name : `${field.name}(${k})`);
        return value;
      };
    }
    return {
      root,
      entity: (type, representation) =>
        this.#rows
          .get(type)
          ?.find((row) =>
            ['id', 'sku', 'org'].every((key) => !(key in representation) || representation[key] === row[key]),
          ),
    };
  }

  #fill(row: Row, type: string, label: string): void {
    for (const field of this.#shape.types.get(type)?.values() ?? []) {
      if (field.name in row) continue;
      if (field.requires !== undefined) {
        const { requires, name } = field;
        Object.defineProperty(row, name, { enumerable: true, get: () => madeOf(requires, label, row) });
      } else if (field.args === '') row[field.name] = this.#valueOf(field.type, type, field.name, label);
      else row[field.name] = ({ k }: { k?: number | null }) => `${label}.${field.name}(${k})`;
    }
  }

  #valueOf(type: string, parent: string, name: string, label: string): unknown {
    if (type.endsWith('!')) return this.#present(type.slice(0, -1), parent, name, label);
    return this.#choices.oneIn(6) ? null : this.#present(type, parent, name, label);
  }

  #present(type: string, parent: string, name: string, label: string): unknown {
    if (type.startsWith('[')) {
      return Array.from({ length: this.#choices.below(4) }, (_, index) =>
        this.#valueOf(type.slice(1, -1), parent, name, `${label}.${index}`),
      );
    }
    switch (type) {
      case 'Int':
        return this.#choices.below(100);
      case 'Boolean':
        return true;
      case 'E':
        return this.#choices.of(['ONE', 'TWO']);
      case 'V': {
        return {
          __typename: 'V',
          p: this.#choices.below(100),
          q: this.#choices.oneIn(6) ? null : `${label}.${name}.q`,
        };
      }
      case 'P': {
        const row: Row = { __typename: 'P' };
        this.#fill(row, 'P', label);
        return row;
      }
      case 'I':
      case 'U':
        return this.#anyOf(type, parent, name, label);
      default:
        return this.#rows.has(type) ? this.#choices.of(this.#rows.get(type) ?? []) : `${label}.${name}`;
    }
  }

  /** One that every subgraph which may be asked for it knows. */
  #anyOf(type: string, parent: string, name: string, label: string): unknown {
    const graphs = [...(this.#shape.types.get(parent)?.get(name)?.graphs ?? [])].flatMap(([graph, how]) =>
      how === 'own' ? [graph] : [],
    );
    const members = [...IMPLEMENTERS, 'C', 'V'].filter((member) =>
      graphs.every((graph) => this.#shape.membersOf(type, graph).includes(member)),
    );
    return members.length === 0 ? null : this.#present(this.#choices.of(members), parent, name, label);
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
