import { Kind, parse, visit } from 'graphql';
import type { ConstDirectiveNode, DefinitionNode, DocumentNode } from 'graphql';
import { BEHALF_IDENTITY, FEDERATION_IDENTITY } from './feature.js';
import { argumentsOf, Links } from './link.js';
import type { LinkedFeature } from './link.js';
import { MINIMIZE_ENUMS } from './minimize.js';
import { behalfDirectives } from './specified-directives.js';

/**
 * Adds to a subgraph's schema what federation requires for Behalf's directives and teams should not have to write: their
 * definitions, and `@composeDirective` for each applied one. Without the latter, composition silently drops the directive, and
 * the field would be unprotected.
 *
 * It also adds the definitions of GraphQL's own directives that composition does not know, and drops if they are defined. Other
 * than that, a schema that does not link Behalf's specification is not changed.
 */
export function completeSubgraph(document: DocumentNode): DocumentNode {
  const links = new Links(document);
  const behalf = links.feature(BEHALF_IDENTITY);
  const federation = links.feature(FEDERATION_IDENTITY);
  const composeDirective = federation ?? behalf;
  const written: Written = {
    links,
    defined: definedNames(document),
    ...appliedDirectives(document, composeDirective && links.localName(composeDirective, 'composeDirective')),
  };
  const additions = [
    ...unknownToComposition(written),
    ...(behalf === undefined ? [] : behalfAdditions(written, behalf, federation)),
  ];
  if (additions.length === 0) return document;
  const added: readonly DefinitionNode[] = parse(additions.join('\n'), { noLocation: true }).definitions;
  return { ...document, definitions: [...document.definitions, ...added] };
}

interface Written {
  readonly links: Links;
  /** Directives with their `@`, and enums. */
  readonly defined: ReadonlySet<string>;
  readonly applied: ReadonlySet<string>;
  readonly composed: ReadonlySet<unknown>;
}

function definedNames(document: DocumentNode): ReadonlySet<string> {
  const defined = new Set<string>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.DIRECTIVE_DEFINITION) defined.add(`@${definition.name.value}`);
    if (definition.kind === Kind.ENUM_TYPE_DEFINITION) defined.add(definition.name.value);
  }
  return defined;
}

/** graphql-js knows `@oneOf`, so schemas do not define it. */
function unknownToComposition({ links, defined, applied }: Written): string[] {
  const isGraphqls = applied.has('oneOf') && !defined.has('@oneOf') && links.resolve('oneOf') === undefined;
  return isGraphqls ? ['directive @oneOf on INPUT_OBJECT'] : [];
}

function behalfAdditions(
  { links, defined, applied, composed }: Written,
  behalf: LinkedFeature,
  federation: LinkedFeature | undefined,
): string[] {
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
  return additions;
}

function appliedDirectives(
  document: DocumentNode,
  composeDirective: string | undefined,
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
