import { Kind } from 'graphql';
import type { ConstDirectiveNode, DocumentNode } from 'graphql';
import { Links } from '../specification/link.js';

const INACCESSIBLE_IDENTITY = 'https://specs.apollo.dev/inaccessible';

/**
 * The fields of object types that clients of a supergraph can select, by coordinate, each with its description or an empty text:
 * all but those that are `@inaccessible`, or of a type that is.
 */
export function accessibleFields(document: DocumentNode): ReadonlyMap<string, string> {
  const links = new Links(document);
  const feature = links.feature(INACCESSIBLE_IDENTITY);
  const directive = feature === undefined ? undefined : links.localName(feature, 'inaccessible');
  const isHidden = (nodes: readonly ConstDirectiveNode[] = []): boolean =>
    directive !== undefined && nodes.some(({ name }) => name.value === directive);
  const fields = new Map<string, string>();
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.OBJECT_TYPE_EXTENSION)
      continue;
    if (isHidden(definition.directives)) continue;
    for (const { description, directives, name } of definition.fields ?? []) {
      if (isHidden(directives)) continue;
      fields.set(`${definition.name.value}.${name.value}`, description?.value ?? '');
    }
  }
  return fields;
}
