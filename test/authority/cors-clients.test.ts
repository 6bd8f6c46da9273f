import type * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { checkPolicy } from '../../policy/index.js';
import { BrowserlessPerson } from '../support/person.js';
import { ALMA, application, client, connect } from './oauth-setup.js';
import { rawRequest } from './raw-request.js';
import {
  authorizationRequest,
  discover,
  POLICY_FILE,
  REDIRECT_URI,
  startTestAuthority,
  type TestAuthority,
  withPolicy,
} from './setup.js';

const APP = 'https://app.example';
const OTHER = 'https://other.example';
const UNKNOWN = 'https://evil.example';
const SECRET = 'a-secret-of-a-confidential-client';
const CODE_CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

const { clients } = POLICY_FILE;
const WITH_APPS = withPolicy(
  checkPolicy({ ...POLICY_FILE, clients: { ...clients, '*': clients['budget-app'] } }),
);

let authority: TestAuthority;
beforeAll(async () => {
  authority = await startTestAuthority({
    ...WITH_APPS,
    clients: [
      { ...application('spa', {}), origins: [APP] },
      { ...application('other', {}), origins: [OTHER] },
      application('without', {}),
      { ...client('reader', { introspection: true }), secret: SECRET, origins: [OTHER] },
    ],
  });
});
afterAll(() => authority.close());

async function ask(
  target: string,
  form: Record<string, string>,
  headers: Record<string, string | readonly string[]>,
) {
  const answer = await rawRequest(authority.authority.url, {
    target,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(form).toString(),
  });
  const body = answer.text === '' ? {} : (JSON.parse(answer.text) as Record<string, unknown>);
  return { status: answer.status, readableBy: answer.headers['access-control-allow-origin'], body };
}

/** The only answer to a page that may not use the client; pages of registered clients can read it. */
const refusal = (origin: string, clientId: string) => ({
  status: 400,
  readableBy: [APP, OTHER].includes(origin) ? origin : undefined,
  body: {
    error: 'invalid_request',
    error_description: `origin ${origin} not allowed for client: ${clientId}`,
  },
});

/** Pages that may not use the client, and the one that may; a client without origins is used by programs alone. */
const CASES = [
  { clientId: 'other', wrong: [APP, UNKNOWN, 'null'], right: { origin: OTHER } },
  { clientId: 'spa', wrong: [OTHER, UNKNOWN], right: { origin: APP } },
  { clientId: 'without', wrong: [APP, OTHER, UNKNOWN], right: {} },
] as const;

describe.each(CASES)('the client $clientId', ({ clientId, right, wrong }) => {
  let configuration: oidc.Configuration;
  beforeAll(async () => {
    configuration = await discover(authority, clientId);
  });

  /** Asks as the wrong pages do, each of which is refused, and then as the right one. */
  async function askAll(target: string, form: Record<string, string>) {
    for (const origin of wrong) {
      expect(await ask(target, form, { origin })).toEqual(refusal(origin, clientId));
    }
    return ask(target, form, right);
  }

  it('redeems a code for its own page only, which the others have not used up', async () => {
    const request = await authorizationRequest(configuration, 'accounts:read');
    const { callbackUrl } = await new BrowserlessPerson().follow(request.url, ALMA);
    const answer = await askAll('/token', {
      grant_type: 'authorization_code',
      client_id: clientId,
      code: callbackUrl.searchParams.get('code') ?? '',
      redirect_uri: REDIRECT_URI,
      code_verifier: request.verifier,
    });
    expect(answer).toMatchObject({ status: 200, body: { access_token: expect.any(String) as string } });
  });

  it('refreshes for its own page only', async () => {
    const { refresh_token: token } = await connect(configuration, 'accounts:read offline_access', ALMA, {
      parameters: { prompt: 'consent' },
    });
    const form = { grant_type: 'refresh_token', client_id: clientId, refresh_token: token ?? '' };
    expect(await askAll('/token', form)).toMatchObject({
      status: 200,
      body: { access_token: expect.any(String) as string },
    });
  });

  it('takes a pushed request from its own page only', async () => {
    const answer = await askAll('/request', {
      client_id: clientId,
      response_type: 'code',
      redirect_uri: REDIRECT_URI,
      scope: 'accounts:read',
      code_challenge: CODE_CHALLENGE,
      code_challenge_method: 'S256',
    });
    expect(answer).toMatchObject({ status: 201, body: { request_uri: expect.any(String) as string } });
  });

  it('revokes for its own page only', async () => {
    const { access_token: token } = await connect(configuration, 'accounts:read');
    const isActive = async () => {
      const answer = await ask('/token/introspection', { token }, { authorization: basic() });
      return answer.body['active'];
    };
    for (const origin of wrong) await ask('/token/revocation', { client_id: clientId, token }, { origin });
    expect(await isActive()).toBe(true);
    expect(await askAll('/token/revocation', { client_id: clientId, token })).toMatchObject({ status: 200 });
    expect(await isActive()).toBe(false);
  });

  it('is used by programs, which have no origin', async () => {
    const form = { client_id: clientId, grant_type: 'refresh_token', refresh_token: 'gone' };
    expect(await ask('/token', form, {})).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });
});

const basic = () => `Basic ${Buffer.from(`reader:${SECRET}`).toString('base64')}`;

describe.each(['/token', '/token/', '/TOKEN', '/request', '/token/revocation', '/token/introspection'])(
  'at %s',
  (target) => {
    it('a client that is named by its credentials is refused to another page', async () => {
      const answer = await ask(target, { token: 'x' }, { origin: APP, authorization: basic() });
      expect(answer).toMatchObject({ status: 400, body: refusal(APP, 'reader').body });
      const own = await ask(target, { token: 'x' }, { origin: OTHER, authorization: basic() });
      expect(JSON.stringify(own.body)).not.toContain('not allowed for client');
    });

    it('several origins are not the client’s', async () => {
      const answer = await ask(target, { client_id: 'other' }, { origin: [OTHER, OTHER] });
      expect(answer).toMatchObject({
        status: 400,
        readableBy: undefined,
        body: { error_description: `origin ${OTHER}, ${OTHER} not allowed for client: other` },
      });
    });
  },
);
