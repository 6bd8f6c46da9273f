import type { KoaContextWithOIDC } from 'oidc-provider';

import type { Policy, SchemaVocabulary } from '@behalf/policy';
import { interactionPolicy } from './oidc-provider.js';
import type { AccountRegister } from '../accounts/register.js';
import type { ConsentRegister } from '../consent/register.js';
import type { SuspensionRegister } from '../consent/suspensions.js';
import { scopesAskedFor } from '../details/request.js';
import { decided, offeredScopes, purposesOf } from './offer.js';
import { readOrRefuse } from './rich-requests.js';
import { stoppedScopes } from './suspended.js';

const { Check, Prompt } = interactionPolicy;

/** @see consentPrompt */
export interface ConsentPromptOptions {
  readonly accounts: AccountRegister;
  readonly audience: string;
  readonly consents: ConsentRegister;
  readonly policy: Policy;
  readonly fields: SchemaVocabulary['fields'];
  readonly suspensions: SuspensionRegister;
}

/**
 * Asks the person, unless a consent in force already contains their decision about everything requested, or they have just
 * decided. `prompt=consent` always asks.
 */
export function consentPrompt(options: ConsentPromptOptions) {
  return new Prompt(
    { name: 'consent', requestable: true },
    new Check('consent_missing', 'the person has not decided', (ctx) => isMissing(ctx, options)),
  );
}

async function isMissing(ctx: KoaContextWithOIDC, options: ConsentPromptOptions): Promise<boolean> {
  const { oidc } = ctx;
  // Decided in this interaction. If that consent is no longer in force, there is no grant, and access is denied.
  if (oidc.result?.consent !== undefined) return false;
  const subject = oidc.account?.accountId;
  const clientId = oidc.client?.clientId;
  if (subject === undefined || clientId === undefined) return true;
  const account = await options.accounts.find(subject);
  const consent = await options.consents.findActive(subject, clientId);
  if (account === undefined || consent === undefined) return true;
  const { audience, fields, policy, suspensions } = options;
  const { authorization_details: details, scope } = oidc.params ?? {};
  const asked = readOrRefuse(details, { clientId, audience, fields, policy });
  const offered = offeredScopes(scopesAskedFor(scope, asked), account, clientId, policy);
  // Suspended scopes are not asked about, because they would not be granted.
  const stopped = await stoppedScopes(suspensions);
  return !decided(
    consent,
    offered.filter(({ name }) => !stopped.has(name)),
    purposesOf(clientId, policy).filter(({ name }) => asked?.purposes?.includes(name) ?? true),
  );
}
