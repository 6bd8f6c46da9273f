import type { Delegation } from '@behalf/directives';
import { LRUCache } from 'lru-cache';
import { honoured, isHonoured } from '../../policy/index.js';
import type { Policy } from '../../policy/index.js';
import type { AuthenticatedToken } from '../authenticate/index.js';
import type { GatewayLog } from '../log.js';

/** Pairs of client and deprecated scope that were logged already. */
const MAX_TOLD = 10_000;

interface Cut {
  readonly day: string;
  readonly token: AuthenticatedToken;
}

/**
 * Cuts a verified token to what the policy lets its client have: the one place where that is decided at the gateway. Tokens
 * outlive a policy that became narrower, and issuers of others do not know it.
 */
export class PolicyCeiling {
  /** By the verified token, which is kept as long as it is alive: each is cut once a day. */
  private readonly cuts = new WeakMap<AuthenticatedToken, Cut>();
  private readonly told = new LRUCache<string, true>({ max: MAX_TOLD });

  constructor(
    private readonly policy: Policy,
    private readonly log: GatewayLog,
  ) {}

  apply(token: AuthenticatedToken, now = new Date()): AuthenticatedToken {
    // A deprecated scope ends with a calendar day, in UTC.
    const day = now.toISOString().slice(0, 10);
    const known = this.cuts.get(token);
    if (known?.day === day) return known.token;
    const cut = { ...token, delegation: this.cut(token.delegation, day) };
    this.cuts.set(token, { day, token: cut });
    return cut;
  }

  private cut(delegation: Delegation, day: string): Delegation {
    const { clientId, consent } = delegation;
    const held = { scopes: delegation.scopes, purposes: consent?.purposes ?? [] };
    const { scopes, purposes } = honoured(this.policy, clientId, held, day);
    this.tellDeprecated(delegation, day);
    return {
      ...delegation,
      scopes: new Set(scopes),
      ...(consent === undefined ? {} : { consent: { ...consent, purposes } }),
    };
  }

  /** Once for a client and scope, and once more when it is not honoured any longer. */
  private tellDeprecated({ clientId, scopes }: Delegation, day: string): void {
    for (const name of scopes) {
      const scope = this.policy.scopes.get(name);
      if (scope?.deprecated === undefined || day < scope.deprecated.since) continue;
      const isStillHonoured = isHonoured(scope, day);
      const key = JSON.stringify([clientId, name, isStillHonoured]);
      if (this.told.has(key)) continue;
      this.told.set(key, true);
      const { until, replacedBy = [] } = scope.deprecated;
      this.log.log('warn', 'DEPRECATED_SCOPE', {
        client: clientId,
        scope: name,
        honoured: isStillHonoured,
        ...(until === undefined ? {} : { until }),
        ...(replacedBy.length === 0 ? {} : { replacedBy: replacedBy.join(' ') }),
      });
    }
  }
}
