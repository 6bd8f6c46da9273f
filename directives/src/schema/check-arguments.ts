import type { DirectiveNode, DocumentNode } from 'graphql';
import { DirectiveError } from '../errors.js';
import { unknownName } from '../option-checks.js';
import { Links } from '../specification/link.js';
import { specificationOf } from '../specification/specified-directives.js';

/**
 * Refuses an argument that its directive does not have: it may have been meant to restrict. Nothing else checks rules in code.
 *
 * @throws {DirectiveError} `INVALID_RULE`, with the coordinate
 */
export function refuseUnknownArguments(document: DocumentNode): void {
  const links = new Links(document);
  for (const definition of document.definitions) {
    if (!('name' in definition)) continue;
    const type = definition.name.value;
    if ('directives' in definition) checkArguments(definition.directives, links, type);
    if (!('fields' in definition)) continue;
    for (const { name, directives } of definition.fields ?? [])
      checkArguments(directives, links, `${type}.${name.value}`);
  }
}

function checkArguments(directives: readonly DirectiveNode[] = [], links: Links, coordinate: string): void {
  for (const directive of directives) {
    const specification = specificationOf(links, directive.name.value);
    if (specification === undefined) continue;
    const known: readonly string[] = specification.arguments;
    const unknown = directive.arguments?.find(({ name }) => !known.includes(name.value));
    if (unknown !== undefined)
      throw new DirectiveError(
        'INVALID_RULE',
        `@${specification.name}: "${unknown.name.value}" ${unknownName(unknown.name.value, known, 'argument')}`,
        coordinate,
      );
  }
}
