import type { Clock, Delegation } from '@behalf/directives';
import { LRUCache } from 'lru-cache';
import {
  applyCeiling,
  detailInForce,
  isAtStrictest,
  isScopeAccepted,
  stepUpOf,
  suffices,
} from '@behalf/policy/internal';
import type { Policy, StepUp } from '@behalf/policy';
import { systemClock, withoutUndefined } from '@behalf/directives/internal';
import type { AuthenticatedToken } from '../authenticate/token.js';
import type { GatewayLog } from '../log.js';

/** Logged pairs of client and deprecated scope. */
const MAX_TOLD = 10_000;

interface Cut {
  readonly day: string;
  /** Seconds since the epoch: from then on the sign-in is too old for a scope that still counts. */
  readonly untilSeconds: number;
  readonly token: AuthenticatedToken;
}

/**
 * Cuts a verified token to its client's ceiling in the policy, and limits its detail: the one place in the gateway that decides
 * this. Tokens outlive a policy that became narrower, and other issuers do not know it.
 */
export class PolicyCeiling {
  /** By verified token, which lives as long as its cache entry: cut anew only if the result would differ. */
  readonly #cuts = new WeakMap<AuthenticatedToken, Cut>();
  readonly #told = new LRUCache<string, true>({ max: MAX_TOLD });
  readonly #policy: Policy;
  readonly #log: GatewayLog;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(policy: Policy, log: GatewayLog, clock: Pick<Clock, 'now'> = systemClock) {
    this.#clock = clock;
    this.#policy = policy;
    this.#log = log;
  }

  apply(token: AuthenticatedToken): AuthenticatedToken {
    const now = new Date(this.#clock.now());
    // A deprecated scope ends with a calendar day, in UTC.
    const day = now.toISOString().slice(0, 10);
    const nowSeconds = now.getTime() / 1000;
    const known = this.#cuts.get(token);
    if (known?.day === day && nowSeconds <= known.untilSeconds) return known.token;
    const delegation = this.#cut(token.delegation, day);
    const { scopes, withheld, untilSeconds } = this.#bySignIn(token, delegation.scopes, nowSeconds);
    const cut = { ...token, delegation: { ...delegation, scopes }, withheld };
    this.#cuts.set(token, { day, untilSeconds, token: cut });
    return cut;
  }

  /** Removes scopes for which the person's sign-in is too weak or too old (RFC 9470). */
  #bySignIn(
    token: AuthenticatedToken,
    held: ReadonlySet<string>,
    nowSeconds: number,
  ): {
    readonly scopes: ReadonlySet<string>;
    readonly withheld: ReadonlyMap<string, StepUp>;
    readonly untilSeconds: number;
  } {
    const scopes = new Set<string>();
    const withheld = new Map<string, StepUp>();
    let untilSeconds = Number.POSITIVE_INFINITY;
    for (const scope of held) {
      const stepUp = stepUpOf(this.#policy, scope);
      if (stepUp === undefined) {
        scopes.add(scope);
        continue;
      }
      if (!suffices(token, stepUp, nowSeconds)) {
        withheld.set(scope, stepUp);
        continue;
      }
      scopes.add(scope);
      const { maxAgeSeconds } = stepUp;
      if (maxAgeSeconds !== undefined && token.authTime !== undefined) {
        untilSeconds = Math.min(untilSeconds, token.authTime + maxAgeSeconds);
      }
    }
    return { scopes, withheld, untilSeconds };
  }

  #cut(delegation: Delegation, day: string): Delegation {
    const { clientId, consent } = delegation;
    const held = { scopes: delegation.scopes, purposes: consent?.purposes ?? [] };
    const { scopes, purposes } = applyCeiling(this.#policy, clientId, held, day);
    this.#tellDeprecated(delegation, day);
    const cut: Delegation = withoutUndefined({
      ...delegation,
      scopes: new Set(scopes),
      consent: consent === undefined ? undefined : { ...consent, purposes },
    });
    const detail = detailInForce(this.#policy, cut);
    if (detail !== undefined && isAtStrictest(detail)) this.#tellDetail(clientId);
    return withoutUndefined({ ...cut, detail });
  }

  /** Once per client. */
  #tellDetail(client: string): void {
    const key = JSON.stringify([client]);
    if (this.#told.has(key)) return;
    this.#told.set(key, true);
    this.#log.log('warn', 'DETAIL_AT_STRICTEST', { client });
  }

  /** Once per client and scope, and once more when the scope is no longer honoured. */
  #tellDeprecated({ clientId, scopes }: Delegation, day: string): void {
    for (const name of scopes) {
      const scope = this.#policy.scopes.get(name);
      if (scope?.deprecated === undefined || day < scope.deprecated.since) continue;
      const isStillHonoured = isScopeAccepted(scope, day);
      const key = JSON.stringify([clientId, name, isStillHonoured]);
      if (this.#told.has(key)) continue;
      this.#told.set(key, true);
      const { until, replacedBy = [] } = scope.deprecated;
      this.#log.log(
        'warn',
        'DEPRECATED_SCOPE',
        withoutUndefined({
          client: clientId,
          scope: name,
          honoured: isStillHonoured,
          until,
          replacedBy: replacedBy.length === 0 ? undefined : replacedBy.join(' '),
        }),
      );
    }
  }
}
