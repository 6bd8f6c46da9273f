import { BEHALF_IDENTITY, Links, STATED_BY, statedByDefinition } from '@behalf/directives/internal';
import type { Minimization, RuleTable } from '@behalf/directives/internal';
import { Kind } from 'graphql';
import type { ConstDirectiveNode, DocumentNode } from 'graphql';
import { JoinMetadata } from '../supergraph/join.js';
import type { LostProtection } from '../supergraph/lost-protection.js';
import { minimizationText } from '../supergraph/minimization.js';
import { PossibleTypes } from '../supergraph/possible-types.js';
import { Resolvers } from '../supergraph/resolvers.js';
import { subgraphRules } from '../supergraph/statements.js';
import type { SubgraphRule } from '../supergraph/statements.js';
import { subjectText } from '../supergraph/subject-rule.js';
import { compareMinimization } from './compare-minimizations.js';

/** A subgraph with its rules as they are written. */
export interface StatingSubgraph {
  readonly name: string;
  readonly written: RuleTable;
}

/**
 * Records in a supergraph which subgraphs state each rule that only subgraphs enforce, so that a gateway can check it without
 * the subgraphs. A subgraph states a rule when its own means the same as the supergraph's, however it is written.
 *
 * Composition's text is kept; only directives and their definition are inserted.
 *
 * @param document the supergraph, parsed with locations
 */
export function recordStatements(
  sdl: string,
  document: DocumentNode,
  composed: RuleTable,
  subgraphs: readonly StatingSubgraph[],
): string {
  const links = new Links(document);
  const behalf = links.feature(BEHALF_IDENTITY);
  if (behalf === undefined) return sdl;
  const name = links.localName(behalf, STATED_BY);
  const records = new Map(
    rulesOf(document, composed).flatMap((rule) =>
      rule.resolvers.size === 0 ? [] : [[rule.coordinate, statersOf(rule, composed, subgraphs)] as const],
    ),
  );
  if (records.size === 0) return sdl;
  const additions: { readonly at: number; readonly text: string }[] = [];
  for (const [coordinate, nodes] of appliedDirectives(document)) {
    const staters = records.get(coordinate);
    const last = Math.max(0, ...nodes.map(({ loc }) => loc?.end ?? 0));
    if (staters !== undefined && last > 0)
      additions.push({ at: last, text: ` @${name}(subgraphs: ${JSON.stringify(staters)})` });
  }
  return `${inserted(sdl, additions)}\n\n${statedByDefinition(name)}\n`;
}

/**
 * Subgraphs that state a weaker rule than another subgraph for the same field or type. If two rules cannot be compared, both are
 * reported. A subgraph that does not resolve the field counts as well, because composition may keep its rule.
 */
export function checkDifferences(subgraphs: readonly StatingSubgraph[]): readonly LostProtection[] {
  const types = new Set<string>();
  const fields = new Map<string, readonly [string, string]>();
  for (const { written } of subgraphs) {
    for (const type of written.allTypes()) {
      if (type.subject !== undefined) types.add(type.name);
      for (const [field, { coordinate, minimization }] of type.fields)
        if (minimization !== undefined) fields.set(coordinate, [type.name, field]);
    }
  }
  return [
    ...[...types].flatMap((type) => subjectDifferences(type, subgraphs)),
    ...[...fields.values()].flatMap(([type, field]) => minimizationDifferences(type, field, subgraphs)),
  ];
}

/** Whether a subgraph states any rule at a coordinate that only subgraphs enforce. */
export function statesSomething({ written }: StatingSubgraph, coordinate: string): boolean {
  const [type = '', field] = coordinate.split('.');
  return field === undefined
    ? written.type(type)?.subject !== undefined
    : written.field(type, field)?.minimization !== undefined;
}

function rulesOf(document: DocumentNode, composed: RuleTable): readonly SubgraphRule[] {
  const possible = new PossibleTypes(composed);
  return subgraphRules(composed, new Resolvers(new JoinMetadata(document), composed, possible));
}

function statersOf(
  { type, field, resolvers }: SubgraphRule,
  composed: RuleTable,
  subgraphs: readonly StatingSubgraph[],
): readonly string[] {
  const states = ({ written }: StatingSubgraph): boolean =>
    field === undefined
      ? subjectText(written.type(type)?.subject) === subjectText(composed.type(type)?.subject)
      : compareMinimization(
          composed.field(type, field)?.minimization,
          written.field(type, field)?.minimization,
        ) === undefined;
  return subgraphs
    .filter((subgraph) => resolvers.has(subgraph.name) && states(subgraph))
    .map(({ name }) => name);
}

function subjectDifferences(type: string, subgraphs: readonly StatingSubgraph[]): LostProtection[] {
  const stated = subgraphs.flatMap(({ name, written }) => {
    const subject = written.type(type)?.subject;
    return subject === undefined ? [] : [{ name, text: subjectText(subject) }];
  });
  if (new Set(stated.map(({ text }) => text)).size < 2) return [];
  return stated.map(({ name, text }) => {
    const [other] = stated.filter((each) => each.text !== text);
    return {
      code: 'SHARED_SUBJECT_DIFFERS',
      coordinate: type,
      subgraph: name,
      message: `it states ${text}, and ${other?.name ?? ''} states ${other?.text ?? ''}`,
    };
  });
}

function minimizationDifferences(
  type: string,
  field: string,
  subgraphs: readonly StatingSubgraph[],
): LostProtection[] {
  const stated = subgraphs.flatMap(({ name, written }) => {
    const minimization = written.field(type, field)?.minimization;
    return minimization === undefined ? [] : [{ name, minimization }];
  });
  return stated.flatMap(({ name, minimization }) => {
    const other = stated.find((each) => isWeaker(minimization, each.minimization));
    if (other === undefined) return [];
    return [
      {
        code: 'SHARED_MINIMIZATION_DIFFERS',
        coordinate: `${type}.${field}`,
        subgraph: name,
        message: `it states ${minimizationText(minimization)}, and ${other.name} states ${minimizationText(other.minimization)}`,
      } satisfies LostProtection,
    ];
  });
}

/** Whether one reveals more than the other, or cannot be compared with it. */
function isWeaker(one: Minimization, than: Minimization): boolean {
  const change = compareMinimization(one, than);
  return change === 'minimization-strengthened' || change === 'minimization-changed';
}

/** Coordinate → the directives applied there, in object types. */
function* appliedDirectives(
  document: DocumentNode,
): Iterable<readonly [string, readonly ConstDirectiveNode[]]> {
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION) continue;
    yield [definition.name.value, definition.directives ?? []];
    for (const field of definition.fields ?? [])
      yield [`${definition.name.value}.${field.name.value}`, field.directives ?? []];
  }
}

function inserted(
  text: string,
  additions: readonly { readonly at: number; readonly text: string }[],
): string {
  const parts: string[] = [];
  let from = 0;
  for (const addition of [...additions].sort((a, b) => a.at - b.at)) {
    parts.push(text.slice(from, addition.at), addition.text);
    from = addition.at;
  }
  return [...parts, text.slice(from)].join('');
}
