import {
  astFromValue,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isSpecifiedScalarType,
  Kind,
  parse,
} from 'graphql';
import type {
  ConstDirectiveNode,
  ConstValueNode,
  DefinitionNode,
  GraphQLDirective,
  GraphQLInputType,
  GraphQLLeafType,
  TypeNode,
} from 'graphql';
import { DirectiveError } from '../errors.js';
import { isRecord } from '../is-record.js';
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

/** Deeper than any argument, and soon reached by one that contains itself. */
const MAX_ARGUMENT_DEPTH = 20;

/**
 * A value as a literal, which every reader of the schema reads as that value: anything else would be another rule. Uses the
 * argument's type if the schema defines the directive. A value that does not fit the type is written unchanged, and composition
 * reports it.
 *
 * @throws {DirectiveError} `INVALID_RULE` for a value without a literal: not a number, `undefined` in a list, an instance of a class
 */
function argumentNode(
  value: unknown,
  type: GraphQLInputType | undefined,
  coordinate: string,
  depth = 0,
): ConstValueNode {
  if (depth > MAX_ARGUMENT_DEPTH)
    throw new DirectiveError('INVALID_RULE', 'an argument is nested too deeply', coordinate);
  if (type !== undefined && isNonNullType(type)) return argumentNode(value, type.ofType, coordinate, depth);
  if (value === null) return { kind: Kind.NULL };
  const entryType = type !== undefined && isListType(type) ? type.ofType : undefined;
  if (Array.isArray(value)) {
    // A missing entry is not left out: without its only scope, a list of scopes would permit everyone.
    const values = Array.from(value as readonly unknown[], (entry) =>
      argumentNode(entry, entryType, coordinate, depth + 1),
    );
    return { kind: Kind.LIST, values };
  }
  // GraphQL reads a single value as a list of one.
  if (entryType !== undefined) return argumentNode(value, entryType, coordinate, depth + 1);
  if (isRecord(value)) return objectNode(value, type, coordinate, depth);
  // GraphQL's own scalars would turn true into 1, and a date into a number.
  const isOwn = isLeafType(type) && !isSpecifiedScalarType(type);
  return (isOwn ? ownLeafNode(value, type) : undefined) ?? leafNode(value, coordinate);
}

function objectNode(
  value: Readonly<Record<string, unknown>>,
  type: GraphQLInputType | undefined,
  coordinate: string,
  depth: number,
): ConstValueNode {
  const fields = isInputObjectType(type) ? type.getFields() : {};
  const given = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return {
    kind: Kind.OBJECT,
    fields: given.map(([name, entry]) => ({
      kind: Kind.OBJECT_FIELD,
      name: { kind: Kind.NAME, value: name },
      value: argumentNode(entry, fields[name]?.type, coordinate, depth + 1),
    })),
  };
}

/** Enum values by their names, and the values of custom scalars as those write them. */
function ownLeafNode(value: unknown, type: GraphQLLeafType): ConstValueNode | undefined {
  try {
    const node = astFromValue(value, type) as ConstValueNode | null | undefined;
    return node?.kind === Kind.NULL ? undefined : (node ?? undefined);
  } catch {
    return undefined;
  }
}

function leafNode(value: unknown, coordinate: string): ConstValueNode {
  if (typeof value === 'boolean') return { kind: Kind.BOOLEAN, value };
  if (typeof value === 'string') return { kind: Kind.STRING, value };
  if (typeof value === 'number' && Number.isFinite(value)) return numberNode(value);
  throw new DirectiveError(
    'INVALID_RULE',
    `an argument cannot be ${typeof value === 'number' ? value : kindOf(value)}`,
    coordinate,
  );
}

/** JavaScript writes large and small numbers with an exponent, which only a Float has: of an Int, the first digit is read. */
function numberNode(value: number): ConstValueNode {
  const text = String(value);
  if (/[.e]/.test(text)) return { kind: Kind.FLOAT, value: text };
  return { kind: Kind.INT, value: Object.is(value, -0) ? '-0' : BigInt(value).toString() };
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
