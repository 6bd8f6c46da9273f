import type { Interaction } from 'oidc-provider';

import type { SchemaVocabulary } from '@behalf/policy';
import type { Account } from '../accounts/register.js';
import type { ClientRegistration } from '../client-registration.js';
import type { ConsentRegister } from '../consent/register.js';
import type { SuspensionRegister } from '../consent/suspensions.js';
import type { Consent } from '../consent/types.js';
import { scopesAskedFor } from '../details/request.js';
import { readOrRefuse } from '../oidc/rich-requests.js';
import { stoppedScopes } from '../oidc/suspended.js';
import type { AskingLanguage } from '../language/languages.js';
import type { ConsentView, DurationChoice } from '../pages/consent.js';
import { makeOffer, type Offer, viewOf } from './offer.js';

/** @see askNow */
export interface QuestionOptions {
  readonly audience: string;
  readonly consents: ConsentRegister;
  readonly suspensions: SuspensionRegister;
  readonly fields: SchemaVocabulary['fields'];
  readonly durations: readonly DurationChoice[];
  readonly defaultDurationSeconds: number;
}

/** What a person is asked, with all that it depends on, at one moment. */
export interface Question {
  readonly scopes: readonly string[];
  /** The consent in force. */
  readonly standing: Consent | undefined;
  readonly offer: Offer;
  readonly view: ConsentView;
}

/** Who asks, in which interaction, and in which language. */
export interface Asking {
  readonly client: ClientRegistration;
  readonly interaction: Interaction;
  readonly language: AskingLanguage;
}

/** @returns undefined if nothing that was requested can be granted */
export async function askNow(
  options: QuestionOptions,
  { client, interaction, language }: Asking,
  account: Account,
): Promise<Question | undefined> {
  const { audience, consents, defaultDurationSeconds, durations, fields, suspensions } = options;
  const { policy } = language;
  const { authorization_details: details, scope } = interaction.params;
  // Already checked on arrival, but the policy may have changed since, or the requested time may be over.
  const access = readOrRefuse(details, { clientId: client.clientId, audience, fields, policy });
  // Suspended scopes are not offered, because they would not be granted. Those agreed to before stay agreed to.
  const stopped = await stoppedScopes(suspensions);
  const scopes = scopesAskedFor(scope, access).filter((name) => !stopped.has(name));
  const asked = { scopes, access, atSeconds: interaction.iat };
  const standing = await consents.findActive(account.subject, client.clientId);
  const offer = makeOffer({ account, client, language, standing, asked, durations });
  if (offer === undefined) return undefined;
  return {
    scopes,
    standing,
    offer,
    view: viewOf(offer, `/interaction/${interaction.uid}`, defaultDurationSeconds),
  };
}
