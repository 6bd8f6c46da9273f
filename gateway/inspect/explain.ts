import { createHash } from 'node:crypto';
import type { ConsentLevels, Delegation } from '@behalf/directives';
import { withoutUndefined } from '@behalf/directives/internal';
import { detailInForce } from '@behalf/policy/internal';
import type { Policy } from '@behalf/policy';
import { getOperationAST, GraphQLError, parse, Source, validate } from 'graphql';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import { limitError, OperationLimiter } from '../limit/index.js';
import { chosenOperation } from '../authorize/index.js';
import { checkExplainInput, checkHeld } from './check-input.js';
import type { ClientOperation, Explanation, OperationAuthorizer } from '../authorize/index.js';

/** An operation, and the caller for whom to decide it. */
export interface ExplainInput {
  readonly query: string;
  /** Names the text in error messages. */
  readonly file?: string;
  readonly operationName?: string | undefined;
  /** Undefined: an anonymous caller. */
  readonly delegation: Delegation | undefined;
}

export interface ExplainSettings {
  readonly limiter?: OperationLimiter;
  readonly policy?: Policy | undefined;
}

/** The explanation of an operation, or the errors for which it would not be decided at all. */
export type ExplainResult =
  | { readonly explanation: Explanation; readonly operation: ClientOperation; readonly errors?: undefined }
  /** The operation cannot be parsed, is invalid, or has another name. */
  | { readonly errors: readonly GraphQLError[]; readonly explanation?: undefined };

/**
 * Reads an operation as the gateway would, and explains the decision on it. Nothing is planned or executed. Variables are
 * unknown, so a selection that `@skip` or `@include` could exclude by one counts as selected unless its default says otherwise.
 *
 * @param schema the API schema that clients see
 * @param limiter the gateway's; default: one with a gateway's default limits
 * @param policy limits the delegation's detail, as in a gateway; nothing else of it is applied
 * @throws {ConfigurationError} for an argument that cannot be used, with its path
 */
export function explainOperation(
  input: ExplainInput,
  authorizer: OperationAuthorizer,
  schema: GraphQLSchema,
  { limiter = new OperationLimiter(), policy }: ExplainSettings = {},
): ExplainResult {
  checkExplainInput(input);
  const { query, file, operationName } = input;
  let document: DocumentNode;
  try {
    const { exceeded } = limiter.scan(query);
    if (exceeded !== undefined) return { errors: [limitError(exceeded)] };
    document = parse(new Source(query, file));
    const tooLarge = limiter.checkDocument(document);
    if (tooLarge !== undefined) return { errors: [limitError(tooLarge)] };
  } catch (error) {
    if (error instanceof GraphQLError) return { errors: [error] };
    throw error;
  }
  const errors = validate(schema, document);
  if (errors.length > 0) return { errors };
  const definition = getOperationAST(document, operationName);
  if (definition === undefined || definition === null) {
    const message =
      operationName === undefined
        ? 'The document has several operations: name one'
        : `The document has no operation "${operationName}"`;
    return { errors: [new GraphQLError(message)] };
  }
  const queryHash = createHash('sha256').update(query).digest('hex');
  const operation = chosenOperation({ document, operation: definition, queryHash });
  return { explanation: authorizer.explain(operation, withDetail(input, policy), {}), operation };
}

/** Limits the detail as `PolicyCeiling` does. */
function withDetail({ delegation }: ExplainInput, policy: Policy | undefined): Delegation | undefined {
  if (delegation === undefined) return undefined;
  return withoutUndefined({ ...delegation, detail: detailInForce(policy, delegation) });
}

/**
 * A made-up delegation, to ask what one with these names would get.
 *
 * @throws {ConfigurationError} for an argument that cannot be used, with its path
 *
 * @example
 * ```ts
 * import { supposedDelegation } from '@behalf/gateway/tools';
 *
 * const delegation = supposedDelegation({ scopes: ['accounts:read'], purposes: ['budgeting'] });
 * ```
 */
export function supposedDelegation(held: {
  readonly scopes?: readonly string[] | undefined;
  readonly purposes?: readonly string[] | undefined;
  readonly policies?: readonly string[] | undefined;
  /** Levels of detail that the person chose, by data category or field. */
  readonly levels?: ConsentLevels | undefined;
  /** The client, for rules of a policy that name it. */
  readonly client?: string | undefined;
}): Delegation {
  checkHeld(held);
  return {
    subject: 'supposed',
    clientId: held.client ?? 'supposed',
    scopes: new Set(held.scopes),
    policies: new Set(held.policies),
    roles: [],
    consent: withoutUndefined({
      id: 'supposed',
      version: 1,
      purposes: held.purposes ?? [],
      detail: 'full' as const,
      levels: held.levels,
    }),
  };
}
