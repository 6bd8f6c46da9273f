import { BREAK, Kind, parseConstValue, visit } from 'graphql';
import type {
  ConstDirectiveNode,
  ConstValueNode,
  DefinitionNode,
  DocumentNode,
  FieldDefinitionNode,
  InterfaceTypeDefinitionNode,
  InterfaceTypeExtensionNode,
  ObjectTypeDefinitionNode,
  ObjectTypeExtensionNode,
} from 'graphql';
import { DirectiveError } from '../errors.js';
import type { Alternatives } from './directive-specification.js';
import { FEDERATION_IDENTITY } from './feature.js';
import { argumentsOf, Links } from './link.js';
import { requiresScope } from './requires-scope.js';
import { requiresScopes } from './requires-scopes.js';
import { specificationOf } from './specified-directives.js';

type CompositeNode =
  | ObjectTypeDefinitionNode
  | ObjectTypeExtensionNode
  | InterfaceTypeDefinitionNode
  | InterfaceTypeExtensionNode;

/**
 * Rewrites every `@requiresScope` of a subgraph into the standard `@requiresScopes`, so that composition's
 * transitive checks apply and every router that knows the standard enforces the scopes.
 *
 * Repeated applications become one AND; beside a `@requiresScopes` on the same element both must hold.
 * Rules on an interface or its fields move to the implementing types of the same subgraph, because composition
 * takes access control from implementers and refuses it on interfaces (AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE).
 *
 * @throws {DirectiveError} `INVALID_RULE` with the coordinate.
 */
export function lowerRequiresScope(document: DocumentNode): DocumentNode {
  const links = new Links(document);
  const federation = links.feature(FEDERATION_IDENTITY);
  const used = (nodes: readonly ConstDirectiveNode[] | undefined): boolean =>
    (nodes ?? []).some((node) => specificationOf(links, node.name.value) === requiresScope);
  if (federation === undefined) return document;
  if (!appliesRequiresScope(document, links)) return document;
  if (!federation.imports.has(`@${requiresScopes.name}`)) {
    // Composition wants a directive to have one name in all subgraphs, and the others import it under its own.
    return lowerRequiresScope(withImport(document, federation.node, `@${requiresScopes.name}`));
  }

  const standardName = links.localName(federation, requiresScopes.name);
  const interfaceRules = collectInterfaceRules(document, links);
  const interfacesOf = collectInterfaces(document);

  const lower = <Node extends { readonly directives?: readonly ConstDirectiveNode[] | undefined }>(
    node: Node,
    coordinate: string,
    inherited: readonly string[],
  ): Node => {
    if (!used(node.directives) && inherited.length === 0) return node;
    const rest: ConstDirectiveNode[] = [];
    const all = new Set(inherited);
    let alternatives: Alternatives = [[]];
    for (const directive of node.directives ?? []) {
      const specification = specificationOf(links, directive.name.value);
      if (specification === requiresScope) all.add(requiresScope.read(argumentsOf(directive), coordinate));
      else if (specification === requiresScopes) {
        alternatives = requiresScopes.read(argumentsOf(directive), coordinate);
      } else rest.push(directive);
    }
    const both = alternatives.map((scopes) => [...new Set([...scopes, ...all])]);
    return { ...node, directives: [...rest, scopesDirective(standardName, both)] };
  };

  const lowerFields = (type: CompositeNode): readonly FieldDefinitionNode[] | undefined =>
    type.fields?.map((field) => {
      const coordinate = `${type.name.value}.${field.name.value}`;
      if (isInterface(type)) return withoutRequiresScope(field, links);
      const inherited = [...(interfacesOf.get(type.name.value) ?? [])].flatMap(
        (parent) => interfaceRules.get(`${parent}.${field.name.value}`) ?? [],
      );
      return lower(field, coordinate, inherited);
    });

  return {
    ...document,
    definitions: document.definitions.map((definition): DefinitionNode => {
      switch (definition.kind) {
        case Kind.OBJECT_TYPE_DEFINITION:
        case Kind.OBJECT_TYPE_EXTENSION: {
          const inherited = (definition.interfaces ?? []).flatMap(
            (parent) => interfaceRules.get(parent.name.value) ?? [],
          );
          const lowered = lower(definition, definition.name.value, inherited);
          const fields = lowerFields(definition);
          return fields === undefined ? lowered : { ...lowered, fields };
        }
        case Kind.INTERFACE_TYPE_DEFINITION:
        case Kind.INTERFACE_TYPE_EXTENSION: {
          const fields = lowerFields(definition);
          const lowered = withoutRequiresScope(definition, links);
          return fields === undefined ? lowered : { ...lowered, fields };
        }
        case Kind.SCALAR_TYPE_DEFINITION:
        case Kind.SCALAR_TYPE_EXTENSION:
        case Kind.ENUM_TYPE_DEFINITION:
        case Kind.ENUM_TYPE_EXTENSION:
          return lower(definition, definition.name.value, []);
        default:
          return definition;
      }
    }),
  };
}

