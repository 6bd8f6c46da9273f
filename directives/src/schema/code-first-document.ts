import { Kind, visit } from 'graphql';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import { Links } from '../specification/link.js';
import { attachRules, namesOf } from './attach-rules.js';
import type { CoordinateRules } from './coordinate-rules.js';
import { linkRules, withOwnDefinitions } from './link-rules.js';
import { schemaDocument } from './schema-document.js';

/**
 * A schema that was built in code, with its rules, in the form in which a subgraph states them in SDL.
 *
 * @throws {DirectiveError} with the coordinate, for directives that cannot be read and rules that do not fit the schema
 */
export function codeFirstDocument(
  schema: GraphQLSchema,
  rules: CoordinateRules,
  isFederated: boolean,
): DocumentNode {
  const linked = linkRules(schemaDocument(schema), namesOf(rules), isFederated);
  return withOwnDefinitions(attachRules(linked, rules, new Links(linked)));
}

/**
 * The published document. A directive that is neither defined nor linked is a library's private note (`extensions.directives`
 * may contain anything), and composition would not know it.
 */
export function withoutPrivateDirectives(document: DocumentNode): DocumentNode {
  const links = new Links(document);
  const defined = new Set(
    document.definitions.flatMap((node) =>
      node.kind === Kind.DIRECTIVE_DEFINITION ? [node.name.value] : [],
    ),
  );
  return visit(document, {
    Directive: ({ name: { value } }) =>
      value === 'link' || isOfGraphql(value) || defined.has(value) || links.resolve(value) !== undefined
        ? undefined
        : null,
  });
}

function isOfGraphql(name: string): boolean {
  return ['deprecated', 'specifiedBy', 'oneOf'].includes(name);
}
