import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Interaction, Provider } from 'oidc-provider';

import type { ConsentRegister } from '../consent/register.js';

/** @see otherSession */
export interface SessionAccess {
  readonly provider: Provider;
  readonly consents: ConsentRegister;
}

/** The person who has signed in on this page, but is not signed in with this browser yet. */
export function signedInHere({ result }: Interaction): string | undefined {
  return result?.login?.accountId;
}

/** @returns the session of another person than `subject` with this browser */
export async function otherSession(
  { provider }: SessionAccess,
  request: IncomingMessage,
  response: ServerResponse,
  subject: string,
): Promise<string | undefined> {
  const session = await provider.Session.get(provider.createContext(request, response));
  const { accountId, uid } = session;
  return accountId === undefined || accountId === subject ? undefined : uid;
}

/**
 * Ends the other person's session as their own sign-out does: everything issued under it ends, everywhere, and nothing issued
 * through their other browsers. The interaction then belongs to no session, so that it can continue with a new one.
 */
export async function replaceSession(
  { consents }: SessionAccess,
  interaction: Interaction,
  { by, sessionId }: { readonly by: string; readonly sessionId: string },
): Promise<void> {
  await consents.revokeSession(sessionId, { by, initiator: 'user', reason: 'another person signed in' });
  interaction.session = undefined;
  await interaction.persist();
}
