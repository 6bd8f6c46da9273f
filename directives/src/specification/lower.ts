import { BREAK, Kind, parseConstValue, visit } from 'graphql';
import type {
  ConstDirectiveNode,
  DefinitionNode,
  DocumentNode,
  EnumTypeDefinitionNode,
  EnumTypeExtensionNode,
  FieldDefinitionNode,
  InterfaceTypeDefinitionNode,
  InterfaceTypeExtensionNode,
  ObjectTypeDefinitionNode,
  ObjectTypeExtensionNode,
  ScalarTypeDefinitionNode,
  ScalarTypeExtensionNode,
} from 'graphql';
import { DirectiveError } from '../errors.js';
import { FEDERATION_IDENTITY } from './feature.js';
import { withImports } from './import-elements.js';
import { argumentsOf, Links } from './link.js';
import type { LinkedFeature } from './link.js';
import type { Alternatives } from './read-arguments.js';
import { lowerScopes, readScope, requiresScope } from './requires-scope.js';
import { readScopes, requiresScopes } from './requires-scopes.js';
import { specificationOf } from './specified-directives.js';

/** Federation has `@requiresScopes` from this version on. */
const FIRST_FEDERATION_WITH_SCOPES = [2, 5] as const;

/**
 * Rewrites every `@requiresScope` of a subgraph into the standard `@requiresScopes`, so that composition's transitive checks
 * apply and every standard router enforces the scopes. Lowering twice changes nothing.
 *
 * Repeated applications become one AND; with a `@requiresScopes` on the same element both must hold. Rules on an interface or
 * its fields move to the implementing types of the same subgraph, because composition takes access control from implementers
 * and refuses it on interfaces (AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE).
 *
 * A schema that links no federation specification is returned unchanged.
 *
 * @throws {DirectiveError} `INVALID_RULE` with the coordinate; `UNSUPPORTED_SPECIFICATION` if the linked federation is too old
 * for `@requiresScopes`
 */
export function lowerRequiresScope(document: DocumentNode): DocumentNode {
  const links = new Links(document);
  const federation = links.feature(FEDERATION_IDENTITY);
  if (federation === undefined || !appliesRequiresScope(document, links)) return document;
  refuseOldFederation(federation);
  if (!federation.imports.has(`@${requiresScopes.name}`)) {
    // Composition requires one name for a directive in all subgraphs, and the others import it under its own.
    return lowerRequiresScope(withImports(document, federation, [requiresScopes.name]));
  }
  const lowering: Lowering = {
    links,
    standardName: links.localName(federation, requiresScopes.name),
    interfaceRules: collectInterfaceRules(document, links),
    interfacesOf: collectInterfaces(document),
  };
  const typeScopes = collectTypeScopes(document, lowering);
  return {
    ...document,
    definitions: document.definitions.map((definition) => lowerDefinition(definition, typeScopes, lowering)),
  };
}

/** Facts about the whole document for lowering each definition. */
interface Lowering {
  readonly links: Links;
  /** Name of `@requiresScopes` in this schema. */
  readonly standardName: string;
  /** Scopes that interfaces require, by interface name and by `Interface.field`. */
  readonly interfaceRules: ReadonlyMap<string, readonly string[]>;
  /** Names of a type's interfaces, by the type's name. */
  readonly interfacesOf: ReadonlyMap<string, ReadonlySet<string>>;
}

type Directives = readonly ConstDirectiveNode[] | undefined;

/** The scopes that one element requires, by either directive. */
interface ElementScopes {
  readonly scopes: Set<string>;
  /** The alternatives of its `@requiresScopes`. */
  beside: Alternatives | undefined;
}

/** @throws {DirectiveError} `INVALID_RULE` for a second `@requiresScopes` */
function addScopes(element: ElementScopes, directives: Directives, coordinate: string, links: Links): void {
  for (const directive of directives ?? []) {
    const specification = specificationOf(links, directive.name.value);
    if (specification === requiresScope) element.scopes.add(readScope(argumentsOf(directive), coordinate));
    if (specification !== requiresScopes) continue;
    if (element.beside !== undefined)
      throw new DirectiveError('INVALID_RULE', '@requiresScopes is applied twice', coordinate);
    element.beside = readScopes(argumentsOf(directive), coordinate);
  }
}

/** The element with `@requiresScopes` alone. One that only has `@requiresScopes` keeps it unchanged. */
function withScopes<Node extends { readonly directives?: Directives }>(
  node: Node,
  element: ElementScopes,
  { links, standardName }: Lowering,
  isHolder = true,
): Node {
  const { scopes, beside } = element;
  if (scopes.size === 0) return node;
  const rest = (node.directives ?? []).filter(({ name }) => {
    const specification = specificationOf(links, name.value);
    return specification !== requiresScope && specification !== requiresScopes;
  });
  const lowered = isHolder ? [scopesDirective(standardName, lowerScopes(scopes, beside))] : [];
  return { ...node, directives: [...rest, ...lowered] };
}

interface TypeScopes extends ElementScopes {
  /** `@requiresScopes` is not repeatable: of a type's definition and extensions, this one gets it. */
  readonly holder: DefinitionNode;
}

