import {
  defaultStatement,
  descriptionsIn,
  type FieldRule,
  liftingScopes,
  RuleTable,
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
  return vocabularyOf(new RuleTable(document, { coverage: 'open' }), descriptionsIn(document));
}

const NO_DESCRIPTIONS: ReadonlyMap<string, string> = new Map();

/**
 * Collects the names from the rules of types and fields, including the `unless` scopes of `@minimize`. {@link readVocabulary} does so
 * from the text of a supergraph.
 *
 * @param descriptions of fields, by coordinate; default: none
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
export function vocabularyOf(
  rules: RuleTable,
  descriptions: ReadonlyMap<string, string> = NO_DESCRIPTIONS,
): SchemaVocabulary {
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
      if (type.kind === 'object') {
        const description = descriptions.get(field.coordinate);
        fields.set(field.coordinate, describeField(rules, [type, name, field], description));
      }
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
    description,
    category: personalData,
    isLeaf: isLeaf(rules, returns),
    scopes: [...new Set(requirement.scopes.flat(2))],
    purposes: [...new Set(requirement.purposes.flat())],
    byDefault: byDefault === undefined ? undefined : { strategy: byDefault.to, wholeWith: byDefault.unless },
    levels: (minimization?.statements ?? []).flatMap(({ level, to }): LevelDetail[] =>
      level === undefined ? [] : [{ name: level, strategy: to }],
    ),
  });
}

/** Scalars and enums; built-in scalars are of no kind here. */
function isLeaf(rules: RuleTable, typeName: string): boolean {
  const kind = rules.type(typeName)?.kind;
  return kind === undefined || kind === 'scalar' || kind === 'enum';
}

function toLists(sets: ReadonlyMap<string, ReadonlySet<string>>): ReadonlyMap<string, readonly string[]> {
  return new Map([...sets].map(([name, coordinates]) => [name, [...coordinates]]));
}
