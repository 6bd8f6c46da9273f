import { argumentsOf, asksNothing, JOIN_IDENTITY, ruleText } from '@behalf/directives';
import type { Links, RuleTable } from '@behalf/directives';
import { Kind } from 'graphql';
import type { ConstDirectiveNode, DocumentNode } from 'graphql';
import type { AccountableField } from './types.js';

type DirectiveArguments = ReturnType<typeof argumentsOf>;

/**
 * What each subgraph can give account of: the coordinates that it can resolve, by the `join` directives of the supergraph
 * (join v0.3 and later), with what the gateway itself knows of each. A subgraph is not asked what its rules are.
 *
 * @param names The subgraphs, by their value of the enumeration `join__Graph`.
 */
export function readAccountable(
  document: DocumentNode,
  links: Links,
  rules: RuleTable,
  names: ReadonlyMap<string, string>,
): ReadonlyMap<string, ReadonlyMap<string, AccountableField>> {
  const accountable = new Map<string, Map<string, AccountableField>>();
  for (const name of names.values()) accountable.set(name, new Map());
  const join = links.feature(JOIN_IDENTITY);
  if (join === undefined) return accountable;
  const joinType = links.localName(join, 'type');
  const joinField = links.localName(join, 'field');
  const provided = readProvided(document, joinType, joinField);

  for (const definition of document.definitions) {
    const isInterface = definition.kind === Kind.INTERFACE_TYPE_DEFINITION;
    if (!isInterface && definition.kind !== Kind.OBJECT_TYPE_DEFINITION) continue;
    const type = definition.name.value;
    const ofType = argumentsOfAll(definition.directives, joinType)
      // A subgraph resolves fields on objects; an interface is one only where it stands for its implementers.
      .filter(({ isInterfaceObject }) => !isInterface || isInterfaceObject === true)
      .flatMap(({ graph }) => (typeof graph === 'string' ? [graph] : []));
    const objectGraphs = new Set(ofType);
    for (const field of definition.fields ?? []) {
      const ofField = argumentsOfAll(field.directives, joinField);
      // Without a directive of its own, a field is everywhere where its type is.
      const graphs =
        ofField.length === 0
          ? ofType
          : ofField.flatMap((each) => resolvingGraph(each, field.name.value, provided));
      const known = accountableField(rules, type, field.name.value);
      for (const graph of graphs) {
        if (objectGraphs.has(graph))
          accountable.get(names.get(graph) ?? '')?.set(`${type}.${field.name.value}`, known);
      }
    }
  }
  return accountable;
}

/** The graph that resolves a field: one that only reads it (`@external`) does so where it provides it, or joins by it. */
function resolvingGraph(
  { graph, external }: DirectiveArguments,
  field: string,
  provided: ReadonlyMap<string, ReadonlySet<string>>,
): string[] {
  if (typeof graph !== 'string') return [];
  return external === true && provided.get(graph)?.has(field) !== true ? [] : [graph];
}

/** By graph: every name in a field set of its `@key` and `@provides`. */
function readProvided(
  document: DocumentNode,
  joinType: string,
  joinField: string,
): ReadonlyMap<string, ReadonlySet<string>> {
  const provided = new Map<string, Set<string>>();
  const read = ({ graph, key, provides }: DirectiveArguments): void => {
    if (typeof graph !== 'string') return;
    const names = provided.get(graph) ?? new Set();
    provided.set(graph, names);
    for (const fieldSet of [key, provides]) {
      if (typeof fieldSet !== 'string') continue;
      for (const [name] of fieldSet.matchAll(/\w+/g)) names.add(name);
    }
  };
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.INTERFACE_TYPE_DEFINITION)
      continue;
    for (const each of argumentsOfAll(definition.directives, joinType)) read(each);
    for (const field of definition.fields ?? [])
      for (const each of argumentsOfAll(field.directives, joinField)) read(each);
  }
  return provided;
}

function accountableField(rules: RuleTable, type: string, field: string): AccountableField {
  const requirement = rules.requirementOf(type, field);
  const rule = rules.field(type, field);
  const isOwned =
    rules.type(type)?.subject !== undefined || rules.type(rule?.returns ?? '')?.subject !== undefined;
  return {
    ...(asksNothing(requirement) ? {} : { rule: ruleText(requirement) }),
    ...(rule?.minimization === undefined ? {} : { strategy: rule.minimization.to }),
    isOwned,
  };
}

function argumentsOfAll(
  nodes: readonly ConstDirectiveNode[] | undefined,
  directive: string,
): readonly DirectiveArguments[] {
  return (nodes ?? []).filter(({ name }) => name.value === directive).map((node) => argumentsOf(node));
}
