import { isUnrestricted, ruleText } from '@behalf/directives/internal';
import type { Minimization, RuleTable } from '@behalf/directives/internal';
import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isScalarType,
} from 'graphql';
import type {
  GraphQLEnumType,
  GraphQLInputObjectType,
  GraphQLInputType,
  GraphQLInterfaceType,
  GraphQLNamedType,
  GraphQLObjectType,
  GraphQLSchema,
} from 'graphql';
import { implies } from '../implication.js';
import { filteredNames, namesOrder, plainName } from './filter-names.js';
import type { Found } from './finding.js';
import { isOwnType } from './rules.js';
import type { LintSubgraph } from './subgraph.js';

/** `@filters` that name a field which everybody reads whole by this subgraph's rules: it does not start with them. */
export function checkOwnFilters({ filters }: RuleTable): Found[] {
  return [...filters.stated.values()].flatMap(({ coordinate, fields }) => {
    if (filters.gateAt(coordinate) !== undefined) return [];
    const names = fields.map(({ type, field }) => `${type}.${field}`).join(', ');
    return [
      {
        code: 'FILTER_WITHOUT_RULE',
        coordinate,
        message: `@filters names ${names}, which everybody reads whole here`,
      },
    ];
  });
}

/** Arguments, input fields and enum values that are declared in another subgraph only. */
export function checkSharedFilters(subgraphs: readonly LintSubgraph[], composed: RuleTable): Found[] {
  return [...composed.filters.stated.values()].flatMap(({ coordinate, fields }) =>
    subgraphs.flatMap(({ name: subgraph, lines, written }) => {
      const stated = written.filters.fieldsAt(coordinate);
      const missing = fields.filter(
        ({ type, field }) => !stated.some((own) => own.type === type && own.field === field),
      );
      if (!lines.has(coordinate) || missing.length === 0) return [];
      const names = missing.map(({ type, field }) => `${type}.${field}`).join(', ');
      const message = `another subgraph says that it filters by ${names}, and this one does not`;
      return [{ code: 'SHARED_FILTER_DIFFERS', coordinate, subgraph, message } satisfies Found];
    }),
  );
}

type Rows = GraphQLObjectType | GraphQLInterfaceType;

/** Fields by which a page leads to its rows. */
const PAGE_FIELDS: ReadonlySet<string> = new Set([
  'edges',
  'node',
  'nodes',
  'items',
  'results',
  'rows',
  'data',
]);

/**
 * Arguments, input fields and enum values that look as if they filtered or sorted by a field with a rule, and do not say so by
 * `@filters`: by their names, and by types that can be compared. Each input type is visited once for each type of rows.
 */
export function checkFilters(schema: GraphQLSchema, rules: RuleTable): Found[] {
  const search = new FilterSearch(rules);
  for (const type of Object.values(schema.getTypeMap())) {
    // What a mutation is given is mostly written, and filters nothing.
    if (!isRows(type) || !isOwnType(type.name) || type === schema.getMutationType()) continue;
    for (const field of Object.values(type.getFields())) {
      if (field.args.length === 0) continue;
      const rows = rowsOf(getNamedType(field.type));
      for (const { name, type: given } of field.args) {
        const coordinate = `${type.name}.${field.name}(${name}:)`;
        search.check({
          coordinate,
          name,
          type: given,
          rows,
          isOrder: namesOrder(name),
          covered: [],
          askedBy: [type.name, field.name],
        });
      }
    }
  }
  return search.found;
}

function isRows(type: GraphQLNamedType): type is Rows {
  return isObjectType(type) || isInterfaceType(type);
}

/** The types whose fields a result shows: the type itself, and the rows of a page. */
function rowsOf(type: GraphQLNamedType): readonly Rows[] {
  const rows = new Set<Rows>();
  const pending: GraphQLNamedType[] = [type];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (!isRows(next) || rows.has(next)) continue;
    rows.add(next);
    for (const field of Object.values(next.getFields()))
      if (PAGE_FIELDS.has(field.name)) pending.push(getNamedType(field.type));
  }
  return [...rows];
}

/** An argument or an input field, where an argument leads to it. */
interface Input {
  readonly coordinate: string;
  readonly name: string;
  readonly type: GraphQLInputType;
  readonly rows: readonly Rows[];
  readonly isOrder: boolean;
  /** Fields that an input around it is declared to filter by. */
  readonly covered: readonly string[];
  /** Type and field that take the argument: whoever uses it meets their rules. */
  readonly askedBy: readonly [string, string];
}

class FilterSearch {
  readonly found: Found[] = [];
  readonly #reported = new Set<string>();
  readonly #visited = new Set<string>();
  readonly #names = new Map<Rows, ReadonlyMap<string, string>>();
  readonly #rules: RuleTable;

  constructor(rules: RuleTable) {
    this.#rules = rules;
  }

