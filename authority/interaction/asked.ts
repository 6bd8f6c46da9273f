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
  /** The latest end of the consent, whichever duration is chosen. */
  readonly latestEnd: Date | undefined;
}

/** The scopes and access that a request asks for. */
export interface AskedFor {
  readonly scopes: Iterable<string>;
  /** RFC 9396; undefined: only scopes were asked for. */
  readonly access: AskedAccess | undefined;
  /** When the page was first requested, so that the offer does not change while it is being read. */
  readonly atSeconds: number;
}

/** The request, reduced to what the policy lets this client have from this person. The person is asked for that. */
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
