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

/** A sentence to show before anybody has signed in on this page; undefined if none is needed. */
export function namedPersonProblem({ prompt, session }: Interaction): string | undefined {
  const isOther = session !== undefined && prompt.reasons.includes('id_token_hint');
  return isOther ? 'The application asks for another person than the one who is signed in.' : undefined;
}
