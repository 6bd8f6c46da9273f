import { longestConsentSeconds } from '@behalf/policy/internal';
import type { Policy, PurposePolicy, ScopePolicy } from '@behalf/policy';
import type { Account } from '../accounts/register.js';
import type { DetailLevel } from '../consent/types.js';
import type { AskedAccess } from '../details/access.js';
import { offeredScopes, purposesOf } from '../oidc/offer.js';
import type { DurationChoice } from '../pages/consent.js';
import { durationsWithin } from './durations.js';

/** @see offerFor */
export interface AskedOffer {
  readonly offered: readonly ScopePolicy[];
  readonly purposes: readonly PurposePolicy[];
  readonly details: readonly DetailLevel[];
  readonly durations: readonly DurationChoice[];
  /** The consent ends then at the latest, whichever duration is chosen. */
  readonly latestEnd: Date | undefined;
}

/** What a request comes down to. */
export interface AskedFor {
  readonly scopes: Iterable<string>;
  /** RFC 9396; undefined: only scopes were asked for. */
  readonly access: AskedAccess | undefined;
  /** When the page was first asked for: what is offered does not change while somebody reads it. */
  readonly atSeconds: number;
}

/** What is put before the person: what was asked for, as far as the policy lets this client have it of this person. */
export function offerFor(
  asked: AskedFor,
  account: Account,
  clientId: string,
  rules: { readonly policy: Policy; readonly durations: readonly DurationChoice[] },
): AskedOffer {
  const { access } = asked;
  const offered = offeredScopes(asked.scopes, account, clientId, rules.policy);
  const names = offered.map(({ name }) => name);
  const longestSeconds = longestConsentSeconds(rules.policy, clientId, names);
  const askedSeconds = access?.until === undefined ? Infinity : access.until - asked.atSeconds;
  const durations = durationsWithin(rules.durations, Math.min(longestSeconds, askedSeconds));
  return {
    offered,
    purposes: purposesOf(clientId, rules.policy).filter(
      ({ name }) => access?.purposes === undefined || access.purposes.includes(name),
    ),
    details: access?.detail === 'minimal' ? ['minimal'] : ['full', 'minimal'],
    durations,
    latestEnd: access?.until === undefined ? undefined : new Date(access.until * 1000),
  };
}
