import type { Choices } from './choices.js';

/** One field of the federation, and what each subgraph has of it. */
export interface FieldShape {
  readonly name: string;
  /** As in the schema: `[A!]`. */
  readonly type: string;
  readonly args: string;
  /** By subgraph: resolved there, or only mentioned there. */
  readonly graphs: Map<string, 'own' | 'external'>;
  /** Selection that the resolving subgraph must be given of the same object. */
  requires?: string;
  /** By subgraph: its `@provides` there. */
  readonly provides: Map<string, string>;
}

export type FieldsOfType = Map<string, FieldShape>;

/** The shape of a generated federation, without its rules and data. */
export interface Shape {
  readonly graphs: readonly string[];
  /** By type: entities `A` to `C`, values `V` and `P`, `Query`, `Mutation`. */
  readonly types: ReadonlyMap<string, FieldsOfType>;
  readonly entities: readonly string[];
  /** `@key`s by type and subgraph. */
  keysOf(type: string, graph: string): readonly string[];
  knows(graph: string, type: string): boolean;
  /** Possible object types of a type in one subgraph. */
  membersOf(type: string, graph: string): readonly string[];
  /** Fields of the interface in one subgraph. */
  interfaceFields(graph: string): readonly string[];
}

export const IMPLEMENTERS = ['A', 'B'] as const;
export const namedType = (type: string): string => type.replaceAll(/[[\]!]/g, '');
const INTERFACE_FIELDS = ['id', 'n', 'next'];
const KEY_MODES = [['id'], ['id', 'sku'], ['id org'], ['id', 'sku', 'id org']];
const LEAVES = new Map([
  ['n', 'Int'],
  ['x', 'String'],
  ['m', 'Int!'],
  ['l', '[String!]'],
  ['e', 'E'],
  ['s', 'S'],
  ['t', '[S!]!'],
]);

/** Draws a federation of two to four subgraphs. */
export function drawShape(choices: Choices): Shape {
  return new ShapeDrawing(choices);
}

class ShapeDrawing implements Shape {
  readonly graphs: readonly string[];
  readonly entities: readonly string[];
  readonly types = new Map<string, FieldsOfType>();
  readonly #unionMembers: readonly string[];
  readonly #home = new Map<string, string>();
  readonly #keys = new Map<string, readonly string[]>();
  readonly #known = new Set<string>();
  readonly #choices: Choices;

  constructor(choices: Choices) {
    this.#choices = choices;
    this.graphs = ['one', 'two', 'three', 'four'].slice(0, 2 + choices.below(3));
    this.entities = choices.oneIn(3) ? ['A', 'B'] : ['A', 'B', 'C'];
    this.#unionMembers = choices.some([...this.entities, 'V'], 2);
    for (const type of this.entities) this.#drawEntity(type);
    for (const type of this.entities) this.#drawFields(type);
    this.#drawRoots();
    for (const type of this.entities) this.#drawRequires(type);
    for (const fields of this.types.values()) this.#drawProvides(fields);
    this.#settle();
  }

  keysOf(type: string, graph: string): readonly string[] {
    return this.#keys.get(`${type} ${graph}`) ?? [];
  }

  knows(graph: string, type: string): boolean {
    return this.#known.has(`${graph} ${type}`);
  }

  membersOf(type: string, graph: string): readonly string[] {
    const members: readonly string[] =
      type === 'I' ? IMPLEMENTERS : type === 'U' ? this.#unionMembers : [type];
    return members.filter((member) => this.knows(graph, member));
  }

  interfaceFields(graph: string): readonly string[] {
    return INTERFACE_FIELDS.filter((name) =>
      this.membersOf('I', graph).every(
        (type) => this.types.get(type)?.get(name)?.graphs.get(graph) === 'own',
      ),
    );
  }

