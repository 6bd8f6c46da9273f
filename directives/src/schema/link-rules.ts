import { Kind, visit } from 'graphql';
import type { ConstDirectiveNode, DocumentNode } from 'graphql';
import { BEHALF_IDENTITY, BEHALF_VERSION, FEDERATION_IDENTITY } from '../specification/feature.js';
import { withImports } from '../specification/import-elements.js';
import { Links } from '../specification/link.js';
import { specificationOf, specifiedDirectives } from '../specification/specified-directives.js';
import { withEnumValues } from './directive-node.js';

/** The federation version by which an unpublished schema is read: any with the standard rules would do. */
const FEDERATION_VERSION = 'v2.9';

/**
 * Adds the links that the rules of a schema built in code need, because few libraries can write `@link`. Behalf's directives
 * then have their own names. Existing links stay, with their names.
 *
 * @param needed names of specified directives that the options of `protectSchema` use
 * @param isFederated whether the schema is published: then only the team may link federation, which decides what `@key` means
 */
export function linkRules(
  source: DocumentNode,
  needed: ReadonlySet<string>,
  isFederated: boolean,
): DocumentNode {
  const known = knownNames(source);
  let document = source;
  for (const [identity, version] of [
    [BEHALF_IDENTITY, BEHALF_VERSION],
    [FEDERATION_IDENTITY, FEDERATION_VERSION],
  ] as const) {
    const links = new Links(document);
    const feature = links.feature(identity);
    const own = specifiedDirectives.filter(
      ({ name, identities }) =>
        (identities as readonly string[]).includes(identity) &&
        // Already bound to a specification under this name.
        specificationOf(links, name)?.name !== name,
    );
    if (feature !== undefined) {
      const missing = own.filter(({ name }) => needed.has(name) && !feature.imports.has(`@${name}`));
      if (missing.length > 0)
        document = withImports(
          document,
          feature,
          missing.map(({ name }) => name),
        );
      continue;
    }
    if (identity === FEDERATION_IDENTITY && isFederated) continue;
    const imported = own.filter(({ name }) => needed.has(name) || known.has(name));
    document = withLink(
      document,
      `${identity}/${version}`,
      imported.map(({ name }) => `@${name}`),
    );
  }
  return document;
}

/** Behalf's own directives as its specification defines them, whatever the schema's library defined. */
export function withOwnDefinitions(document: DocumentNode): DocumentNode {
  const links = new Links(document);
  const isOwn = (name: string): boolean => links.resolve(name)?.feature.identity === BEHALF_IDENTITY;
  const definitions = document.definitions.filter(
    (definition) => definition.kind !== Kind.DIRECTIVE_DEFINITION || !isOwn(definition.name.value),
  );
  return visit(
    { ...document, definitions },
    {
      Directive(node) {
        const specification = specificationOf(links, node.name.value);
        return specification === undefined
          ? undefined
          : withEnumValues(node as ConstDirectiveNode, specification.name);
      },
    },
  );
}

/** Names of directives that are applied or defined. */
function knownNames(document: DocumentNode): ReadonlySet<string> {
  const names = new Set<string>();
  visit(document, {
    Directive(node) {
      names.add(node.name.value);
    },
    DirectiveDefinition(node) {
      names.add(node.name.value);
    },
  });
  return names;
}

function withLink(document: DocumentNode, url: string, elements: readonly string[]): DocumentNode {
  const link: ConstDirectiveNode = {
    kind: Kind.DIRECTIVE,
    name: { kind: Kind.NAME, value: 'link' },
    arguments: [
      {
        kind: Kind.ARGUMENT,
        name: { kind: Kind.NAME, value: 'url' },
        value: { kind: Kind.STRING, value: url },
      },
      {
        kind: Kind.ARGUMENT,
        name: { kind: Kind.NAME, value: 'import' },
        value: { kind: Kind.LIST, values: elements.map((value) => ({ kind: Kind.STRING, value })) },
      },
    ],
  };
  return {
    ...document,
    definitions: [{ kind: Kind.SCHEMA_EXTENSION, directives: [link] }, ...document.definitions],
  };
}
