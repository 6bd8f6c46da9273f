import { argumentsOf, BEHALF_IDENTITY, Links, STATED_BY } from '@behalf/directives/internal';
import type { RuleTable } from '@behalf/directives/internal';
import { Kind } from 'graphql';
import type { ConstDirectiveNode, DocumentNode } from 'graphql';
import type { LostProtection } from './lost-protection-codes.js';
import { minimizationText } from './minimization.js';
import type { Resolvers } from './resolvers.js';
import { subjectText } from './subject-rule.js';

/** A rule that only subgraphs enforce, and the subgraphs that must state it. */
export interface SubgraphRule {
  /** Type for `@subject`, `Type.field` for `@minimize`. */
  readonly coordinate: string;
  readonly type: string;
  /** Undefined for `@subject`. */
  readonly field: string | undefined;
  /** In the words of the schema. */
  readonly text: string;
  /** Subgraphs that can resolve what it protects. */
  readonly resolvers: ReadonlySet<string>;
  /** Subgraphs that may have stated it and no longer resolve any of it. */
  readonly overridden: ReadonlySet<string>;
}

/** Every rule of a supergraph that only subgraphs enforce. */
export function subgraphRules(rules: RuleTable, resolvers: Resolvers): readonly SubgraphRule[] {
  const found: SubgraphRule[] = [];
  for (const type of rules.allTypes()) {
    if (type.subject !== undefined) {
      found.push({
        coordinate: type.name,
        type: type.name,
        field: undefined,
        text: subjectText(type.subject),
        resolvers: new Set(resolvers.ofType(type.name).keys()),
        overridden: new Set(),
      });
    }
    for (const [field, { coordinate, minimization }] of type.fields) {
      if (minimization === undefined) continue;
      found.push({
        coordinate,
        type: type.name,
        field,
        text: minimizationText(minimization),
        resolvers: resolvers.ofField(type.name, field),
        overridden: resolvers.overriddenOf(type.name, field),
      });
    }
  }
  return found;
}

/**
 * Rules that a subgraph bypasses, because it can resolve the field without stating a rule that only subgraphs enforce. A
 * supergraph does not say who states its rules, so composition records it. Without a record, only a rule with a single possible
 * subgraph is known to be kept.
 */
export function checkStatements(
  document: DocumentNode,
  rules: RuleTable,
  resolvers: Resolvers,
): readonly LostProtection[] {
  const recorded = readStatements(document);
  const found: LostProtection[] = [];
  for (const rule of subgraphRules(rules, resolvers)) {
    const record = recorded.get(rule.coordinate);
    recorded.delete(rule.coordinate);
    found.push(...(record === undefined ? checkUnrecorded(rule) : checkRecorded(rule, record)));
    if (rule.field === undefined) found.push(...checkReceived(rule, rules, resolvers));
  }
  for (const coordinate of recorded.keys())
    found.push({ code: 'STATEMENTS_CONTRADICT', coordinate, message: 'it has a record and no rule' });
  return found;
}

function checkUnrecorded({ coordinate, text, resolvers, overridden }: SubgraphRule): LostProtection[] {
  const before = [...overridden].filter((subgraph) => !resolvers.has(subgraph));
  if (resolvers.size + before.length <= 1) return [];
  const instead = before.length === 0 ? '' : ` in the place of ${before.join(', ')}`;
  const message = `${[...resolvers].join(', ')} can resolve it${instead}, and the supergraph does not say who states ${text}: compose it with \`behalf compose\``;
  return [{ code: 'STATEMENTS_UNRECORDED', coordinate, message }];
}

function checkRecorded(rule: SubgraphRule, record: readonly string[]): LostProtection[] {
  const { coordinate, text, resolvers } = rule;
  const unfit = record.filter((subgraph) => !resolvers.has(subgraph));
  const missing = [...resolvers].filter((subgraph) => !record.includes(subgraph));
  return [
    ...unfit.map((subgraph): LostProtection => ({
      code: 'STATEMENTS_CONTRADICT',
      coordinate,
      subgraph,
      message: `it is recorded to state ${text}, and cannot resolve it`,
    })),
    ...missing.map((subgraph): LostProtection => ({
      code: rule.field === undefined ? 'SHARED_SUBJECT_DIFFERS' : 'SHARED_MINIMIZATION_DIFFERS',
      coordinate,
      subgraph,
      message: `it can resolve ${rule.field === undefined ? 'fields of it' : 'it'} and does not state ${text}`,
    })),
  ];
}

/**
 * `@subject` compares a property of the row. If that is a field of the type, a subgraph that does not resolve it only has it if
 * it gets it: by a key, or with each field that it resolves (`@requires`).
 */
function checkReceived(rule: SubgraphRule, rules: RuleTable, resolvers: Resolvers): LostProtection[] {
  const { type } = rule;
  const owner = rules.type(type)?.subject?.property ?? '';
  // A property that is not a field comes from each subgraph's store, and a row without it is refused.
  if (rules.field(type, owner) === undefined) return [];
  const owning = resolvers.ofField(type, owner);
  const found: LostProtection[] = [];
  for (const [subgraph, fields] of resolvers.ofType(type)) {
    if (owning.has(subgraph) || resolvers.keysOf(type, subgraph).has(owner)) continue;
    const without = fields.filter((field) => !resolvers.isGivenFor(type, subgraph, owner, field));
    if (without.length === 0) continue;
    found.push({
      code: 'SUBJECT_NOT_RECEIVED',
      coordinate: type,
      subgraph,
      message: `it resolves ${without.slice(0, 3).join(', ')} and is given "${owner}", the owner, neither by a @key nor by @requires`,
    });
  }
  return found;
}

/** Coordinate → names of the subgraphs that state its rule, as composition found. */
function readStatements(document: DocumentNode): Map<string, readonly string[]> {
  const links = new Links(document);
  const statements = new Map<string, readonly string[]>();
  const read = (nodes: readonly ConstDirectiveNode[] | undefined, coordinate: string): void => {
    for (const node of nodes ?? []) {
      const resolved = links.resolve(node.name.value);
      if (resolved?.feature.identity !== BEHALF_IDENTITY || resolved.name !== STATED_BY) continue;
      const { subgraphs } = argumentsOf(node);
      const names = Array.isArray(subgraphs) ? (subgraphs as unknown[]).map(String) : [];
      statements.set(coordinate, [...(statements.get(coordinate) ?? []), ...names]);
    }
  };
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.INTERFACE_TYPE_DEFINITION)
      continue;
    read(definition.directives, definition.name.value);
    for (const field of definition.fields ?? [])
      read(field.directives, `${definition.name.value}.${field.name.value}`);
  }
  return statements;
}
