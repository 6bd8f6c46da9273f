import { buildSubgraphSchema } from '@apollo/subgraph';
import type { IncomingHttpHeaders } from 'node:http';
import { context as otelContext } from '@opentelemetry/api';
import { concatAST, parse } from 'graphql';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import { TXN_TOKEN_HEADER } from '../claims/txn-token.js';
import { TxnTokenExchange } from '../claims/exchange-txn-token.js';
import type { PassOnOptions } from '../claims/exchange-txn-token.js';
import type { Delegation } from '../claims/delegation.js';
import type { GatewayTrust } from '../claims/read-txn-token.js';
import { graphqlRequestHash } from '../claims/request-hash.js';
import type { TxnTokenRefusal } from '../claims/txn-token-refusals.js';
import { createTxnTokenVerifier } from '../claims/verify-txn-token.js';
import type { TxnTokenBinding } from '../claims/verify-txn-token.js';
import { asksNothing } from '../decide/requirement.js';
import { RuleTable } from '../decide/rule-table.js';
import { DirectiveError } from '../errors.js';
import { OccasionalLog, stderrLog } from '../log.js';
import type { SubgraphLog } from '../log.js';
import type { FactsExtension } from '../record/facts.js';
import { parentContext } from '../record/recorder.js';
import { completeSubgraph } from '../specification/complete.js';
import { lowerRequiresScope } from '../specification/lower.js';
import { protectSchema } from './protect-schema.js';
import type { Enforcement } from './protect-schema.js';
import { REQUEST_STATE, RequestState, requestStateOf } from './request-state.js';
import type { Caller, ProtectedContext } from './request-state.js';

type SubgraphResolvers = NonNullable<
  Extract<Parameters<typeof buildSubgraphSchema>[0], { resolvers?: unknown }>['resolvers']
>;

export interface ProtectedSubgraphOptions extends TxnTokenBinding {
  /** Name of the subgraph, as in `supergraph.yaml`: the only audience whose tokens it accepts. */
  readonly name: string;
  /** The schema, with `@link`; definitions of Behalf's directives may be left out. */
  readonly typeDefs: string | DocumentNode | readonly (string | DocumentNode)[];
  /** As for `buildSubgraphSchema` of `@apollo/subgraph`, `__resolveReference` included. */
  readonly resolvers: SubgraphResolvers;
  /** Whose transaction tokens are believed. */
  readonly gateway: GatewayTrust;
  /**
   * `required` (the default): a field without a rule, none inherited, and not `@public` is refused.
   * `open`: it is open, as the standard directives have it.
   */
  readonly coverage?: 'required' | 'open';
  /**
   * `enforce` (the default), or `shadow`: every field resolves as it would without this library, nothing is denied and
   * nothing minimized, and only the record tells what would have been. For the time in which rules are introduced. It is
   * set here alone: no token and no caller can bring it about.
   */
  readonly enforcement?: Enforcement;
  /** At least 32 bytes, the same on every instance; for `PSEUDONYMIZE` and `NOISE`. */
  readonly pseudonymKey?: Uint8Array;
  /** How it is given tokens for other services that it calls in the same transaction, see `txnTokenHeaders`. */
  readonly passOn?: PassOnOptions;
  /**
   * For subscriptions: gives a signal that aborts when this delegation is revoked. It is asked once, when a subscription begins;
   * the subscription then ends at once, and at the latest when the token or the consent ends.
   */
  readonly revocationSignal?: (delegation: Delegation) => AbortSignal | undefined;
  /** Hears what the team should know: rows of others, values that cannot be minimized. Default: a line of JSON on stderr. */
  readonly log?: SubgraphLog | undefined;
  /** Hears why a transaction token was not accepted. It is given a code, never the token. */
  readonly onRefusedToken?: (reason: Exclude<TxnTokenRefusal, 'TXN_TOKEN_MISSING'>) => void;
  /**
   * Puts further code around the schema's resolvers (graphql-middleware, graphql-shield) before the protection goes
   * around all of it.
   */
  readonly transform?: (schema: GraphQLSchema) => GraphQLSchema;
}

interface Guard {
  readonly name: string;
  open(headers: IncomingHttpHeaders, body: unknown): Promise<RequestState>;
}

const guards = new WeakMap<GraphQLSchema, Guard>();

/**
 * Builds a subgraph's schema with every rule of its directives in force, for any server that runs a GraphQLSchema.
 *
 * A request is a caller without a token until its context value was made with {@link protectedContext}.
 *
 * @throws {DirectiveError} when a rule cannot be compiled; the coordinate is in the message.
 */
export function buildProtectedSubgraph(options: ProtectedSubgraphOptions): GraphQLSchema {
  const document = completeSubgraph(documentOf(options.typeDefs));
  const rules = new RuleTable(lowerRequiresScope(document), { coverage: options.coverage ?? 'required' });
  refuseInterfaceRules(rules);
  const built = buildSubgraphSchema({ typeDefs: document, resolvers: options.resolvers });
  const schema = options.transform === undefined ? built : options.transform(built);

  const enforcement = options.enforcement ?? 'enforce';
  if (enforcement === 'shadow') {
    process.emitWarning(`subgraph "${options.name}" is in shadow: its rules are recorded and not enforced`, {
      code: 'BEHALF_SHADOW',
    });
  }
  const nowMs = options.nowMs ?? Date.now;
  const compiled = protectSchema({
    schema,
    rules,
    pseudonymKey: options.pseudonymKey,
    enforcement,
    runtime: {
      stateOf,
      nowMs,
      log: new OccasionalLog(options.name, options.log ?? stderrLog, nowMs),
      revocationSignal: ({ delegation }) =>
        delegation === undefined ? undefined : options.revocationSignal?.(delegation),
    },
  });
  const begin = (caller: Caller, parent: RequestState['parent']): RequestState =>
    new RequestState(caller, parent, compiled);
  const nobody = (): RequestState => begin({ refusal: 'TXN_TOKEN_MISSING' }, otelContext.active());

  function stateOf(contextValue: unknown): RequestState {
    const state = requestStateOf(contextValue);
    // A state of another subgraph's schema was decided by another subgraph's rules.
    return state?.compiled === compiled ? state : nobody();
  }

  guards.set(schema, guardFor(options, begin));
  return schema;
}

