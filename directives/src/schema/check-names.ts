import { Kind, specifiedDirectives as graphqlDirectives, visit } from 'graphql';
import type { DocumentNode } from 'graphql';
import { DirectiveError } from '../errors.js';
import { nearest } from '../nearest.js';
import { coordinateOf } from '../specification/coordinate.js';
import { Links } from '../specification/link.js';
import { specifiedDirectives } from '../specification/specified-directives.js';

const NAMES: readonly string[] = specifiedDirectives.map(({ name }) => name);

/**
 * Refuses the name of a directive that is almost one of Behalf's, and so would be ignored. Other libraries' directives pass, and so
 * does whatever the schema defines or links.
 *
 * @throws {DirectiveError} `UNKNOWN_DIRECTIVE`, with the coordinate
 */
export function refuseMisspeltNames(document: DocumentNode): void {
  const links = new Links(document);
  const defined = new Set(graphqlDirectives.map(({ name }) => name));
  for (const node of document.definitions)
    if (node.kind === Kind.DIRECTIVE_DEFINITION) defined.add(node.name.value);
  visit(document, {
    Directive({ name: { value: name } }, _key, _parent, _path, ancestors) {
      if (defined.has(name) || links.resolve(name) !== undefined) return;
      const meant = meantDirective(name);
      // Under its exact name, it is checked where links are.
      if (meant === undefined || meant === name) return;
      throw new DirectiveError(
        'UNKNOWN_DIRECTIVE',
        `"${name}" is not one of Behalf's directives; did you mean ${meant}? If it is another library's, define it in the schema`,
        coordinateOf(ancestors),
      );
    },
  });
}

/** The directive that a name probably means: with an `@` or a prefix, in another case, or with a slip of the pen. */
export function meantDirective(name: string): string | undefined {
  const bare = lettersOf(name.slice(name.lastIndexOf('__') + 1));
  return NAMES.find((known) => known.toLowerCase() === bare) ?? nearest(bare, NAMES);
}

function lettersOf(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9]/g, '').toLowerCase();
}
