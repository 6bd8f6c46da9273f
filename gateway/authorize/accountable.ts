import { isUnrestricted, ruleText, withoutUndefined } from '@behalf/directives/internal';
import type { RuleTable } from '@behalf/directives/internal';
import type { FieldJoin, JoinedType, JoinMetadata } from '../supergraph/join.js';
import type { AccountableField } from './types.js';

/**
 * The coordinates that each subgraph can report accesses to, because it can resolve them, by the supergraph's `join` directives
 * (join v0.3 and later), with the gateway's own rule for each. Subgraphs are not asked for their rules.
 */
export function readAccountable(
  join: JoinMetadata,
  rules: RuleTable,
): ReadonlyMap<string, ReadonlyMap<string, AccountableField>> {
  const accountable = new Map<string, Map<string, AccountableField>>();
  for (const name of join.graphs) accountable.set(name, new Map());
  const provided = readProvided(join);
  for (const type of join.types.values()) {
    const ofType = new Set(objectGraphs(type));
    for (const [field, joins] of type.fields) {
      // Without a directive of its own, a field is in every subgraph that has its type.
      const graphs =
        joins.length === 0 ? [...ofType] : joins.flatMap((each) => resolvingGraph(each, field, provided));
      const known = accountableField(rules, type.name, field);
      for (const graph of graphs) {
        if (ofType.has(graph)) accountable.get(graph)?.set(`${type.name}.${field}`, known);
      }
    }
  }
  return accountable;
}

/** A subgraph resolves fields on objects; on an interface only as an interface object. */
function objectGraphs({ joins, isInterface }: JoinedType): readonly string[] {
  return joins.filter(({ isInterfaceObject }) => !isInterface || isInterfaceObject).map(({ graph }) => graph);
}

/** The graphs that resolve a field: one that marks it `@external` does so only if it provides it, or joins by it. */
function resolvingGraph(
  { graph, isExternal }: FieldJoin,
  field: string,
  provided: ReadonlyMap<string, ReadonlySet<string>>,
): string[] {
  if (graph === undefined) return [];
  return isExternal && provided.get(graph)?.has(field) !== true ? [] : [graph];
}

/** By graph: every name in a field set of its `@key` and `@provides`. */
function readProvided(join: JoinMetadata): ReadonlyMap<string, ReadonlySet<string>> {
  const provided = new Map<string, Set<string>>();
  const add = (graph: string | undefined, fieldSet: string | undefined): void => {
    if (graph === undefined || fieldSet === undefined) return;
    const names = provided.get(graph) ?? new Set();
    provided.set(graph, names);
    for (const [name] of fieldSet.matchAll(/\w+/g)) names.add(name);
  };
  for (const { joins, fields } of join.types.values()) {
    for (const { graph, key } of joins) add(graph, key);
    for (const { graph, provides } of [...fields.values()].flat()) add(graph, provides);
  }
  return provided;
}

function accountableField(rules: RuleTable, type: string, field: string): AccountableField {
  const requirement = rules.requirementOf(type, field);
  const rule = rules.field(type, field);
  const isOwned =
    rules.type(type)?.subject !== undefined || rules.type(rule?.returns ?? '')?.subject !== undefined;
  return withoutUndefined({
    rule: isUnrestricted(requirement) ? undefined : ruleText(requirement),
    minimization: rule?.minimization,
    isOwned,
  });
}
