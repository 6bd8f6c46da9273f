import { decodeJwt } from 'jose';
import type { Interaction } from 'oidc-provider';

/**
 * The person whom the application names by `id_token_hint` (OpenID Connect Core, section 3.1.2.1). oidc-provider has verified the
 * hint when the request arrived, but does not compare it with the person who then signs in.
 */
export function namedPerson({ params }: Interaction): string | undefined {
  const hint = params['id_token_hint'];
  return typeof hint === 'string' ? decodeJwt(hint).sub : undefined;
}

/** Whether the page should say, before anybody has signed in on it, that another person is asked for. */
export function asksForAnother({ prompt, session }: Interaction): boolean {
  return session !== undefined && prompt.reasons.includes('id_token_hint');
}
