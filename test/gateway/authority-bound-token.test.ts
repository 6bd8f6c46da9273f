import * as oidc from 'openid-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ALMA, application, connect, discoverAs, withClients } from '../authority/oauth-setup.js';
import { startTestAuthority } from '../authority/setup.js';
import type { TestAuthority } from '../authority/setup.js';
import { AUDIENCE, Cleanup, codes, compose, startTestGateway, TestSubgraph } from './support.js';
import type { TestGateway } from './support.js';

const READ = '{ mine }';
const cleanup = new Cleanup();
let authority: TestAuthority;
let people: TestSubgraph;
let gateway: TestGateway;

beforeAll(async () => {
  authority = await startTestAuthority(
    withClients([application('careful-app', { senderConstraint: 'dpop' })], {
      'careful-app': { scopes: ['accounts:read'], purposes: ['budgeting'] },
    }),
  );
  cleanup.add(() => authority.close());
  people = await TestSubgraph.start('people');
  cleanup.add(() => people.close());
  gateway = await startTestGateway(cleanup, compose(people), {
    issuers: [{ issuer: authority.issuer, audience: AUDIENCE }],
    dpop: { required: true, nonce: 'required' },
  });
});
afterAll(() => cleanup.run());

it('a token bound by the authority works for its client, with both nonces', async () => {
  const client = await discoverAs(authority, 'careful-app');
  const handle = oidc.getDPoPHandle(client, await oidc.randomDPoPKeyPair('ES256'));
  const tokens = await connect(client, 'accounts:read', ALMA, { DPoP: handle });
  const ask = (by: oidc.DPoPHandle): Promise<Response> =>
    oidc.fetchProtectedResource(
      client,
      tokens.access_token,
      new URL(`${gateway.url}/graphql`),
      'POST',
      JSON.stringify({ query: READ }),
      new Headers({ 'content-type': 'application/json' }),
      { DPoP: by },
    );
  expect(await (await ask(handle)).json()).toMatchObject({ data: { mine: expect.any(String) as string } });

  // A thief has the token, and any key but the right one.
  people.requests.length = 0;
  const thief = oidc.getDPoPHandle(client, await oidc.randomDPoPKeyPair('ES256'));
  await expect(ask(thief)).rejects.toMatchObject({ code: 'OAUTH_WWW_AUTHENTICATE_CHALLENGE' });
  const bearer = await gateway.ask(READ, { token: tokens.access_token });
  expect([bearer.status, codes(bearer)]).toEqual([401, ['INVALID_TOKEN']]);
  expect(people.requests).toEqual([]);
});
