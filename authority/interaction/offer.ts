import type { ConsentLevels, DetailInForce } from '@behalf/directives';
import { detailInForce, longestConsentSeconds } from '@behalf/policy/internal';
import type { Policy, PurposePolicy, ScopePolicy } from '@behalf/policy';
import type { Account } from '../accounts/register.js';
import type { ClientRegistration } from '../client-registration.js';
import type { Consent, DetailLevel } from '../consent/types.js';
import { offeredScopes } from '../oidc/offer.js';
import type { ConsentView, DurationChoice } from '../pages/consent.js';
import { remarksOn } from '../pages/scope-remarks.js';
import { type AskedFor, offerFor } from './asked.js';
import type { AskingLanguage } from '../language/languages.js';
import { durationInWords, timeInWords } from '../pages/formats.js';
import type { CategoryLevels } from '../pages/meaning.js';
import { joinLevels } from '../consent/levels.js';
import { levelChoices, type LevelsSoFar } from './levels.js';
import { meaningOf } from './meaning.js';

/** An end that a person can choose. */
export interface DurationOption {
  readonly value: string;
  readonly label: string;
  /** A duration from now, or the end agreed before. */
  readonly end: { readonly seconds: number } | { readonly until: Date };
}

/** The offer to which the person is asked to agree. */
export interface Offer {
  readonly account: Account;
  readonly client: ClientRegistration;
  /** The one language of the offer, and the policy in it. */
  readonly language: AskingLanguage;
  /** The person's earlier consent in force. */
  readonly standing: Consent | undefined;
  /** The requested scopes and those in force, in the order of the policy. */
  readonly scopes: readonly ScopePolicy[];
  readonly purposes: readonly PurposePolicy[];
  readonly durations: readonly DurationOption[];
  readonly details: readonly DetailLevel[];
  readonly levels: readonly CategoryLevels[];
  /** What the policy's rules leave at most. */
  readonly limits: DetailInForce | undefined;
  readonly levelsSoFar: LevelsSoFar;
  /** The latest end of the consent, whichever duration is chosen. */
  readonly latestEnd: Date | undefined;
}

/** @see makeOffer */
export interface OfferOptions {
  readonly account: Account;
  readonly client: ClientRegistration;
  readonly language: AskingLanguage;
  readonly standing: Consent | undefined;
  readonly asked: AskedFor;
  readonly durations: readonly DurationChoice[];
}

/** The choice that keeps the present end. */
const KEEP_END = 'keep';

/**
 * Creates the offer: what is requested, and what the person agreed to before, so that both are decided together and nothing in
 * force is lost by a decision about something else. Nothing in it exceeds the policy.
 *
 * @returns undefined if nothing of the request can be granted
 */
export function makeOffer(options: OfferOptions): Offer | undefined {
  const { account, asked, client, language, standing } = options;
  const { policy } = language;
  if (offeredScopes(asked.scopes, account, client.clientId, policy).length === 0) return undefined;
  const both = standing === undefined ? asked : withStanding(asked, standing);
  const { offered, latestEnd, ...rest } = offerFor(both, account, client.clientId, {
    policy,
    durations: options.durations,
  });
  const durations: DurationOption[] = rest.durations.map(({ label, seconds }) => ({
    value: String(seconds),
    label:
      label !== undefined && language.tag === language.offered[0]
        ? label
        : durationInWords(seconds, language.tag),
    end: { seconds },
  }));
  const names = offered.map(({ name }) => name);
  const longestMs = longestConsentSeconds(policy, client.clientId, names) * 1000;
  const latestMs = Math.min(Date.now() + longestMs, latestEnd?.getTime() ?? Infinity);
  if (standing !== undefined && standing.until.getTime() <= latestMs) {
    // The page states the date above.
    durations.unshift({
      value: KEEP_END,
      label: language.messages.consent.sameEnd,
      end: { until: standing.until },
    });
  }
  const limits = limitsOf(policy, client.clientId, rest.purposes);
  const levelsSoFar = { asked: asked.access?.levels ?? {}, standing: standing?.levels ?? {} };
  const most = joinLevels(levelsSoFar.asked, asRecord(limits));
  const levels = levelChoices(language, names, { ...levelsSoFar, asked: most });
  return {
    ...{ ...rest, account, client, language, standing, durations, latestEnd },
    ...{ scopes: offered, levels, levelsSoFar, limits },
  };
}

/**
 * How much detail the policy's rules leave the application at most. A rule for a purpose counts only if the person cannot take that
 * purpose away: the page must not promise less than what is given.
 */
function limitsOf(
  policy: Policy,
  clientId: string,
  purposes: readonly PurposePolicy[],
): DetailInForce | undefined {
  const certain = purposes.length === 1 ? purposes.map(({ name }) => name) : [];
  return detailInForce(policy, {
    ...{ subject: '', clientId, scopes: new Set(), policies: new Set(), roles: [] },
    consent: { id: '', version: 1, purposes: certain, detail: 'full' },
  });
}

function asRecord(limits: DetailInForce | undefined): ConsentLevels {
  return Object.fromEntries([...(limits?.levels ?? [])].map(([name, levels]) => [name, [...levels]]));
}

function withStanding(asked: AskedFor, { purposes, scopes }: Consent): AskedFor {
  const { access } = asked;
  return {
    ...asked,
    scopes: [...asked.scopes, ...scopes],
    access:
      access?.purposes === undefined ? access : { ...access, purposes: [...access.purposes, ...purposes] },
  };
}

/**
 * The offer as a page. Only what the person agreed to before is ticked, because a pre-ticked box is not consent
 * (Regulation (EU) 2016/679, recital 32; CJEU C-673/17).
 */
export function viewOf(offer: Offer, action: string, defaultDurationSeconds: number): ConsentView {
  const { account, client, details, durations, language, levels, limits, purposes, scopes, standing } = offer;
  const { messages, policy, tag } = language;
  const { remarks } = messages;
  const box = (name: string, agreed: readonly string[] = [], declined: readonly string[] = []) => ({
    name,
    isNew: standing !== undefined && !agreed.includes(name) && !declined.includes(name),
    ticked: agreed.includes(name),
    wasDeclined: declined.includes(name),
  });
  const keepsEnd = durations.some(({ value }) => value === KEEP_END);
  return {
    action,
    personName: account.displayName,
    client: {
      name: client.displayName,
      owner: client.owner,
      contact: client.contact,
      homePage: client.homePage,
    },
    standing: standing && {
      since: timeInWords(standing.grantedAt, tag),
      until: timeInWords(standing.until, tag),
      id: standing.id,
      version: standing.version,
    },
    purposes: purposes.map(({ name, sentence }) => ({
      ...box(name, standing?.purposes, standing?.declinedPurposes),
      sentence,
      remarks: standing?.declinedPurposes.includes(name) === true ? [remarks.refusedBefore] : [],
    })),
    scopes: scopes.map((scope) => ({
      ...box(scope.name, standing?.scopes, standing?.declined),
      sentence: scope.sentence,
      meaning: meaningOf(language, scope.name, limits),
      remarks: [
        ...remarksOn(scope, policy, remarks),
        ...(standing?.declined.includes(scope.name) === true ? [remarks.refusedBefore] : []),
      ],
    })),
    durations,
    duration: keepsEnd ? KEEP_END : String(defaultDurationSeconds),
    details,
    detail: details.find((level) => level === standing?.detail) ?? details[0] ?? 'minimal',
    levels,
  };
}
