import { decodeJwt } from 'jose';
import * as oauth from 'openid-client';
import { ask, BUDGET_SCOPES, discover, expect, signIn, until } from './drill.js';
import type { Drill } from './drill.js';

/** The person revokes the consent while the application reads. */
export const revokedInUse: Drill = {
  name: 'revoked-in-use',
  breach: 'An application continues to read after Alma ended its access; its token is valid for minutes.',
  async run(system, report) {
    const client = await discover(system);
    const { access_token: token, refresh_token: refreshToken } = await signIn(client, 'alma', BUDGET_SCOPES);
    expect((await ask(system, token)).data?.me !== null, 'the token works at first');
    const { consent, exp = 0 } = decodeJwt<{ consent: { id: string } }>(token);
    const end = `mutation { revokeConsent(id: "${consent.id}") { ended { id } } }`;
    const reading = keepReading(() => ask(system, token));
    const ended = await ask(system, token, end);
    expect(ended.codes.length === 0, 'the consent is revoked');
    report.tried('reading on, without a pause, with the token that was good a moment ago');
    const waitedMs = await until(
      async () => (await ask(system, token)).status === 401,
      'the token is refused',
    );
    await reading.stop();
    const left = Math.round(exp - Date.now() / 1000);
    report.stopped(
      `the gateway refuses it ${waitedMs.toFixed(0)} ms after the mutation’s answer, ${left} s before it expires`,
    );
    report.tried('a new token with the refresh token');
    const refused = await oauth.refreshTokenGrant(client, refreshToken ?? '').then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refused instanceof oauth.ResponseBodyError && refused.error === 'invalid_grant', 'it is refused');
    report.stopped('the authority: the consent behind it is not in force (invalid_grant)');
  },
};

/** Sends requests one after the other in the background. */
function keepReading(read: () => Promise<unknown>): { stop(): Promise<void> } {
  const over = new AbortController();
  const loop = (async () => {
    while (!over.signal.aborted) await read();
  })();
  return {
    async stop() {
      over.abort();
      await loop;
    },
  };
}
