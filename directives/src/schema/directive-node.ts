import { astFromValue, Kind, parse } from 'graphql';
import type {
  ConstDirectiveNode,
  ConstValueNode,
  DefinitionNode,
  GraphQLDirective,
  GraphQLInputType,
  TypeNode,
} from 'graphql';
import { DirectiveError } from '../errors.js';
import { kindOf } from '../kind-of.js';
import { behalfDirectives } from '../specification/specified-directives.js';
import type { GivenDirective } from './extension-directives.js';

/** A directive from outside of SDL, as SDL would have it. */
export function directiveNode(
  { name, args }: GivenDirective,
  definition: GraphQLDirective | undefined,
  coordinate: string,
): ConstDirectiveNode {
  const given = Object.entries(args).filter(([, value]) => value !== undefined);
  return {
    kind: Kind.DIRECTIVE,
    name: { kind: Kind.NAME, value: name },
    arguments: given.map(([argument, value]) => ({
      kind: Kind.ARGUMENT,
      name: { kind: Kind.NAME, value: argument },
      value: argumentNode(value, definition?.args.find((known) => known.name === argument)?.type, coordinate),
    })),
  };
}

/** Uses the argument's type if the schema defines the directive. A value that does not fit the type is written unchanged. */
function argumentNode(
  value: unknown,
  type: GraphQLInputType | undefined,
  coordinate: string,
): ConstValueNode {
  if (type !== undefined) {
    try {
      const node = astFromValue(value, type);
      if (node !== null && node !== undefined) return node as ConstValueNode;
    } catch {
      // Composition reports what is wrong with it.
    }
  }
  return valueNode(value, coordinate);
}

/** Deeper than any argument, and soon reached by one that contains itself. */
const MAX_ARGUMENT_DEPTH = 20;

function valueNode(value: unknown, coordinate: string, depth = 0): ConstValueNode {
  if (depth > MAX_ARGUMENT_DEPTH)
    throw new DirectiveError('INVALID_RULE', 'an argument is nested too deeply', coordinate);
  if (value === null) return { kind: Kind.NULL };
  if (typeof value === 'boolean') return { kind: Kind.BOOLEAN, value };
  if (typeof value === 'string') return { kind: Kind.STRING, value };
  if (typeof value === 'number' && Number.isFinite(value))
    return { kind: Number.isInteger(value) ? Kind.INT : Kind.FLOAT, value: String(value) };
  if (Array.isArray(value))
    return {
      kind: Kind.LIST,
      values: (value as readonly unknown[]).map((entry) => valueNode(entry, coordinate, depth + 1)),
    };
  if (typeof value === 'object') {
    return {
      kind: Kind.OBJECT,
      fields: Object.entries(value).map(([name, entry]) => ({
        kind: Kind.OBJECT_FIELD,
        name: { kind: Kind.NAME, value: name },
        value: valueNode(entry, coordinate, depth + 1),
      })),
    };
  }
  throw new DirectiveError(
    'INVALID_RULE',
    `an argument cannot be ${typeof value === 'number' ? value : kindOf(value)}`,
    coordinate,
  );
}

/** Enum arguments of Behalf's directives, which are strings in an object. */
const ENUM_ARGUMENTS: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  behalfDirectives.map(({ name, definition }) => [name, enumArguments(definition?.(name) ?? '')]),
);

function enumArguments(definition: string): ReadonlySet<string> {
  const [node]: readonly DefinitionNode[] = parse(definition, { noLocation: true }).definitions;
  if (node?.kind !== Kind.DIRECTIVE_DEFINITION) return new Set();
  return new Set(
    (node.arguments ?? [])
      .filter(({ type }) => namedType(type).startsWith('behalf__'))
      .map(({ name }) => name.value),
  );
}

function namedType(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : namedType(type.type);
}

/** An application of one of Behalf's directives with enum values where its definition has an enum. */
export function withEnumValues(node: ConstDirectiveNode, specifiedName: string): ConstDirectiveNode {
  const enums = ENUM_ARGUMENTS.get(specifiedName);
  if (enums === undefined || enums.size === 0) return node;
  return {
    ...node,
    arguments: (node.arguments ?? []).map((argument) => {
      const { name, value } = argument;
      if (!enums.has(name.value) || value.kind !== Kind.STRING) return argument;
      return { ...argument, value: { kind: Kind.ENUM, value: value.value } };
    }),
  };
}
