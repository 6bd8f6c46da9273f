import { argumentsOf, JOIN_IDENTITY, Links, NO_REQUIREMENT, ruleText } from '@behalf/directives';
import type { Requirement, RuleTable } from '@behalf/directives';
import { Kind, parse } from 'graphql';
import type { DocumentNode, FieldDefinitionNode, SelectionSetNode } from 'graphql';
import { implies } from '../implication.js';
import type { InspectedSupergraph } from '../supergraph.js';
import type { Found } from './finding.js';

/** What a field reads of others, before it is resolved. */
interface Reading {
  /** Type and field that read. */
  readonly type: string;
  readonly field: string;
  readonly subgraph: string;
  readonly selections: SelectionSetNode;
}

/**
 * Fields that read protected data through `@requires` without repeating its rules (GHSA-m8jr-fxqx-8xx6). Composition looks
 * at the standard directives; here every kind of rule counts. `@fromContext` reads as well, but a supergraph that has it
 * is refused before anybody looks here, because its feature is linked `for: SECURITY`.
 */
export function checkRequires(supergraph: InspectedSupergraph): Found[] {
  const found = readingsOf(supergraph.document).flatMap((reading) => checkReading(reading, supergraph.rules));
  return [...new Map(found.map((each) => [JSON.stringify(each), each])).values()];
}

function checkReading(reading: Reading, rules: RuleTable): Found[] {
  const { type, field, subgraph } = reading;
  const coordinate = `${type}.${field}`;
  const asked = rules.requirementOf(type, field);
  const found: Found[] = [];
  for (const [readType, readField] of fieldsRead(type, reading.selections, rules)) {
    const wanted = rules.requirementOf(readType, readField);
    const read = `${readType}.${readField}`;
    const say = (code: Found['code'], words: string): void => {
      found.push({ code, coordinate, subgraph, message: `@requires reads ${read}, which ${words}` });
    };
    if (!wanted.uncovered && implies(asked, wanted) !== 'yes')
      say('REQUIRES_PROTECTED', `asks ${ruleText(wanted)}`);
    for (const [, answer] of rules.answersOf(readType, readField)) {
      const { minimization } = answer;
      if (minimization === undefined) continue;
      const whole: Requirement = { ...NO_REQUIREMENT, scopes: [minimization.unless] };
      const isMinimized = rules.field(type, field)?.minimization !== undefined;
      if (isMinimized || implies(asked, whole) === 'yes') continue;
      say('REQUIRES_MINIMIZED', `is minimized (${minimization.to})`);
    }
    const returned = rules.field(readType, readField)?.returns ?? '';
    const isOwned = rules.type(returned)?.subject !== undefined;
    if (isOwned && rules.type(type)?.subject === undefined) {
      say('REQUIRES_SUBJECT', `returns ${returned}, whose rows belong to a subject`);
    }
  }
  return found;
}

/** Every field that a selection reads, with the type that it stands on. */
function* fieldsRead(
  type: string,
  set: SelectionSetNode,
  rules: RuleTable,
): Iterable<readonly [string, string]> {
  for (const selection of set.selections) {
    if (selection.kind === Kind.FIELD) {
      const name = selection.name.value;
      if (name === '__typename') continue;
      yield [type, name];
      const returned = rules.field(type, name)?.returns;
      if (selection.selectionSet !== undefined && returned !== undefined) {
        yield* fieldsRead(returned, selection.selectionSet, rules);
      }
    } else if (selection.kind === Kind.INLINE_FRAGMENT) {
      yield* fieldsRead(selection.typeCondition?.name.value ?? type, selection.selectionSet, rules);
    }
  }
}

function readingsOf(document: DocumentNode): readonly Reading[] {
  const links = new Links(document);
  const join = links.feature(JOIN_IDENTITY);
  if (join === undefined) return [];
  const joinField = links.localName(join, 'field');
  const names = graphNames(document, links.localName(join, 'graph'));
  const readings: Reading[] = [];
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.INTERFACE_TYPE_DEFINITION)
      continue;
    for (const field of definition.fields ?? []) {
      for (const { graph, requires } of joinArguments(field, joinField)) {
        const place = {
          type: definition.name.value,
          field: field.name.value,
          subgraph: names.get(String(graph)) ?? String(graph),
        };
        if (typeof requires === 'string') {
          readings.push({ ...place, selections: readFieldSet(requires) });
        }
      }
    }
  }
  return readings;
}

function joinArguments(field: FieldDefinitionNode, joinField: string): readonly Record<string, unknown>[] {
  return (field.directives ?? []).filter(({ name }) => name.value === joinField).map(argumentsOf);
}

/** A field set is the inside of a selection set. */
function readFieldSet(text: string): SelectionSetNode {
  const definition = parse(`{ ${text} }`, { noLocation: true }).definitions[0];
  if (definition?.kind !== Kind.OPERATION_DEFINITION) return { kind: Kind.SELECTION_SET, selections: [] };
  return definition.selectionSet;
}

function graphNames(document: DocumentNode, joinGraph: string): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.ENUM_TYPE_DEFINITION) continue;
    for (const value of definition.values ?? []) {
      const graph = value.directives?.find(({ name }) => name.value === joinGraph);
      const name = graph === undefined ? undefined : argumentsOf(graph).name;
      if (typeof name === 'string') names.set(value.name.value, name);
    }
  }
  return names;
}