function appliesRequiresScope(document: DocumentNode, links: Links): boolean {
  let applies = false;
  visit(document, {
    Directive(node) {
      if (specificationOf(links, node.name.value) !== requiresScope) return undefined;
      applies = true;
      return BREAK;
    },
  });
  return applies;
}

/** The document with one more element in the `import` of a link. */
function withImport(document: DocumentNode, link: ConstDirectiveNode, element: string): DocumentNode {
  const imported: ConstValueNode = { kind: Kind.STRING, value: element };
  const before = link.arguments?.find(({ name }) => name.value === 'import')?.value;
  const extended: ConstDirectiveNode = {
    ...link,
    arguments: [
      ...(link.arguments ?? []).filter(({ name }) => name.value !== 'import'),
      {
        kind: Kind.ARGUMENT,
        name: { kind: Kind.NAME, value: 'import' },
        value: { kind: Kind.LIST, values: [...(before?.kind === Kind.LIST ? before.values : []), imported] },
      },
    ],
  };
  return {
    ...document,
    definitions: document.definitions.map((definition) =>
      definition.kind === Kind.SCHEMA_DEFINITION || definition.kind === Kind.SCHEMA_EXTENSION
        ? {
            ...definition,
            directives: (definition.directives ?? []).map((node) => (node === link ? extended : node)),
          }
        : definition,
    ),
  };
}

/** A type may name its interfaces in any of its definitions and extensions. */
function collectInterfaces(document: DocumentNode): ReadonlyMap<string, ReadonlySet<string>> {
  const interfaces = new Map<string, Set<string>>();
  for (const definition of document.definitions) {
    if (!('interfaces' in definition)) continue;
    const names = interfaces.get(definition.name.value) ?? new Set<string>();
    for (const parent of definition.interfaces ?? []) names.add(parent.name.value);
    interfaces.set(definition.name.value, names);
  }
  return interfaces;
}

/** Scopes that interfaces ask for, by interface name and by `Interface.field`. */
function collectInterfaceRules(document: DocumentNode, links: Links): ReadonlyMap<string, readonly string[]> {
  const rules = new Map<string, string[]>();
  const add = (coordinate: string, directives: readonly ConstDirectiveNode[] | undefined): void => {
    for (const directive of directives ?? []) {
      const specification = specificationOf(links, directive.name.value);
      if (specification === requiresScopes) {
        throw new DirectiveError('INVALID_RULE', 'put @requiresScopes on the implementing types', coordinate);
      }
      if (specification !== requiresScope) continue;
      const scopes = rules.get(coordinate) ?? [];
      scopes.push(requiresScope.read(argumentsOf(directive), coordinate));
      rules.set(coordinate, scopes);
    }
  };
  for (const definition of document.definitions) {
    if (!isInterface(definition)) continue;
    add(definition.name.value, definition.directives);
    for (const field of definition.fields ?? [])
      add(`${definition.name.value}.${field.name.value}`, field.directives);
  }
  return rules;
}

function isInterface(node: DefinitionNode): node is InterfaceTypeDefinitionNode | InterfaceTypeExtensionNode {
  return node.kind === Kind.INTERFACE_TYPE_DEFINITION || node.kind === Kind.INTERFACE_TYPE_EXTENSION;
}

function withoutRequiresScope<
  Node extends { readonly directives?: readonly ConstDirectiveNode[] | undefined },
>(node: Node, links: Links): Node {
  const directives = node.directives?.filter(
    (directive) => specificationOf(links, directive.name.value) !== requiresScope,
  );
  return directives === undefined ? node : { ...node, directives };
}

function scopesDirective(name: string, scopes: Alternatives): ConstDirectiveNode {
  return {
    kind: Kind.DIRECTIVE,
    name: { kind: Kind.NAME, value: name },
    arguments: [
      {
        kind: Kind.ARGUMENT,
        name: { kind: Kind.NAME, value: 'scopes' },
        value: parseConstValue(JSON.stringify(scopes), { noLocation: true }),
      },
    ],
  };
}