  #drawEntity(type: string): void {
    const choices = this.#choices;
    const home = choices.of(this.graphs);
    this.#home.set(type, home);
    this.types.set(type, new Map());
    this.#setKeys(type, home, choices.of(KEY_MODES));
    for (const graph of this.graphs) if (!choices.oneIn(3)) this.#need(graph, type);
  }

  #setKeys(type: string, graph: string, keys: readonly string[]): void {
    this.#keys.set(`${type} ${graph}`, keys);
    this.#known.add(`${graph} ${type}`);
    for (const name of keys.join(' ').split(' '))
      this.#define(type, name, name === 'org' ? 'Int!' : 'ID!').graphs.set(graph, 'own');
  }

  #define(type: string, name: string, sdl: string, args = ''): FieldShape {
    const fields = this.types.get(type) ?? new Map<string, FieldShape>();
    this.types.set(type, fields);
    const field = fields.get(name) ?? { name, type: sdl, args, graphs: new Map(), provides: new Map() };
    fields.set(name, field);
    return field;
  }

  /**
   * Makes a subgraph know a type. An entity is known by one of its home subgraph's keys, so that every subgraph can be reached.
   */
  #need(graph: string, type: string): void {
    if (this.knows(graph, type)) return;
    this.#known.add(`${graph} ${type}`);
    if (this.entities.includes(type)) {
      this.#setKeys(type, graph, [this.#choices.of(this.keysOf(type, this.#home.get(type) ?? ''))]);
    } else if (type === 'I' && this.membersOf('I', graph).length === 0) {
      this.#need(graph, this.#choices.of(IMPLEMENTERS));
    } else if (type === 'U' && this.membersOf('U', graph).length === 0) {
      this.#need(graph, this.#choices.of(this.#unionMembers));
    }
    if (type === 'V') {
      this.#define('V', 'p', 'Int').graphs.set(graph, 'own');
      this.#define('V', 'q', 'String').graphs.set(graph, 'own');
    }
  }

  /** A field that one or two subgraphs resolve. */
  #place(type: string, name: string, sdl: string, among: readonly string[], args = ''): void {
    const choices = this.#choices;
    const field = this.#define(type, name, sdl, args);
    for (const graph of [choices.of(among), ...(choices.oneIn(4) ? [choices.of(among)] : [])]) {
      field.graphs.set(graph, 'own');
      this.#need(graph, namedType(sdl));
    }
  }

  #drawFields(type: string): void {
    const choices = this.#choices;
    const among = this.graphs.filter((graph) => this.knows(graph, type));
    const isImplementer = IMPLEMENTERS.some((name) => name === type);
    for (const [name, sdl] of LEAVES) {
      if ((name === 'n' && isImplementer) || choices.oneIn(2)) this.#place(type, name, sdl, among);
    }
    if (isImplementer) this.#place(type, 'next', 'I', among);
    if (choices.oneIn(2)) this.#place(type, 'v', 'V', among);
    if (choices.oneIn(2)) this.#place(type, 'u', choices.of(['U', '[U]']), among);
    if (choices.oneIn(3)) this.#place(type, 'w', 'String', among, '(k: Int = 7)');
    for (const other of this.entities) {
      if (!choices.oneIn(3)) continue;
      const sdl = choices.of([other, `[${other}!]`, `[${other}]!`, `${other}!`]);
      this.#place(type, other.toLowerCase(), sdl, among);
    }
  }

  #drawRoots(): void {
    const choices = this.#choices;
    const { graphs } = this;
    for (const type of this.entities) {
      this.#place('Query', type.toLowerCase(), type, graphs);
      if (choices.oneIn(2)) this.#place('Query', `${type.toLowerCase()}s`, `[${type}!]`, graphs);
    }
    this.#place('Query', 'i', 'I', graphs);
    for (const [name, sdl] of [
      ['is', '[I]'],
      ['u', '[U!]'],
      ['v', 'V'],
      ['e', 'E'],
      ['x', 'String'],
    ] as const)
      if (choices.oneIn(2)) this.#place('Query', name, sdl, graphs);
    if (choices.oneIn(3)) return;
    for (const type of this.entities)
      this.#mutation(`make${type}`, choices.of([type, `${type}!`]), '(k: Int)');
    this.#mutation('count', 'Int', '');
    this.#mutation('made', '[U]', '');
    const graph = this.#mutation('pay', choices.of(['P', 'P!']), '(k: Int)');
    const [payload, returned] = ['P', choices.of(this.entities)];
    this.#need(graph, returned);
    for (const [name, sdl] of [
      ['ok', 'Boolean'],
      ['note', 'String'],
      ['to', returned],
    ] as const)
      this.#define(payload, name, sdl).graphs.set(graph, 'own');
  }

  #mutation(name: string, sdl: string, args: string): string {
    const graph = this.#choices.of(this.graphs);
    this.#define('Mutation', name, sdl, args).graphs.set(graph, 'own');
    this.#need(graph, namedType(sdl));
    return graph;
  }

  /** Fields computed from other subgraphs' fields, in chains. */
  #drawRequires(type: string): void {
    const choices = this.#choices;
    for (const name of ['r', 'rr']) {
      const graph = choices.of(this.graphs.filter((each) => this.knows(each, type)));
      const fields = [...(this.types.get(type)?.values() ?? [])];
      const inputs = fields.filter(
        (field) =>
          field.graphs.get(graph) !== 'own' &&
          field.args === '' &&
          (LEAVES.has(field.name) || field.name === 'v' || field.name === 'r'),
      );
      if (inputs.length === 0 || choices.oneIn(4)) continue;
      const chosen = [...new Set([choices.of(inputs), ...choices.some(inputs).slice(0, 1)])];
      const made = this.#define(type, name, 'String');
      made.graphs.set(graph, 'own');
      made.requires = chosen
        .map((field) => (field.name === 'v' ? `v { ${choices.of(['p', 'q'])} }` : field.name))
        .join(' ');
      for (const field of chosen) {
        field.graphs.set(graph, 'external');
        this.#need(graph, namedType(field.type));
      }
    }
  }

  #drawProvides(fields: FieldsOfType): void {
    const choices = this.#choices;
    for (const field of fields.values()) {
      const type = namedType(field.type);
      if (!this.entities.includes(type)) continue;
      for (const [graph, how] of field.graphs) {
        const elsewhere = [...(this.types.get(type)?.values() ?? [])].filter(
          (each) => LEAVES.has(each.name) && each.graphs.get(graph) !== 'own',
        );
        if (how !== 'own' || elsewhere.length === 0 || !choices.oneIn(3)) continue;
        const provided = choices.of(elsewhere);
        provided.graphs.set(graph, 'external');
        this.#need(graph, namedType(provided.type));
        field.provides.set(graph, provided.name);
      }
    }
  }

  /** An interface needs a field in every subgraph: the `id` of each implementer there. */
  #settle(): void {
    for (const graph of this.graphs) {
      if (!this.knows(graph, 'I') || this.interfaceFields(graph).length > 0) continue;
      for (const type of this.membersOf('I', graph)) this.#define(type, 'id', 'ID!').graphs.set(graph, 'own');
    }
  }
}
