import { decodeJwt } from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { RevocationView } from '../../revocation/view.js';
import { SsfReceiver } from '../../revocation/receiver.js';
import { TestLog, until } from '../gateway/support.js';
import { token } from '../revocation/transmitter.js';
import { BrowserlessPerson } from '../support/person.js';
import {
  authorizationRequest,
  discover,
  exchange,
  startTestAuthority,
  STREAM_SECRET,
  type TestAuthority,
} from './setup.js';

const ALMA = { user: 'alma', password: 'alma-demo' };

let authority: TestAuthority;
beforeAll(async () => {
  authority = await startTestAuthority({ longPollMs: 1_000 });
});
afterAll(() => authority.close());

async function connect(person: BrowserlessPerson) {
  const client = await discover(authority);
  const request = await authorizationRequest(client, 'accounts:read');
  const { callbackUrl, pages } = await person.follow(request.url, ALMA);
  const tokens = await exchange(client, callbackUrl, request);
  const { sid } = decodeJwt<{ sid: string }>(tokens.access_token);
  return { client, pages, sid, refreshToken: tokens.refresh_token ?? '' };
}

async function changes(): Promise<number> {
  return (await authority.database.db.selectFrom('authority.change_event').select('seq').execute()).length;
}

describe('a person who signs out one browser', () => {
  it('ends only that browser’s tokens, at the gateways and the authority', async () => {
    const [here, there] = [new BrowserlessPerson(), new BrowserlessPerson()];
    const [one, other] = [await connect(here), await connect(there)];
    const again = await connect(here);
    expect(again.sid).toBe(one.sid);
    expect(other.sid).not.toBe(one.sid);
    const issuer = authority.issuer;
    const view = new RevocationView({
      issuers: [issuer],
      maxStalenessMs: 9_000,
      maxTokenLifetimeSeconds: 300,
    });
    const receiver = new SsfReceiver({ issuer, secret: STREAM_SECRET }, view, new TestLog());
    receiver.start();

    expect(await here.signOut(issuer)).toMatchObject({
      status: 200,
      markup: expect.stringContaining('Nobody is signed in') as string,
    });
    const ofSession = (sessionId: string) => token({ issuer, sessionId, issuedAt: Date.now() / 1000 });
    await until(() => view.isRevoked(ofSession(one.sid)), 'the event is received');
    expect(view.isRevoked(ofSession(other.sid))).toBe(false);
    await receiver.close();
    for (const { client, refreshToken } of [one, again]) {
      await expect(oidc.refreshTokenGrant(client, refreshToken)).rejects.toMatchObject({
        error: 'invalid_grant',
      });
    }
    await expect(oidc.refreshTokenGrant(other.client, other.refreshToken)).resolves.toHaveProperty(
      'access_token',
    );
    // The consent stands: the person signs in, and is not asked again.
    const back = await connect(here);
    expect(back.pages.map(({ markup }) => markup.includes('name="password"'))).toEqual([true]);
    expect(back.sid).not.toBe(one.sid);
  });

  it('ends nothing if not signed in, with the same answer', async () => {
    const before = await changes();
    expect((await new BrowserlessPerson().signOut(authority.issuer)).status).toBe(200);
    const forged = await fetch(`${authority.issuer}/sign-out`, {
      method: 'POST',
      headers: { cookie: '_session=made-up; _session.sig=made-up' },
    });
    expect(forged.status).toBe(200);
    expect(await changes()).toBe(before);
  });

  it.each([{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }])(
    'is not signed out by another site’s form (%j)',
    async (headers) => {
      const response = await fetch(`${authority.issuer}/sign-out`, { method: 'POST', headers });
      expect(response.status).toBe(403);
      expect(await response.text()).toContain('another site');
    },
  );

  it('is not signed out by a link, or in a frame', async () => {
    const before = await changes();
    const response = await fetch(`${authority.issuer}/sign-out`);
    expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect((await fetch(`${authority.issuer}/sign-out`, { method: 'DELETE' })).status).toBe(405);
    expect(await changes()).toBe(before);
  });
});
