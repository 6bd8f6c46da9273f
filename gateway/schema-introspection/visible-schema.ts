import { buildASTSchema, isTypeDefinitionNode, Kind, parse, printSchema } from 'graphql';
import type {
  DocumentNode,
  FieldDefinitionNode,
  GraphQLSchema,
  InputValueDefinitionNode,
  InterfaceTypeDefinitionNode,
  NamedTypeNode,
  ObjectTypeDefinitionNode,
  TypeDefinitionNode,
  TypeNode,
} from 'graphql';

/** Whether a caller may read a field. */
export type IsGranted = (typeName: string, fieldName: string) => boolean;

type Definitions = Map<string, TypeDefinitionNode>;

/** The schema's text, parsed once for all callers. */
export function introspectableDocument(schema: GraphQLSchema): DocumentNode {
  return parse(printSchema(schema), { noLocation: true });
}

/**
 * The part of a schema that a caller can reach: without fields that are not granted, types left without a field, fields that
 * returned those, and everything that becomes unreachable.
 *
 * @returns undefined if no query field is left, because that is not a schema
 */
export function visibleSchema(document: DocumentNode, isGranted: IsGranted): GraphQLSchema | undefined {
  const types: Definitions = new Map();
  for (const definition of document.definitions) {
    // Nothing else: directives show how the schema is protected, and an operation only needs GraphQL's own.
    if (isTypeDefinitionNode(definition)) types.set(definition.name.value, definition);
  }
  const roots = rootNames(document);
  dropFields(types, (typeName, field) => !isGranted(typeName, field.name.value));
  // A type without a field removes the fields that return it, which may leave others without one.
  while (dropEmpty(types)) {
    const known = types;
    dropFields(types, (_typeName, field) => !isKnown(known, namedType(field.type)));
  }
  keepInterfacesConsistent(types);
  const root = roots.find(([operation]) => operation === 'query')?.[1];
  if (root === undefined || !types.has(root)) return undefined;
  const reachable = reachableFrom(
    types,
    roots.map(([, name]) => name),
  );
  return buildASTSchema(
    {
      kind: Kind.DOCUMENT,
      definitions: [
        parse(
          `schema { ${roots
            .filter(([, name]) => reachable.has(name))
            .map(([operation, name]) => `${operation}: ${name}`)
            .join(' ')} }`,
          { noLocation: true },
        ).definitions,
        [...types.values()].filter(({ name }) => reachable.has(name.value)),
      ].flat(),
    },
    { assumeValidSDL: true },
  );
}

function rootNames(document: DocumentNode): readonly (readonly [string, string])[] {
  const definition = document.definitions.find((node) => node.kind === Kind.SCHEMA_DEFINITION);
  if (definition !== undefined) {
    return definition.operationTypes.map(({ operation, type }) => [operation, type.name.value] as const);
  }
  return [
    ['query', 'Query'],
    ['mutation', 'Mutation'],
    ['subscription', 'Subscription'],
  ];
}

function dropFields(
  types: Definitions,
  drops: (typeName: string, field: FieldDefinitionNode) => boolean,
): void {
  for (const [name, type] of types) {
    if (type.kind !== Kind.OBJECT_TYPE_DEFINITION && type.kind !== Kind.INTERFACE_TYPE_DEFINITION) continue;
    const fields = (type.fields ?? []).filter((field) => !drops(name, field));
    if (fields.length !== type.fields?.length) types.set(name, { ...type, fields });
  }
}

/** @returns whether a type was dropped */
function dropEmpty(types: Definitions): boolean {
  let dropped = false;
  for (const [name, type] of types) {
    let isEmpty = false;
    if (type.kind === Kind.OBJECT_TYPE_DEFINITION || type.kind === Kind.INTERFACE_TYPE_DEFINITION) {
      isEmpty = type.fields?.length === 0;
    } else if (type.kind === Kind.UNION_TYPE_DEFINITION) {
      const members = (type.types ?? []).filter((member) => types.has(member.name.value));
      isEmpty = members.length === 0;
      if (members.length !== type.types?.length) types.set(name, { ...type, types: members });
    }
    if (!isEmpty) continue;
    types.delete(name);
    dropped = true;
  }
  return dropped;
}

