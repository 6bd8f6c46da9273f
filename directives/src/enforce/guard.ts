import { context as otelContext } from '@opentelemetry/api';
import { defaultFieldResolver } from 'graphql';
import type { GraphQLSchema } from 'graphql';
import { systemClock } from '../clock.js';
import { TxnTokenExchange } from '../claims/exchange-txn-token.js';
import { TXN_TOKEN_HEADER } from '../claims/txn-token.js';
import { createTxnTokenVerifier } from '../claims/verify-txn-token.js';
import type { RuleTable } from '../decide/rule-table.js';
import { DirectiveError } from '../errors.js';
import { OccasionalLog, stderrLog } from '../log.js';
import { parentContext } from '../record/recorder.js';
import { withoutUndefined } from '../without-undefined.js';
import type { ProtectionOptions } from './protection-options.js';
import { headerReader } from './request-headers.js';
import { RequestState, requestStateOf } from './request-state.js';
import type { Caller } from './request-state.js';
import { wrapFields } from './wrap-fields.js';

/** Begins requests to one protected schema. */
export interface Guard {
  /** Name of the subgraph. */
  readonly name: string;
  /**
   * Verifies the request's transaction token, and creates its state.
   *
   * @throws {DirectiveError} `UNREADABLE_HEADERS`
   */
  open(request: unknown, body: unknown): Promise<RequestState>;
  /** The state of a context value's request; for any other value, an anonymous caller. */
  stateOf(contextValue: unknown): RequestState;
}

type BeginState = (caller: Caller, parent: RequestState['parent']) => RequestState;

const guards = new WeakMap<GraphQLSchema, Guard>();

/** @throws {DirectiveError} `NOT_PROTECTED` for a schema that no function of this library protected */
export function guardOf(schema: GraphQLSchema): Guard {
  const guard = guards.get(schema);
  if (guard === undefined)
    throw new DirectiveError(
      'NOT_PROTECTED',
      'the schema comes from neither buildProtectedSubgraph nor protectSchema',
    );
  return guard;
}

/**
 * The state of a context value's request, from within a resolver. A library may execute another schema object than the protected
 * one, with the same resolvers: then the context value tells.
 *
 * @throws {DirectiveError} `NOT_PROTECTED` if neither is protected
 */
export function stateWithin(schema: GraphQLSchema, contextValue: unknown): RequestState {
  const state = guards.get(schema)?.stateOf(contextValue) ?? requestStateOf(contextValue);
  return state ?? guardOf(schema).stateOf(contextValue);
}

/**
 * Enforces the rules of a schema, in place, and stores its guard.
 *
 * @throws {DirectiveError} `ALREADY_PROTECTED`, or if a rule does not fit the schema
 */
export function guardSchema(schema: GraphQLSchema, rules: RuleTable, options: ProtectionOptions): void {
  if (guards.has(schema))
    throw new DirectiveError('ALREADY_PROTECTED', 'the schema is protected; do it once, at the end');
  const { enforcement } = options;
  if (enforcement === 'shadow') {
    process.emitWarning(`subgraph "${options.name}" is in shadow: its rules are recorded and not enforced`, {
      code: 'BEHALF_SHADOW',
    });
  }
  const { clock = systemClock } = options;
  const log = new OccasionalLog(options.name, options.log ?? stderrLog(clock), clock);
  const compiled = wrapFields({
    schema,
    rules,
    pseudonymKey: options.pseudonymKey,
    formerPseudonymKeys: options.formerPseudonymKeys ?? [],
    enforcement,
    fieldResolver: options.fieldResolver ?? defaultFieldResolver,
    subscribeFieldResolver: options.subscribeFieldResolver ?? defaultFieldResolver,
    runtime: {
      stateOf,
      clock,
      log,
      revocationSignal: ({ delegation }) =>
        delegation === undefined ? undefined : options.revocationSignal?.(delegation),
    },
  });
  const begin: BeginState = (caller, parent) => new RequestState(caller, parent, compiled);

  function stateOf(contextValue: unknown): RequestState {
    const state = requestStateOf(contextValue);
    if (state?.compiled === compiled) return state;
    // No state, or one of another schema's rules: an anonymous caller.
    return begin({}, otelContext.active());
  }

  guards.set(schema, { ...guardFor(options, begin, log), stateOf });
}

function guardFor(options: ProtectionOptions, begin: BeginState, log: OccasionalLog): Omit<Guard, 'stateOf'> {
  const { binding, replay, clock } = options;
  const verify = createTxnTokenVerifier(
    options.name,
    options.gateway,
    withoutUndefined({ binding, replay, clock }),
  );
  const exchange =
    options.passOn === undefined
      ? undefined
      : new TxnTokenExchange(options.name, options.gateway.issuer, options.passOn, options.clock);
  return {
    name: options.name,
    async open(request, body) {
      const header = headerReader(request);
      const parent = parentContext(header('traceparent'));
      const token = header(TXN_TOKEN_HEADER);
      const { verified, refusal } = await verify(token, body);
      if (verified === undefined) {
        // Anybody may come without one. Only a gateway that sent one knows that it got lost on the way.
        if (refusal !== 'TXN_TOKEN_MISSING') {
          log.reportRefusedToken(refusal);
          options.onRefusedToken?.(refusal);
        }
        return begin({ refusedToken: refusal }, parent);
      }
      const { delegation, transactionId, boundTo, expiresAt } = verified;
      return begin(
        {
          delegation,
          transactionId,
          endsAtMs: Math.min(expiresAt, delegation.consent?.until ?? Infinity) * 1_000,
          boundTo,
          txnToken: typeof token === 'string' ? token : undefined,
          exchange,
        },
        parent,
      );
    },
  };
}
