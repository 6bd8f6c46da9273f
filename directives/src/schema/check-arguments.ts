import { visit } from 'graphql';
import type { DirectiveNode, DocumentNode } from 'graphql';
import { DirectiveError } from '../errors.js';
import { unknownName } from '../option-checks.js';
import { coordinateOf } from '../specification/coordinate.js';
import { Links } from '../specification/link.js';
import { specificationOf } from '../specification/specified-directives.js';

/**
 * Refuses an argument that its directive does not have: it may have been meant to restrict. Nothing else checks rules in code.
 *
 * @throws {DirectiveError} `INVALID_RULE`, with the coordinate
 */
export function refuseUnknownArguments(document: DocumentNode): void {
  const links = new Links(document);
  visit(document, {
    Directive(node, _key, _parent, _path, ancestors) {
      checkArguments(node, links, () => coordinateOf(ancestors));
    },
  });
}

function checkArguments(directive: DirectiveNode, links: Links, coordinate: () => string | undefined): void {
  const specification = specificationOf(links, directive.name.value);
  if (specification === undefined) return;
  const known: readonly string[] = specification.arguments;
  const unknown = directive.arguments?.find(({ name }) => !known.includes(name.value));
  if (unknown !== undefined)
    throw new DirectiveError(
      'INVALID_RULE',
      `@${specification.name}: "${unknown.name.value}" ${unknownName(unknown.name.value, known, 'argument')}`,
      coordinate(),
    );
}
