import { Kind } from 'graphql';
import type { DocumentNode } from 'graphql';
import type { RuleTable } from '../decide/rule-table.js';
import { compileMinimizer } from './minimizer.js';
import { NamedTypes } from './named-types.js';

/** Whether the team has configured one is not known from its schema. */
const SOME_KEY = new Uint8Array(32);

/**
 * Whether each `@minimize` fits the type of its field, as the start of the subgraph requires. The text of the schema suffices.
 *
 * @param document of one subgraph, lowered
 * @param rules compiled from it
 * @throws {DirectiveError} `INVALID_RULE`
 */
export function checkMinimizations(document: DocumentNode, rules: RuleTable): void {
  const types = new NamedTypes(document);
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.OBJECT_TYPE_EXTENSION)
      continue;
    for (const field of definition.fields ?? []) {
      const [typeName, fieldName] = [definition.name.value, field.name.value];
      const minimization = rules.field(typeName, fieldName)?.minimization;
      if (minimization === undefined) continue;
      for (const statement of minimization.statements) {
        compileMinimizer({
          statement,
          coordinate: minimization.coordinate,
          type: types.outputOf(field.type),
          pseudonymKey: SOME_KEY,
          onUnreadable: () => undefined,
        });
      }
    }
  }
}
