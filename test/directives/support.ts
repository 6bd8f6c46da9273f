import { buildProtectedSubgraph, finishProtectedRequest, protectedContext } from '@behalf/directives';
import type {
  FactsExtension,
  ProtectedContext,
  ProtectedSubgraphOptions,
  ProtectionOptions,
  SubgraphLogCode,
  SubgraphLogFacts,
} from '@behalf/directives';
import { graphql } from 'graphql';
import type { ExecutionResult, GraphQLSchema } from 'graphql';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { Clock } from '../../directives/src/clock.js';
import { systemClock } from '../../directives/src/clock.js';
import { ManualClock } from '../support/manual-clock.js';

const ISSUER = 'https://gateway.example';
const NAME = 'tested';

export const LINKS = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@authenticated", "@policy", "@requiresScopes"])
  @link(
    url: "https://specs.behalf.dev/behalf/v0.1"
    import: ["@requiresScope", "@minimize", "@public", "@purpose", "@subject", "@personalData", "@filters"]
  )
`;

export interface TokenOptions {
  readonly subject?: string;
  readonly scope?: string;
  readonly client?: string;
  readonly lifetimeSeconds?: number;
  /** Seconds since the epoch; null: the token names no consent. */
  readonly consentUntil?: number | null;
  /** Of the consent. */
  readonly detail?: 'full' | 'minimal';
  /** `tctx.detail`. */
  readonly inForce?: unknown;
}

export interface Asked extends ExecutionResult {
  readonly facts: FactsExtension | undefined;
}

export interface TestedSubgraph {
  readonly schema: GraphQLSchema;
  readonly logged: readonly { readonly code: SubgraphLogCode; readonly facts: SubgraphLogFacts }[];
  /** The subgraph's clock, by which its tokens are made. Milliseconds since the epoch. */
  nowMs: number;
  /** What it waits for: time passes for its timers when the test says so. */
  readonly timers: ManualClock;
  token(options?: TokenOptions): Promise<string>;
  /** Undefined: a caller without a token. */
  context(options: TokenOptions | undefined): Promise<ProtectedContext>;
  ask(query: string, options?: TokenOptions, variables?: Record<string, unknown>): Promise<Asked>;
}

const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true });
const key = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'EdDSA' };

/** A protected subgraph with its own clock and log. */
export function testedSubgraph(
  sdl: string,
  resolvers: ProtectedSubgraphOptions['resolvers'] = {},
  options: Partial<ProtectedSubgraphOptions> = {},
): TestedSubgraph {
  return testedSchema((base) =>
    buildProtectedSubgraph({ ...base, typeDefs: LINKS + sdl, resolvers, ...options }),
  );
}

/** Shows what the test sets, and fires its timers when the test lets time pass for them. */
function clockOf(timers: ManualClock, now: () => number): Clock {
  return {
    now,
    monotonic: () => systemClock.monotonic(),
    after: (ms, callback) => timers.after(ms, callback),
    sleep: (ms, signal) => timers.sleep(ms, signal),
  };
}

/** A protected schema with its own clock and log, however it was built. */
export function testedSchema(protect: (base: ProtectionOptions) => GraphQLSchema): TestedSubgraph {
  const logged: TestedSubgraph['logged'][number][] = [];
  const timers = new ManualClock();
  const subgraph: TestedSubgraph = {
    schema: protect({
      name: NAME,
      gateway: { issuer: ISSUER, keys: [key] },
      pseudonymKey: new Uint8Array(32).fill(7),
      log: (code, facts) => {
        logged.push({ code, facts });
      },
      clock: clockOf(timers, () => subgraph.nowMs),
    }),
    logged,
    timers,
    nowMs: Date.now(),
    token({ subject = 'alma', scope = '', client = 'app', lifetimeSeconds = 15, ...more } = {}) {
      const issuedAt = Math.floor(subgraph.nowMs / 1_000);
      const consent = consentOf(more);
      return new SignJWT({
        txn: 't-1',
        scope,
        req_wl: 'gateway',
        tctx: { consent, ...(more.inForce === undefined ? {} : { detail: more.inForce }) },
        rctx: { client_id: client },
      })
        .setProtectedHeader({ alg: 'EdDSA', typ: 'txntoken+jwt', kid: 'k1' })
        .setIssuer(ISSUER)
        .setAudience(NAME)
        .setSubject(subject)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + lifetimeSeconds)
        .sign(privateKey);
    },
    async context(caller) {
      const headers = caller === undefined ? {} : { 'txn-token': await subgraph.token(caller) };
      return protectedContext(subgraph.schema, headers);
    },
    async ask(query, caller, variableValues) {
      const contextValue = await subgraph.context(caller);
      const result = await graphql({
        schema: subgraph.schema,
        source: query,
        contextValue,
        ...(variableValues === undefined ? {} : { variableValues }),
      });
      return { ...result, facts: finishProtectedRequest(subgraph.schema, contextValue) };
    },
  };
  return subgraph;
}

function consentOf({ consentUntil = null, detail = 'full' }: TokenOptions): object {
  const until = consentUntil === null ? {} : { until: consentUntil };
  return { id: 'c1', version: 1, purposes: [], detail, ...until };
}

/** A response as the client receives it, byte for byte. */
export function answerText({ data, errors }: ExecutionResult): string {
  return JSON.stringify({ data, errors });
}

export { errorCodes } from '../support/error-codes.js';
