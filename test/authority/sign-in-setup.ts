import { rawRequest, type RawAnswer } from './raw-request.js';
import { REDIRECT_URI, type TestAuthority } from './setup.js';

/** An open sign-in page that can be submitted from any address a proxy might report. */
export interface OpenPage {
  readonly path: string;
  readonly cookie: string;
}

/** The address of an authorization request of the demo's public client. */
export function authorizationTarget(more: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams({
    client_id: 'budget-app',
    response_type: 'code',
    scope: 'accounts:read',
    redirect_uri: REDIRECT_URI,
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    ...more,
  });
  return `/auth?${query.toString()}`;
}

export function cookiesOf({ headers }: RawAnswer): readonly string[] {
  return [headers['set-cookie'] ?? []].flat();
}

/** A header that returns all cookies. */
export function cookieHeader(answer: RawAnswer): string {
  return cookiesOf(answer)
    .map((line) => line.split(';', 1)[0])
    .join('; ');
}

/**
 * Starts a sign-in.
 * @param address as the proxy reports it
 */
export async function openSignIn(authority: TestAuthority, address = '203.0.113.1'): Promise<OpenPage> {
  const answer = await rawRequest(authority.authority.url, {
    target: authorizationTarget(),
    headers: { 'x-forwarded-for': address },
  });
  if (answer.status !== 303) throw new Error(`no sign-in page: ${answer.status}`);
  return { path: String(answer.headers['location']), cookie: cookieHeader(answer) };
}

/** Sends the form. */
export async function submitSignIn(
  authority: TestAuthority,
  page: OpenPage,
  typed: { readonly user: string; readonly password: string },
  headers: Readonly<Record<string, string>>,
): Promise<RawAnswer> {
  const { 'x-cookie': more = '', ...rest } = headers;
  return rawRequest(authority.authority.url, {
    target: page.path,
    method: 'POST',
    headers: {
      ...rest,
      cookie: more === '' ? page.cookie : `${page.cookie}; ${more}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({ username: typed.user, password: typed.password, do: 'sign-in' }).toString(),
  });
}
