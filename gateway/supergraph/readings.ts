import { argumentsOf, Links, ruleText, withoutUndefined } from '@behalf/directives/internal';
import type { Minimization, RuleTable } from '@behalf/directives/internal';
import { Kind } from 'graphql';
import type { DocumentNode } from 'graphql';
import { fieldsRead, readFieldSet } from './field-set.js';
import type { FieldRead } from './field-set.js';
import { implies } from './implication.js';
import type { FieldJoin, JoinedType, JoinMetadata } from './join.js';
import type { LostProtection, LostProtectionCode } from './lost-protection-codes.js';
import { isMinimizedAsStrictly, minimizationText } from './minimization.js';
import type { PossibleTypes } from './possible-types.js';

/** A field that gets values of others before it is resolved. */
interface Reading {
  readonly type: string;
  readonly field: string;
  readonly subgraph: string | undefined;
  readonly by: '@requires' | '@fromContext';
  /** Types of the object at which the field set starts: the field's own, or an ancestor. Empty if unknown. */
  readonly roots: readonly string[];
  readonly fieldSet: string;
}

const CONTEXT_IDENTITY = 'https://specs.apollo.dev/context';

/**
 * Fields that are computed from protected data and require less (GHSA-m8jr-fxqx-8xx6). Composition only checks the standard
 * directives, and older versions none; here every kind of rule counts. Reading through another computed field is covered by it,
 * because each requires everything that it reads itself.
 */
export function checkReadings(
  document: DocumentNode,
  join: JoinMetadata,
  rules: RuleTable,
  possible: PossibleTypes,
): readonly LostProtection[] {
  const contexts = readContexts(document);
  const found: LostProtection[] = [];
  for (const type of join.types.values()) {
    for (const [field, joins] of type.fields) {
      for (const each of joins)
        for (const reading of readingsOf(type, field, each, contexts, possible))
          found.push(...checkReading(reading, rules, possible));
    }
  }
  return [...new Map(found.map((each) => [JSON.stringify(each), each])).values()];
}

function* readingsOf(
  type: JoinedType,
  field: string,
  { graph: subgraph, requires, contextArguments }: FieldJoin,
  contexts: ReadonlyMap<string, readonly string[]>,
  possible: PossibleTypes,
): Iterable<Reading> {
  // A field of an interface object is read for the objects of each implementer, and each has its own requirement.
  for (const reader of new Set([type.name, ...possible.of(type.name)])) {
    const place = { type: reader, field, subgraph };
    if (requires !== undefined) yield { ...place, by: '@requires', roots: [reader], fieldSet: requires };
    for (const { context, selection } of contextArguments) {
      const roots = (contexts.get(context) ?? []).flatMap((root) => [root, ...possible.of(root)]);
      yield { ...place, by: '@fromContext', roots, fieldSet: selection };
    }
  }
}

/** Context → the types that set it. */
function readContexts(document: DocumentNode): ReadonlyMap<string, readonly string[]> {
  const links = new Links(document);
  const feature = links.feature(CONTEXT_IDENTITY);
  const contexts = new Map<string, string[]>();
  if (feature === undefined) return contexts;
  const directive = links.localName(feature, 'context');
  for (const definition of document.definitions) {
    if (
      definition.kind !== Kind.OBJECT_TYPE_DEFINITION &&
      definition.kind !== Kind.INTERFACE_TYPE_DEFINITION &&
      definition.kind !== Kind.UNION_TYPE_DEFINITION
    )
      continue;
    for (const node of definition.directives ?? []) {
      if (node.name.value !== directive) continue;
      const { name } = argumentsOf(node);
      if (typeof name !== 'string') continue;
      contexts.set(name, [...(contexts.get(name) ?? []), definition.name.value]);
    }
  }
  return contexts;
}

function checkReading(
  reading: Reading,
  rules: RuleTable,
  possible: PossibleTypes,
): readonly LostProtection[] {
  const { type, field, subgraph, by, roots, fieldSet } = reading;
  const found: LostProtection[] = [];
  const say = (code: LostProtectionCode, words: string): void => {
    found.push(
      withoutUndefined({ code, coordinate: `${type}.${field}`, subgraph, message: `${by} reads ${words}` }),
    );
  };
  if (roots.length === 0) say('REQUIRES_PROTECTED', 'a context that the supergraph does not have');
  const isOwned = rules.type(type)?.subject !== undefined;
  const sayOwned = (read: string, returned: string): void => {
    const owned = possible.of(returned).filter((name) => rules.type(name)?.subject !== undefined);
    if (isOwned || owned.length === 0) return;
    say('REQUIRES_SUBJECT', `${read}, and rows of ${owned.join(', ')} belong to a subject`);
  };
  const selections = readFieldSet(fieldSet);
  for (const root of roots) {
    if (by === '@fromContext') sayOwned(root, root);
    for (const read of fieldsRead(root, selections, rules)) {
      checkRequirement(reading, read, rules, say);
      checkMinimization(reading, read, rules, say);
      const returned = rules.field(read.type, read.field)?.returns ?? '';
      sayOwned(`${read.type}.${read.field}`, returned);
    }
  }
  return found;
}

type Say = (code: LostProtectionCode, words: string) => void;

function checkRequirement({ type, field }: Reading, read: FieldRead, rules: RuleTable, say: Say): void {
  const wanted = rules.requirementOf(read.type, read.field);
  const name = `${read.type}.${read.field}`;
  if (wanted.uncovered) {
    say('REQUIRES_PROTECTED', `${name}, which the supergraph does not have`);
    return;
  }
  switch (implies(rules.requirementOf(type, field), wanted)) {
    case 'yes':
      return;
    case 'no':
      say('REQUIRES_PROTECTED', `${name}, which asks ${ruleText(wanted)}`);
      return;
    case 'unknown':
      say(
        'REQUIRES_PROTECTED',
        `${name}, and its rules are too long to find out whether they follow from those of the reader: repeat them word for word`,
      );
  }
}

function checkMinimization({ type, field }: Reading, read: FieldRead, rules: RuleTable, say: Say): void {
  const asked = rules.requirementOf(type, field);
  const reader = rules.field(type, field)?.minimization;
  const inputs = rules.answersOf(read.type, read.field).map(([, answer]) => answer);
  for (const { coordinate, minimization } of inputs) {
    if (minimization === undefined || isMinimizedAsStrictly(asked, reader, minimization)) continue;
    say('REQUIRES_MINIMIZED', `${coordinate}, which is ${minimizationText(minimization)}${instead(reader)}`);
  }
}

function instead(reader: Minimization | undefined): string {
  return reader === undefined ? '' : `, more strictly than ${minimizationText(reader)}, or not comparably`;
}
