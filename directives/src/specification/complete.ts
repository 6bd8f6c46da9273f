import { Kind, parse, visit } from 'graphql';
import type { ConstDirectiveNode, DefinitionNode, DocumentNode } from 'graphql';
import { BEHALF_IDENTITY, FEDERATION_IDENTITY } from './feature.js';
import { argumentsOf, Links } from './link.js';
import { MINIMIZE_ENUMS } from './minimize.js';
import { behalfDirectives } from './specified-directives.js';

/**
 * Adds to a subgraph's schema what federation requires for Behalf's directives and teams should not have to write: their
 * definitions, and `@composeDirective` for each applied one. Without the latter, composition silently drops the directive, and
 * the field would be unprotected.
 *
 * A schema that does not link Behalf's specification is returned unchanged.
 */
export function completeSubgraph(document: DocumentNode): DocumentNode {
  const links = new Links(document);
  const behalf = links.feature(BEHALF_IDENTITY);
  const federation = links.feature(FEDERATION_IDENTITY);
  if (behalf === undefined) return document;

  const defined = new Set<string>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.DIRECTIVE_DEFINITION) defined.add(`@${definition.name.value}`);
    if (definition.kind === Kind.ENUM_TYPE_DEFINITION) defined.add(definition.name.value);
  }
  const { applied, composed } = appliedDirectives(
    document,
    links.localName(federation ?? behalf, 'composeDirective'),
  );

  const additions: string[] = [];
  for (const directive of behalfDirectives) {
    const name = links.localName(behalf, directive.name);
    if (directive.definition !== undefined && !defined.has(`@${name}`))
      additions.push(directive.definition(name));
    if (federation !== undefined && directive.composed && applied.has(name) && !composed.has(`@${name}`)) {
      additions.push(`extend schema @${links.localName(federation, 'composeDirective')}(name: "@${name}")`);
    }
  }
  for (const definition of MINIMIZE_ENUMS) {
    const name = definition.split(' ')[1] ?? '';
    if (!defined.has(name)) additions.push(definition);
  }
  if (additions.length === 0) return document;
  const added: readonly DefinitionNode[] = parse(additions.join('\n'), { noLocation: true }).definitions;
  return { ...document, definitions: [...document.definitions, ...added] };
}

function appliedDirectives(
  document: DocumentNode,
  composeDirective: string,
): { applied: ReadonlySet<string>; composed: ReadonlySet<unknown> } {
  const applied = new Set<string>();
  const composed = new Set<unknown>();
  visit(document, {
    Directive(node) {
      applied.add(node.name.value);
      if (node.name.value === composeDirective) composed.add(argumentsOf(node as ConstDirectiveNode).name);
    },
  });
  return { applied, composed };
}