function collectTypeScopes(document: DocumentNode, lowering: Lowering): ReadonlyMap<string, TypeScopes> {
  const types = new Map<string, TypeScopes>();
  for (const definition of document.definitions) {
    if (!isRuledType(definition)) continue;
    const name = definition.name.value;
    let type = types.get(name);
    if (type === undefined) {
      type = { scopes: new Set(), beside: undefined, holder: definition };
      types.set(name, type);
    }
    addScopes(type, definition.directives, name, lowering.links);
    for (const parent of lowering.interfacesOf.get(name) ?? [])
      for (const scope of lowering.interfaceRules.get(parent) ?? []) type.scopes.add(scope);
  }
  return types;
}

function lowerDefinition(
  definition: DefinitionNode,
  typeScopes: ReadonlyMap<string, TypeScopes>,
  lowering: Lowering,
): DefinitionNode {
  if (isInterface(definition)) {
    const fields = definition.fields?.map((field) => withoutRequiresScope(field, lowering.links));
    const lowered = withoutRequiresScope(definition, lowering.links);
    return fields === undefined ? lowered : { ...lowered, fields };
  }
  if (!isRuledType(definition)) return definition;
  const type = typeScopes.get(definition.name.value);
  const lowered =
    type === undefined ? definition : withScopes(definition, type, lowering, type.holder === definition);
  return isObject(lowered) ? withLoweredFields(lowered, lowering) : lowered;
}

function withLoweredFields<Node extends ObjectTypeDefinitionNode | ObjectTypeExtensionNode>(
  node: Node,
  lowering: Lowering,
): Node {
  const fields = node.fields?.map((field) => lowerField(node.name.value, field, lowering));
  return fields === undefined ? node : { ...node, fields };
}

function lowerField(typeName: string, field: FieldDefinitionNode, lowering: Lowering): FieldDefinitionNode {
  const element: ElementScopes = { scopes: new Set(), beside: undefined };
  addScopes(element, field.directives, `${typeName}.${field.name.value}`, lowering.links);
  for (const parent of lowering.interfacesOf.get(typeName) ?? []) {
    const inherited = lowering.interfaceRules.get(`${parent}.${field.name.value}`) ?? [];
    for (const scope of inherited) element.scopes.add(scope);
  }
  return withScopes(field, element, lowering);
}

function refuseOldFederation({ version }: LinkedFeature): void {
  const [major = 0, minor = 0] = version.slice(1).split('.').map(Number);
  const [firstMajor, firstMinor] = FIRST_FEDERATION_WITH_SCOPES;
  if (major > firstMajor || (major === firstMajor && minor >= firstMinor)) return;
  throw new DirectiveError(
    'UNSUPPORTED_SPECIFICATION',
    `@requiresScope needs federation v${firstMajor}.${firstMinor} or later; the schema links ${version}`,
  );
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

/** @throws {DirectiveError} `INVALID_RULE` for a `@requiresScopes` on an interface, which is not moved */
function collectInterfaceRules(document: DocumentNode, links: Links): ReadonlyMap<string, readonly string[]> {
  const rules = new Map<string, string[]>();
  const add = (coordinate: string, directives: Directives): void => {
    for (const directive of directives ?? []) {
      const specification = specificationOf(links, directive.name.value);
      if (specification === requiresScopes) {
        throw new DirectiveError('INVALID_RULE', 'put @requiresScopes on the implementing types', coordinate);
      }
      if (specification !== requiresScope) continue;
      const scopes = rules.get(coordinate) ?? [];
      scopes.push(readScope(argumentsOf(directive), coordinate));
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

type RuledTypeNode =
  | ObjectTypeDefinitionNode
  | ObjectTypeExtensionNode
  | ScalarTypeDefinitionNode
  | ScalarTypeExtensionNode
  | EnumTypeDefinitionNode
  | EnumTypeExtensionNode;

const RULED_TYPES: ReadonlySet<string> = new Set([
  Kind.OBJECT_TYPE_DEFINITION,
  Kind.OBJECT_TYPE_EXTENSION,
  Kind.SCALAR_TYPE_DEFINITION,
  Kind.SCALAR_TYPE_EXTENSION,
  Kind.ENUM_TYPE_DEFINITION,
  Kind.ENUM_TYPE_EXTENSION,
]);

/** A type that may have scopes in a lowered schema. */
function isRuledType(node: DefinitionNode): node is RuledTypeNode {
  return RULED_TYPES.has(node.kind);
}

function isObject(node: DefinitionNode): node is ObjectTypeDefinitionNode | ObjectTypeExtensionNode {
  return node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.OBJECT_TYPE_EXTENSION;
}

function isInterface(node: DefinitionNode): node is InterfaceTypeDefinitionNode | InterfaceTypeExtensionNode {
  return node.kind === Kind.INTERFACE_TYPE_DEFINITION || node.kind === Kind.INTERFACE_TYPE_EXTENSION;
}

function withoutRequiresScope<Node extends { readonly directives?: Directives }>(
  node: Node,
  links: Links,
): Node {
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
