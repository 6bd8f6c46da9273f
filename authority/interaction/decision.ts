import { longestConsentSeconds, type Policy } from '../../policy/index.js';
import type { Account } from '../accounts/register.js';
import type { ClientRegistration } from '../clients/register.js';
import type { ConsentTerms, DetailLevel } from '../consent/types.js';
import { DETAIL_LABELS } from '../pages/consent.js';
import { remarksOn } from '../pages/scope-remarks.js';
import type { AskedOffer } from './asked.js';

/** What the person was offered. */
export interface Offer extends AskedOffer {
  readonly account: Account;
  readonly client: ClientRegistration;
  readonly policy: Policy;
}

export type Decision =
  | { readonly kind: 'allowed'; readonly terms: ConsentTerms }
  | { readonly kind: 'refused' }
  | { readonly kind: 'problem'; readonly problem: string };

/** Reads the consent form. Only what was offered can be granted, and only the button "Allow" grants. */
export function readDecision(form: URLSearchParams, offer: Offer): Decision {
  const { account, client, details, durations, latestEnd, offered, policy, purposes } = offer;
  if (form.get('do') !== 'allow') return { kind: 'refused' };
  const ticked = new Set(form.getAll('scope'));
  const granted = offered.filter(({ name }) => ticked.has(name));
  if (granted.length === 0) {
    return { kind: 'problem', problem: 'You took everything away. Leave something, or refuse.' };
  }
  const duration = durations.find(({ seconds }) => String(seconds) === form.get('duration'));
  const detail = readDetail(form.get('detail'));
  if (duration === undefined || detail === undefined || !details.includes(detail)) {
    return { kind: 'problem', problem: 'Choose how long and how much detail from what is listed.' };
  }
  const scopes = granted.map(({ name }) => name);
  // Once more where it counts: the choices were cut to this already.
  if (duration.seconds > longestConsentSeconds(policy, client.clientId, scopes)) {
    return { kind: 'problem', problem: 'Choose how long and how much detail from what is listed.' };
  }
  const untilMs = Math.min(Date.now() + duration.seconds * 1000, latestEnd?.getTime() ?? Infinity);
  if (untilMs <= Date.now()) {
    return { kind: 'problem', problem: 'The time for which access was asked is over.' };
  }
  const terms: ConsentTerms = {
    subject: account.subject,
    clientId: client.clientId,
    scopes,
    declined: offered.filter((entry) => !granted.includes(entry)).map(({ name }) => name),
    purposes: purposes.map(({ name }) => name),
    detail,
    until: new Date(untilMs),
    by: account.subject,
    notice: {
      language: 'en',
      client: client.displayName,
      purposes: purposes.map(({ sentence }) => sentence),
      scopes: offered.map((scope) => ({
        name: scope.name,
        sentence: scope.sentence,
        remarks: remarksOn(scope, policy),
        granted: granted.includes(scope),
      })),
      duration: duration.label,
      detail: DETAIL_LABELS[detail],
    },
  };
  return { kind: 'allowed', terms };
}

function readDetail(value: string | null): DetailLevel | undefined {
  return value === 'full' || value === 'minimal' ? value : undefined;
}