function documentOf(typeDefs: ProtectedSubgraphOptions['typeDefs']): DocumentNode {
  const parts = Array.isArray(typeDefs)
    ? (typeDefs as readonly (string | DocumentNode)[])
    : [typeDefs as string | DocumentNode];
  return concatAST(parts.map((part) => (typeof part === 'string' ? parse(part) : part)));
}

/** Verifies the tokens of requests, and begins their states. */
function guardFor(
  options: ProtectedSubgraphOptions,
  begin: (caller: Caller, parent: RequestState['parent']) => RequestState,
): Guard {
  const verify = createTxnTokenVerifier(options.name, options.gateway, options);
  const exchange =
    options.passOn === undefined
      ? undefined
      : new TxnTokenExchange(options.name, options.gateway.issuer, options.passOn);
  return {
    name: options.name,
    async open(headers, body) {
      const parent = parentContext(headers.traceparent);
      const header = headers[TXN_TOKEN_HEADER];
      const { verified, refusal } = await verify(header, body);
      if (verified !== undefined) {
        const { delegation, transactionId, boundTo, expiresAt } = verified;
        return begin(
          {
            delegation,
            transactionId,
            endsAtMs: Math.min(expiresAt, delegation.consent?.until ?? Infinity) * 1_000,
            ...(boundTo === undefined ? {} : { boundTo }),
            ...(typeof header === 'string' ? { txnToken: header } : {}),
            ...(exchange === undefined ? {} : { exchange }),
          },
          parent,
        );
      }
      if (refusal !== 'TXN_TOKEN_MISSING') options.onRefusedToken?.(refusal);
      return begin({ refusal }, parent);
    },
  };
}

/**
 * The context value of one request: verifies its transaction token. Spread it into your own context value.
 *
 * A token that is missing or not valid gives a context without a delegation, which sees only what is public. Never
 * rejects because of what the caller sent.
 *
 * @param headers As Node gives them: names in lower case.
 * @param body The parsed body that will be executed, `{ query, variables, operationName }`. A token that is bound to a
 *   request (`propagation.bind: body` of the gateway) is good for exactly this one, once, and for nothing without it.
 * @throws {DirectiveError} `NOT_PROTECTED` for a schema that {@link buildProtectedSubgraph} did not make.
 */
export async function protectedContext(
  schema: GraphQLSchema,
  headers: IncomingHttpHeaders,
  body?: unknown,
): Promise<ProtectedContext> {
  const state = await guardOf(schema).open(headers, body);
  return { delegation: state.delegation, transactionId: state.caller.transactionId, [REQUEST_STATE]: state };
}

/**
 * Whether a context value may be used to execute this request: a token that is bound to another one speaks for no other.
 * {@link protectedSubgraphPlugin} asks it of what Apollo Server is about to execute, which is not always what the body of
 * the HTTP request says.
 */
export function isBoundElsewhere(contextValue: unknown, request: unknown): boolean {
  const boundTo = requestStateOf(contextValue)?.caller.boundTo;
  return boundTo !== undefined && graphqlRequestHash(request) !== boundTo;
}

/**
 * Ends a request's record: emits its spans and returns the facts to be put under `extensions.behalf` of the
 * response. {@link protectedSubgraphPlugin} does it for Apollo Server; other servers call it once per request, and for each
 * event of a subscription: it returns what happened since it was called last.
 */
export function finishProtectedRequest(
  schema: GraphQLSchema,
  contextValue: unknown,
): FactsExtension | undefined {
  const { name } = guardOf(schema);
  const state = requestStateOf(contextValue);
  if (state === undefined) return undefined;
  const facts = state.recorder.take(name, state.parent);
  // Whoever comes without a valid token learns nothing of the rules beyond their own denials.
  return state.caller.delegation === undefined ? undefined : facts;
}

/**
 * Lowering moves `@requiresScope` from an interface to the types that implement it. Any other rule there would hold for fields
 * that return the interface, and not for those of its implementers: composition refuses it as well.
 */
function refuseInterfaceRules(rules: RuleTable): void {
  for (const type of rules.allTypes()) {
    if (type.kind !== 'interface') continue;
    const places = [{ coordinate: type.name, own: type.own }, ...type.fields.values()];
    const ruled = places.find(({ own }) => !asksNothing(own));
    if (ruled !== undefined)
      throw new DirectiveError('INVALID_RULE', 'put this rule on the implementing types', ruled.coordinate);
  }
}

function guardOf(schema: GraphQLSchema): Guard {
  const guard = guards.get(schema);
  if (guard === undefined)
    throw new DirectiveError('NOT_PROTECTED', 'the schema was not made by buildProtectedSubgraph');
  return guard;
}