/**
 * A type implements only interfaces that it still fits (GraphQL section 3.6 Type Validation): the fields, with fitting types,
 * and the interface's own interfaces. Dropping one may make another's fields unfit, so it repeats until nothing changes.
 */
function keepInterfacesConsistent(types: Definitions): void {
  for (let isSettled = false; !isSettled;) {
    isSettled = true;
    for (const [name, type] of types) {
      if (type.kind !== Kind.OBJECT_TYPE_DEFINITION && type.kind !== Kind.INTERFACE_TYPE_DEFINITION) continue;
      const interfaces = (type.interfaces ?? []).filter((parent) => isImplemented(types, type, parent));
      if (interfaces.length === type.interfaces?.length) continue;
      types.set(name, { ...type, interfaces });
      isSettled = false;
    }
  }
}

function isImplemented(
  types: Definitions,
  type: ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode,
  { name: { value: parent } }: NamedTypeNode,
): boolean {
  const definition = types.get(parent);
  if (definition?.kind !== Kind.INTERFACE_TYPE_DEFINITION) return false;
  const implemented = new Set((type.interfaces ?? []).map(namedType));
  if (!(definition.interfaces ?? []).every((above) => implemented.has(above.name.value))) return false;
  const fields = new Map((type.fields ?? []).map((field) => [field.name.value, field]));
  return (definition.fields ?? []).every((field) => {
    const own = fields.get(field.name.value);
    return own !== undefined && fits(types, own.type, field.type);
  });
}

/** Whether a value of the one type may be returned where the other is promised. */
function fits(types: Definitions, type: TypeNode, promised: TypeNode): boolean {
  if (promised.kind === Kind.NON_NULL_TYPE) {
    return type.kind === Kind.NON_NULL_TYPE && fits(types, type.type, promised.type);
  }
  if (type.kind === Kind.NON_NULL_TYPE) return fits(types, type.type, promised);
  if (promised.kind === Kind.LIST_TYPE) {
    return type.kind === Kind.LIST_TYPE && fits(types, type.type, promised.type);
  }
  if (type.kind !== Kind.NAMED_TYPE) return false;
  if (type.name.value === promised.name.value) return true;
  const definition = types.get(type.name.value);
  const above = types.get(promised.name.value);
  if (above?.kind === Kind.UNION_TYPE_DEFINITION) {
    return (above.types ?? []).some((member) => member.name.value === type.name.value);
  }
  if (definition === undefined || !('interfaces' in definition)) return false;
  return (definition.interfaces ?? []).some((parent) => parent.name.value === promised.name.value);
}

function reachableFrom(types: Definitions, roots: readonly string[]): ReadonlySet<string> {
  const reached = new Set<string>();
  const implementers = new Map<string, string[]>();
  for (const [name, type] of types) {
    if (!('interfaces' in type)) continue;
    for (const parent of type.interfaces ?? []) {
      implementers.set(parent.name.value, [...(implementers.get(parent.name.value) ?? []), name]);
    }
  }
  const pending = [...roots];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const type = types.get(name);
    if (type === undefined || reached.has(name)) continue;
    reached.add(name);
    pending.push(...(implementers.get(name) ?? []));
    if (type.kind === Kind.UNION_TYPE_DEFINITION) pending.push(...(type.types ?? []).map(namedType));
    if ('interfaces' in type) pending.push(...(type.interfaces ?? []).map(namedType));
    if (!('fields' in type)) continue;
    for (const field of (type.fields ?? []) as readonly (FieldDefinitionNode | InputValueDefinitionNode)[]) {
      pending.push(namedType(field.type));
      if ('arguments' in field) pending.push(...(field.arguments ?? []).map(({ type: of }) => namedType(of)));
    }
  }
  return reached;
}

const BUILT_IN: ReadonlySet<string> = new Set(['Int', 'Float', 'String', 'Boolean', 'ID']);

function isKnown(types: Definitions, name: string): boolean {
  return BUILT_IN.has(name) || types.has(name);
}

function namedType(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : namedType(type.type);
}
