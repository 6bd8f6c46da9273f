import { longestConsentSeconds } from '@behalf/policy/internal';
import { withoutUndefined } from '@behalf/directives/internal';
import { areTooMany } from '../consent/levels.js';
import type { ConsentTerms, DetailLevel, PrivacyNotice } from '../consent/types.js';
import { type ConsentView, standingOf, wordsOf } from '../pages/consent.js';
import type { PageLanguage } from '../pages/layout.js';
import { levelsInWords, readLevelChoices } from './levels.js';
import type { DurationOption, Offer } from './offer.js';

export type Decision =
  | { readonly kind: 'allowed'; readonly terms: ConsentTerms }
  /** Keeps the earlier agreement unchanged. */
  | { readonly kind: 'kept' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'problem'; readonly problem: string };

/**
 * Reads the submitted consent form. Only offered items can be granted, only by the button "Allow", and only if the form was shown
 * with exactly the words that would be recorded.
 *
 * @param view the offer as it would be shown now
 */
export function readDecision(form: URLSearchParams, offer: Offer, view: ConsentView): Decision {
  const { account, client, details, durations, language, latestEnd, standing } = offer;
  const words = language.messages.problems;
  if (form.get('do') === 'keep' && standing !== undefined) return { kind: 'kept' };
  if (form.get('do') !== 'allow') return { kind: 'refused' };
  const { digest, text } = wordsOf(language, view);
  if (form.get('shown') !== digest || (form.get('over') ?? '') !== standingOf(standing)) {
    return problem(words.changed);
  }
  const scopes = split(offer.scopes, form.getAll('scope'));
  if (scopes.taken.length === 0) {
    return problem(standing === undefined ? words.nothingTicked : words.nothingTickedKeep);
  }
  // A single purpose is not a choice: it belongs to everything else.
  const single = offer.purposes.length === 1;
  const purposes = split(offer.purposes, single ? namesOf(offer.purposes) : form.getAll('purpose'));
  if (purposes.taken.length === 0 && offer.purposes.length > 0) {
    return problem(standing === undefined ? words.noPurpose : words.noPurposeKeep);
  }
  const duration = durations.find(({ value }) => value === form.get('duration'));
  const detail = readDetail(form.get('detail'));
  const levels = readLevelChoices(form, language, offer.levels, offer.levelsSoFar);
  if (duration === undefined || detail === undefined || levels === undefined || !details.includes(detail))
    return problem(words.choose);
  if (areTooMany(levels)) return problem(words.tooManyLevels);
  const names = namesOf(scopes.taken);
  const until = new Date(Math.min(endOf(duration).getTime(), latestEnd?.getTime() ?? Infinity));
  if (until.getTime() <= Date.now()) return problem(words.timeOver);
  // A second check where it counts: the choices were already reduced to this.
  const longestMs = longestConsentSeconds(language.policy, client.clientId, names) * 1000;
  if (until.getTime() > Date.now() + longestMs) return problem(words.choose);
  const terms: ConsentTerms = {
    subject: account.subject,
    clientId: client.clientId,
    scopes: names,
    declined: namesOf(scopes.left),
    purposes: namesOf(purposes.taken),
    declinedPurposes: namesOf(purposes.left),
    detail,
    levels,
    until,
    by: account.subject,
    policyVersion: language.policyVersion,
    notice: noticeOf(language, view, {
      ...{ text, names, duration, detail },
      levels: levelsInWords(form, offer.levels),
    }),
  };
  return { kind: 'allowed', terms };
}

function problem(text: string): Decision {
  return { kind: 'problem', problem: text };
}

function split<Named extends { readonly name: string }>(
  offered: readonly Named[],
  ticked: readonly string[],
) {
  const wanted = new Set(ticked);
  return {
    taken: offered.filter(({ name }) => wanted.has(name)),
    left: offered.filter(({ name }) => !wanted.has(name)),
  };
}

function namesOf(list: readonly { readonly name: string }[]): readonly string[] {
  return list.map(({ name }) => name);
}

function endOf({ end }: DurationOption): Date {
  return 'until' in end ? end.until : new Date(Date.now() + end.seconds * 1000);
}

interface Chosen {
  readonly text: string;
  readonly names: readonly string[];
  readonly duration: DurationOption;
  readonly detail: DetailLevel;
  readonly levels: readonly string[];
}

function noticeOf(
  { messages, tag }: PageLanguage,
  { client, purposes, scopes }: ConsentView,
  chosen: Chosen,
): PrivacyNotice {
  const { contact, name: clientName, owner } = client;
  return withoutUndefined({
    language: tag,
    client: clientName,
    owner,
    contact,
    purposes: purposes.map(({ sentence }) => sentence),
    scopes: scopes.map(({ name, sentence, remarks }) => ({
      name,
      sentence,
      remarks,
      granted: chosen.names.includes(name),
    })),
    duration: chosen.duration.label,
    detail: messages.consent.details[chosen.detail],
    levels: chosen.levels.length === 0 ? undefined : chosen.levels,
    text: chosen.text,
    signedInAs: messages.consent.signedInAs,
  });
}

function readDetail(value: string | null): DetailLevel | undefined {
  return value === 'full' || value === 'minimal' ? value : undefined;
}
