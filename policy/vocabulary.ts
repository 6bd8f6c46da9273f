import {
  accessibleFields,
  type Alternatives,
  defaultStatement,
  type FieldRule,
  liftingScopes,
  type MinimizeStatement,
  RuleTable,
  statementParameters,
  type TypeRule,
  withoutUndefined,
} from '@behalf/directives/internal';
import { parse } from 'graphql';
import type { FieldVocabulary, LevelDetail, SchemaVocabulary } from './findings.js';

/**
 * Reads the names that a supergraph's rules use, as {@link comparePolicyWithSchema} and the authority's option `vocabulary` want them.
 *
 * @param supergraphSdl the composed supergraph
 * @throws DirectiveError for a rule that cannot be read, GraphQLError for a text that is not SDL
 *
 * @example
 * ```ts
 * import { readVocabulary } from '@behalf/policy';
 * import { readFileSync } from 'node:fs';
 *
 * const vocabulary = readVocabulary(readFileSync('supergraph.graphql', 'utf8'));
 * console.log([...vocabulary.scopes.keys()]);
 * ```
 */
export function readVocabulary(supergraphSdl: string): SchemaVocabulary {
  const document = parse(supergraphSdl);
  return vocabularyOf(new RuleTable(document, { coverage: 'open' }), accessibleFields(document));
}

/**
 * Collects the names from the rules of types and fields, including the `unless` scopes of `@minimize`. {@link readVocabulary} does so
 * from the text of a supergraph.
 *
 * @param accessible descriptions of the fields that clients can select, by coordinate; default: all fields, without descriptions
 *
 * @example
 * ```ts
 * import { inspectSupergraph } from '@behalf/gateway/tools';
 * import { vocabularyOf } from '@behalf/policy';
 * import { readFileSync } from 'node:fs';
 *
 * const { rules } = inspectSupergraph(readFileSync('supergraph.graphql', 'utf8'), 'required');
 * console.log([...vocabularyOf(rules).scopes.keys()]);
 * ```
 */
export function vocabularyOf(rules: RuleTable, accessible?: ReadonlyMap<string, string>): SchemaVocabulary {
  const scopes = new Map<string, Set<string>>();
  const purposes = new Map<string, Set<string>>();
  const fields = new Map<string, FieldVocabulary>();
  const note = (into: Map<string, Set<string>>, names: readonly string[], coordinate: string): void => {
    for (const name of names) {
      const known = into.get(name);
      if (known === undefined) into.set(name, new Set([coordinate]));
      else known.add(coordinate);
    }
  };
  for (const type of rules.allTypes()) {
    note(scopes, type.own.scopes.flat(2), type.name);
    note(scopes, type.subject?.unless.flat() ?? [], type.name);
    note(purposes, type.own.purposes.flat(), type.name);
    for (const [name, field] of type.fields) {
      note(scopes, field.own.scopes.flat(2), field.coordinate);
      note(scopes, liftingScopes(field.minimization).flat(), field.coordinate);
      note(purposes, field.own.purposes.flat(), field.coordinate);
      // An interface answers through its implementers.
      const description = accessible?.get(field.coordinate);
      if (type.kind === 'object' && (accessible === undefined || description !== undefined))
        fields.set(field.coordinate, describeField(rules, [type, name, field], description));
    }
  }
  return { scopes: toLists(scopes), purposes: toLists(purposes), fields };
}

function describeField(
  rules: RuleTable,
  [type, name, { minimization, personalData, returns }]: readonly [TypeRule, string, FieldRule],
  description: string | undefined,
): FieldVocabulary {
  const requirement = rules.requirementOf(type.name, name);
  const byDefault = minimization === undefined ? undefined : defaultStatement(minimization);
  return withoutUndefined({
    description: firstParagraph(description),
    category: personalData,
    isLeaf: isLeaf(rules, returns),
    scopes: decisiveEntries(requirement.scopes),
    purposes: [...new Set(requirement.purposes.flat())],
    byDefault:
      byDefault === undefined
        ? undefined
        : {
            ...strategyOf(byDefault),
            levelsBefore: minimization?.statements.indexOf(byDefault) ?? 0,
            wholeWith: byDefault.unless,
          },
    levels: (minimization?.statements ?? []).flatMap((statement): LevelDetail[] =>
      statement.level === undefined ? [] : [{ name: statement.level, ...strategyOf(statement) }],
    ),
  });
}

function strategyOf(statement: MinimizeStatement): Pick<LevelDetail, 'strategy' | 'parameters'> {
  const parameters = Object.fromEntries(statementParameters(statement));
  return withoutUndefined({
    strategy: statement.to,
    parameters: Object.keys(parameters).length === 0 ? undefined : parameters,
  });
}

/** Comparing each with each is quadratic, so a list that nobody writes by hand counts as it is. */
const MAX_COMPARED = 64;

/**
 * The entries of a requirement that decide something: not those that are met whenever another one is. A field that requires `a`, of
 * a type that requires `a` or `b`, has nothing to do with `b`.
 */
function decisiveEntries(entries: readonly Alternatives[]): readonly Alternatives[] {
  const minimal = entries.map((alternatives) =>
    alternatives.length > MAX_COMPARED
      ? alternatives
      : alternatives.filter(
          (names, index) =>
            !alternatives.some((other, at) => at !== index && includesMore(names, other, at < index)),
        ),
  );
  return minimal.filter(
    (entry, index) => !minimal.some((other, at) => at !== index && follows(entry, other, at < index)),
  );
}

/** Whether the one has all names of the other, and more or an earlier twin. */
function includesMore(names: readonly string[], other: readonly string[], isEarlier: boolean): boolean {
  if (!other.every((name) => names.includes(name))) return false;
  return isEarlier || new Set(other).size < new Set(names).size;
}

/** Whether everybody who meets the other entry meets this one; of two that mean the same, the later one does. */
function follows(entry: Alternatives, other: Alternatives, isEarlier: boolean): boolean {
  if (entry.length > MAX_COMPARED || other.length > MAX_COMPARED) return false;
  const implies = (one: Alternatives, than: Alternatives): boolean =>
    one.every((names) => than.some((wanted) => wanted.every((name) => names.includes(name))));
  return implies(other, entry) && (isEarlier || !implies(entry, other));
}

const MAX_DESCRIPTION_LENGTH = 300;

/** In one line, for people. */
function firstParagraph(description: string | undefined): string | undefined {
  const [paragraph = ''] = (description ?? '').trim().split(/\n\s*\n/);
  const line = paragraph.replace(/\s+/g, ' ');
  if (line === '') return undefined;
  return line.length > MAX_DESCRIPTION_LENGTH ? `${line.slice(0, MAX_DESCRIPTION_LENGTH - 1)}…` : line;
}

/** Scalars and enums; built-in scalars are of no kind here. */
function isLeaf(rules: RuleTable, typeName: string): boolean {
  const kind = rules.type(typeName)?.kind;
  return kind === undefined || kind === 'scalar' || kind === 'enum';
}

function toLists(sets: ReadonlyMap<string, ReadonlySet<string>>): ReadonlyMap<string, readonly string[]> {
  return new Map([...sets].map(([name, coordinates]) => [name, [...coordinates]]));
}
