import type { Delegation } from '@behalf/directives';
import type { GatewayGraphQLRequestContext } from '@apollo/server-gateway-interface';
import { buildSchema, Kind, parse } from 'graphql';
import type { GraphQLSchema } from 'graphql';
import type { AuthenticatedToken } from '../../../gateway/authenticate/token.js';
import type {
  Authorization,
  ClientOperation,
  Denial,
  ExecutionOutcome,
} from '../../../gateway/authorize/index.js';
import { RefusedError } from '../../../gateway/errors.js';
import type { GatewayLog } from '../../../gateway/log.js';
import { Propagation } from '../../../gateway/propagate/propagation.js';
import { Exchange } from '../../../gateway/request/exchange.js';
import type { IncomingRequest } from '../../../gateway/request/incoming-request.js';
import type { PolicyRules } from '../../../gateway/rules/policy-rules.js';
import type { Authenticated, Authorized, Executed, Prepared } from '../../../gateway/stages/stages.js';

/** A stand-in with the members that a step uses. */
export function standIn<Part>(members: Partial<Record<keyof NoInfer<Part>, unknown>>): Part {
  return members as Part;
}

export const SCHEMA: GraphQLSchema = buildSchema(`
  enum Color { RED }
  scalar Long
  type Query { me: String other: String self: Query paint(color: Color, id: ID, long: Long, rough: Float): Int }
  type Mutation { touch: Int }
  type Subscription { ticks: Int }
`);

export const NO_RULES: PolicyRules = {
  policy: undefined,
  version: undefined,
  ceiling: undefined,
  rateLimit: undefined,
  evaluators: [],
};

export class Log implements GatewayLog {
  readonly lines: (readonly [string, string, unknown])[] = [];

  log(...line: readonly [string, string, unknown?]): void {
    this.lines.push([line[0], line[1], line[2]]);
  }
}

export function delegationOf(...scopes: readonly string[]): Delegation {
  return standIn<Delegation>({
    subject: 'ada',
    clientId: 'app',
    scopes: new Set(scopes),
    policies: new Set(),
  });
}

export function tokenOf(delegation: Delegation, more: Partial<AuthenticatedToken> = {}): AuthenticatedToken {
  return {
    delegation,
    issuer: 'https://login.example',
    tokenId: 'token',
    issuedAt: 0,
    expiresAt: 1,
    confirmation: undefined,
    ...more,
  };
}

export function operationOf(text: string): ClientOperation {
  const document = parse(text);
  const operation = document.definitions.find(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('the text has no operation');
  return { document, operation, queryHash: `hash of ${text}` };
}

/** What Apollo Server hands to the gateway for a text. */
export function requestOf(
  text: string,
  more: Readonly<Record<string, unknown>> = {},
): GatewayGraphQLRequestContext {
  return {
    ...operationOf(text),
    source: text,
    schema: SCHEMA,
    request: {},
    context: {},
    ...more,
  } as unknown as GatewayGraphQLRequestContext;
}

export function authenticated(
  token?: AuthenticatedToken,
  incoming: Partial<IncomingRequest> = {},
): Authenticated {
  return {
    exchange: new Exchange({ authorization: [], ...incoming }),
    usage: { tokens: 0, planning: undefined },
    isAuthenticated: true,
    verified: token,
    rules: NO_RULES,
    token,
    delegation: token?.delegation,
    isCounted: false,
  };
}

export function prepared(text: string, token?: AuthenticatedToken): Prepared {
  return { ...authenticated(token), operation: operationOf(text) };
}

export const DENIAL: Denial = {
  coordinate: 'Query.me',
  toldAs: 'Query.me',
  requires: { scopes: [[['me']]] },
  rule: '@requiresScopes(me)',
  selections: 1,
};

export function decision(more: Partial<Authorization> = {}): Authorization {
  return {
    execute: operationOf('{ other }'),
    unchanged: false,
    denials: [],
    complete: (outcome: ExecutionOutcome) => outcome,
    observe: (outcome: ExecutionOutcome) => outcome,
    ...more,
  };
}

export interface AuthorizedOptions {
  readonly token?: AuthenticatedToken;
  readonly incoming?: Partial<IncomingRequest>;
  readonly authorization?: Authorization;
}

export function authorized(options: AuthorizedOptions = {}, more: Partial<Authorized> = {}): Authorized {
  const { token, incoming, authorization = decision() } = options;
  const caller = authenticated(token, incoming);
  const operation = operationOf('{ me other }');
  return {
    ...caller,
    operation,
    variables: {},
    schemaIntrospection: undefined,
    asked: operation,
    authorization,
    isShadow: false,
    propagation: new Propagation(caller.exchange, caller.token, caller.delegation),
    ...more,
  };
}

export function executed(
  outcome: ExecutionOutcome,
  options?: AuthorizedOptions,
  more?: Partial<Executed>,
): Executed {
  return { ...authorized(options), outcome, schemaIntrospectionOutcome: undefined, ...more };
}

/** The refusal that a step throws. */
export async function refusalOf(step: () => unknown): Promise<RefusedError['refusal']> {
  try {
    await step();
  } catch (error) {
    if (error instanceof RefusedError) return error.refusal;
    throw error;
  }
  throw new Error('nothing was refused');
}
