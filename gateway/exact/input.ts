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

/** Deeper than any real input object, and far from the stack's limit. */
const MAX_DEPTH = 256;
/** A literal that is not part of a name or another number, and that a double may not hold. */
const SUSPECT_LITERAL = /(?<![\w.])(?:\d[\d.]{15}|\d[\d.]*[eE])/;

/** A client's number that cannot be passed on exactly. */
export class InexactVariableError extends Error {
  override readonly name = 'InexactVariableError';

  /** @param variable Without `$`. */
  constructor(readonly variable: string) {
    super('a variable cannot be carried exactly');
  }
}

/**
 * The variables of an operation with each number settled by its type. A number beyond 2^53 that another parser read may have
 * been rounded: it is refused for an ID or a custom scalar.
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
    // Validation rejects types that are not input types.
    if (!isInputType(type)) continue;
    settled.set(name, settleInput(variables[name], type, 0, name));
  }
  // Nothing reads further variables.
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
        // Validation rejects members that the type does not have.
        return [key, field === undefined ? member : settleInput(member, field.type, depth + 1, variable)];
      }),
    );
  }
  if (holdsRounded(value)) throw new InexactVariableError(variable);
  settleWithin(value);
  return value;
}

/** Whether there is anything to settle: most variables contain nothing of the kind. */
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

/** A Float in the text of an operation that is larger than any double. */
export class InexactLiteralError extends Error {
  override readonly name = 'InexactLiteralError';

  constructor(readonly node: IntValueNode | FloatValueNode) {
    super('a literal cannot be carried exactly');
  }
}

/**
 * The document with each literal that a double cannot hold written as a string, where a custom scalar is expected:
 * @apollo/gateway reads those by `parseInt`. Literals of an ID keep their digits.
 *
 * @param source its text, for a quick check
 * @throws {InexactLiteralError} for a Float that @apollo/gateway could not read
 */
export function settleLiterals(document: DocumentNode, source: string, schema: GraphQLSchema): DocumentNode {
  if (!SUSPECT_LITERAL.test(source)) return document;
  const typeInfo = new TypeInfo(schema);
  const settle = (node: IntValueNode | FloatValueNode): ValueNode | undefined => {
    const inputType = typeInfo.getInputType();
    // Inside a literal of such a scalar there is no type.
    const named = inputType === undefined || inputType === null ? undefined : getNamedType(inputType);
    if (named?.name === 'Float' && !Number.isFinite(Number(node.value))) throw new InexactLiteralError(node);
    if (named !== undefined && (!isScalarType(named) || isSpecifiedScalarType(named))) return undefined;
    const number = ExactNumber.read(node.value);
    const settled = number instanceof ExactNumber ? settleNumber(number, named) : undefined;
    return typeof settled === 'string' ? { kind: Kind.STRING, value: settled } : undefined;
  };
  return visit(document, visitWithTypeInfo(typeInfo, { IntValue: settle, FloatValue: settle }));
}