  check(first: Input): void {
    const pending = [first];
    for (let input = pending.pop(); input !== undefined; input = pending.pop()) {
      const covered = [...input.covered, ...this.#statedAt(input.coordinate)];
      const here = { ...input, covered };
      this.#compare(here, input.name, (field) => isComparable(getNamedType(input.type), field));
      const named = getNamedType(input.type);
      if (isEnumType(named)) this.#checkOrder(here, named);
      if (isInputObjectType(named)) pending.push(...this.#fieldsOf(here, named));
    }
  }

  /** The fields of an input object, unless they were visited for the same rows. */
  #fieldsOf(input: Input, named: GraphQLInputObjectType): readonly Input[] {
    const rows = input.rows.flatMap((each) => {
      // `owner: { balance: … }` filters by the owner's balance.
      const below = each.getFields()[input.name];
      return below === undefined ? [] : rowsOf(getNamedType(below.type));
    });
    const about = rows.length > 0 ? rows : input.rows;
    const asked = ruleText(this.#rules.requirementOf(...input.askedBy));
    const key = JSON.stringify([
      named.name,
      about.map(({ name }) => name),
      input.isOrder,
      input.covered,
      asked,
    ]);
    if (this.#visited.has(key)) return [];
    this.#visited.add(key);
    const isOrder = input.isOrder || namesOrder(named.name);
    return Object.values(named.getFields()).map(({ name, type }) => ({
      ...input,
      coordinate: `${named.name}.${name}`,
      name,
      type,
      rows: about,
      isOrder: isOrder || namesOrder(name),
    }));
  }

  /** The values of `orderBy` name fields; those of other enums are values of fields. */
  #checkOrder(input: Input, type: GraphQLEnumType): void {
    if (!input.isOrder && !namesOrder(type.name)) return;
    for (const { name } of type.getValues()) {
      const coordinate = `${type.name}.${name}`;
      const covered = [...input.covered, ...this.#statedAt(coordinate)];
      this.#compare({ ...input, coordinate, covered }, name, () => true);
    }
  }

  #compare(
    { coordinate, rows, covered, askedBy }: Input,
    name: string,
    fits: (field: GraphQLNamedType) => boolean,
  ): void {
    for (const type of rows) {
      const names = this.#namesOf(type);
      for (const candidate of filteredNames(name)) {
        const field = names.get(candidate);
        if (field === undefined) continue;
        const named = `${type.name}.${field}`;
        const returned = type.getFields()[field]?.type;
        if (returned === undefined || !fits(getNamedType(returned)) || covered.includes(named)) break;
        if (candidate === plainName(name) && this.#takesPseudonyms(type.name, field)) break;
        this.#report(coordinate, type.name, field, askedBy);
        break;
      }
    }
  }

  /** `pseudonymsOf` finds the value behind a pseudonym that a client sends back. */
  #takesPseudonyms(type: string, field: string): boolean {
    const statements = this.#minimizations(type, field).flatMap((each) => each.statements);
    return statements.length > 0 && statements.every(({ to }) => to === 'PSEUDONYMIZE');
  }

  #report(coordinate: string, type: string, field: string, [askedType, askedField]: Input['askedBy']): void {
    const key = `${coordinate} ${type}.${field}`;
    if (this.#reported.has(key)) return;
    const required = this.#rules.filters.requirementFor([{ type, field }]);
    // Whoever gets to use it meets the rules of the field that takes it. Nobody knows beforehand who is held to less detail.
    const isMinimized = this.#minimizations(type, field).length > 0;
    if (!isMinimized && implies(this.#rules.requirementOf(askedType, askedField), required) === 'yes') return;
    this.#reported.add(key);
    this.found.push({
      code: 'FILTER_UNDECLARED',
      coordinate,
      message: `it looks as if it filtered by ${type}.${field}, whose values not everybody may know who can use it; if so, write @filters(field: "${type}.${field}")`,
    });
  }

  /** By plain name: the fields whose values not everybody may know. */
  #namesOf(type: Rows): ReadonlyMap<string, string> {
    let names = this.#names.get(type);
    if (names === undefined) {
      const ruled = Object.keys(type.getFields()).filter(
        (field) =>
          this.#minimizations(type.name, field).length > 0 ||
          !isUnrestricted(this.#rules.filters.requirementFor([{ type: type.name, field }])),
      );
      names = new Map(ruled.map((field) => [plainName(field), field]));
      this.#names.set(type, names);
    }
    return names;
  }

  #minimizations(type: string, field: string): readonly Minimization[] {
    return this.#rules.answersOf(type, field).flatMap(([, { minimization }]) => minimization ?? []);
  }

  #statedAt(coordinate: string): readonly string[] {
    return this.#rules.filters.fieldsAt(coordinate).map(({ type, field }) => `${type}.${field}`);
  }
}

const TEXTS: ReadonlySet<string> = new Set(['ID', 'String']);
const NUMBERS: ReadonlySet<string> = new Set(['Float', 'Int']);

/** Whether values of an input type can be compared with those of a field. */
function isComparable(given: GraphQLNamedType, field: GraphQLNamedType): boolean {
  // `balance: { gte: 5 }`, `owner: { … }`.
  if (isInputObjectType(given)) return true;
  // `hasIban: true`, `balance: ASC`.
  if (given.name === 'Boolean' || (isEnumType(given) && given !== field)) return true;
  if (!isScalarType(given) || !isScalarType(field)) return given === field;
  const isBuiltIn = TEXTS.has(given.name) || NUMBERS.has(given.name);
  if (given === field || !isBuiltIn) return given === field;
  // A date or a decimal is often sent as a text, and a decimal as a number.
  const kind = TEXTS.has(given.name) ? TEXTS : NUMBERS;
  return (
    kind.has(field.name) || !(TEXTS.has(field.name) || NUMBERS.has(field.name) || field.name === 'Boolean')
  );
}
