import {
  getNamedType,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  isScalarType,
  isSpecifiedScalarType,
  Kind,
  typeFromAST,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type {
  DocumentNode,
  FloatValueNode,
  GraphQLInputType,
  GraphQLSchema,
  IntValueNode,
  OperationDefinitionNode,
  ValueNode,
} from 'graphql';
import { ExactNumber } from './exact-number.js';
import { settleNumber, settleWithin } from './settle.js';

type Variables = Readonly<Record<string, unknown>>;

/** Deeper than any input object has reason to be, and far from the end of the stack. */
const MAX_DEPTH = 256;
/** A literal that is no part of a name or of another number, and that a double may not hold. */
const SUSPECT_LITERAL = /(?<![\w.])(?:\d[\d.]{15}|\d[\d.]*[eE])/;

/** A number of a client that cannot be handed on as it is. */
export class InexactVariableError extends Error {
  override readonly name = 'InexactVariableError';

  /** @param variable Without `$`. */
  constructor(readonly variable: string) {
    super('a variable cannot be carried exactly');
  }
}

/**
 * The variables of an operation with each number settled by its type. A number that was parsed by somebody else and is beyond
 * 2^53 has perhaps been rounded: it is refused where an ID, or a scalar of the schema's own, is meant.
 *
 * @throws {InexactVariableError}
 */
export function settleVariables(
  variables: Variables,
  { variableDefinitions = [] }: OperationDefinitionNode,
  schema: GraphQLSchema,
): Variables {
  if (!holdsUnsafe(variables)) return variables;
  const settled = new Map<string, unknown>();
  for (const { variable, type: node } of variableDefinitions) {
    const name = variable.name.value;
    if (!Object.hasOwn(variables, name)) continue;
    const type = typeFromAST(schema, node);
    // What is not an input type does not come past validation.
    if (!isInputType(type)) continue;
    settled.set(name, settleInput(variables[name], type, 0, name));
  }
  // Further ones are read by nobody.
  return Object.fromEntries(settled);
}

/** @throws {InexactVariableError} */
function settleInput(value: unknown, type: GraphQLInputType, depth: number, variable: string): unknown {
  if (depth > MAX_DEPTH) throw new InexactVariableError(variable);
  if (isNonNullType(type)) return settleInput(value, type.ofType, depth, variable);
  if (isListType(type)) {
    const settle = (entry: unknown): unknown => settleInput(entry, type.ofType, depth + 1, variable);
    return Array.isArray(value) ? value.map(settle) : settle(value);
  }
  if (value instanceof ExactNumber) {
    const settled = settleNumber(value, type);
    if (settled === undefined) throw new InexactVariableError(variable);
    return settled;
  }
  if (isUnsafe(value)) {
    const isRounded = type.name === 'ID' || (isScalarType(type) && !isSpecifiedScalarType(type));
    if (isRounded) throw new InexactVariableError(variable);
    return value;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (isInputObjectType(type)) {
    const fields = type.getFields();
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => {
        const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
        // What the type does not have is refused by validation.
        return [key, field === undefined ? member : settleInput(member, field.type, depth + 1, variable)];
      }),
    );
  }
  if (holdsRounded(value)) throw new InexactVariableError(variable);
  settleWithin(value);
  return value;
}

/** Whether there is anything to settle at all: most variables hold nothing of the kind. */
function holdsUnsafe(root: unknown): boolean {
  return holds(root, (value) => value instanceof ExactNumber || isUnsafe(value));
}

function holdsRounded(root: unknown): boolean {
  return holds(root, isUnsafe);
}

function holds(root: unknown, isSo: (value: unknown) => boolean): boolean {
  const pending: unknown[] = [root];
  while (pending.length > 0) {
    const value = pending.pop();
    if (isSo(value)) return true;
    if (typeof value === 'object' && value !== null && !(value instanceof ExactNumber))
      for (const member of Object.values(value)) pending.push(member);
  }
  return false;
}

function isUnsafe(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
}

/**
 * The document with each literal that a double cannot hold written as a string, where a scalar of the schema's own is meant:
 * @apollo/gateway reads those by `parseInt`. Literals of an ID keep their digits as they are.
 *
 * @param source Its text, to look at first.
 */
export function settleLiterals(document: DocumentNode, source: string, schema: GraphQLSchema): DocumentNode {
  if (!SUSPECT_LITERAL.test(source)) return document;
  const typeInfo = new TypeInfo(schema);
  const settle = (node: IntValueNode | FloatValueNode): ValueNode | undefined => {
    const inputType = typeInfo.getInputType();
    // Inside a literal of such a scalar there is no type.
    const named = inputType === undefined || inputType === null ? undefined : getNamedType(inputType);
    if (named !== undefined && (!isScalarType(named) || isSpecifiedScalarType(named))) return undefined;
    const number = ExactNumber.read(node.value);
    const settled = number instanceof ExactNumber ? settleNumber(number, named) : undefined;
    return typeof settled === 'string' ? { kind: Kind.STRING, value: settled } : undefined;
  };
  return visit(document, visitWithTypeInfo(typeInfo, { IntValue: settle, FloatValue: settle }));
}
