import * as oauth from 'openid-client';
import { ADMINISTRATOR_SCOPES, ask, BUDGET_SCOPES, discover, expect, signIn, until } from './drill.js';
import type { Drill } from './drill.js';

/** An application turns out to be malicious. */
export const clientRogue: Drill = {
  name: 'client-rogue',
  breach: 'An application reads far too much, for several people at once. Stop it now, investigate later.',
  async run(system, report) {
    const client = await discover(system);
    const alma = await signIn(client, 'alma', BUDGET_SCOPES);
    const noor = await signIn(client, 'noor', BUDGET_SCOPES);
    const tokens = [alma.access_token, noor.access_token];
    const console = await discover(system, 'bank-console');
    const { access_token: administrator } = await signIn(console, 'iris', ADMINISTRATOR_SCOPES);
    const stop = await ask(
      system,
      administrator,
      `mutation { emergencyStop(target: { clientId: "budget-app" }, reason: "reads far too much",
        waitFor: ALL_GATEWAYS) { outcome inForce { everywhere } } }`,
    );
    expect(stop.codes.length === 0, 'an administrator may stop it');
    try {
      report.tried('reading on for both people');
      for (const token of tokens) {
        const answer = await ask(system, token);
        expect(answer.status === 403 && answer.codes.includes('CLIENT_SUSPENDED'), 'it is refused');
      }
      report.stopped('every gateway, before the mutation is answered (403 CLIENT_SUSPENDED)');
      report.tried('a new token with the refresh token');
      const refused = await oauth.refreshTokenGrant(client, alma.refresh_token ?? '').then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(refused instanceof oauth.ResponseBodyError, 'it is refused');
      report.stopped(`the authority (${refused.error})`);
      expect((await ask(system, administrator)).status === 200, 'other applications go on');
      report.held('every other application is served as before');
    } finally {
      const lift = await ask(
        system,
        administrator,
        `mutation { liftEmergencyStop(target: { clientId: "budget-app" }, reason: "a mistake, mended",
          waitFor: ALL_GATEWAYS) { outcome } }`,
      );
      expect(lift.codes.length === 0, 'an administrator may lift it');
    }
    await until(
      async () => (await ask(system, alma.access_token)).status === 200,
      'the token is accepted again',
    );
    report.held('nothing was lost: once lifted, the same tokens are valid again');
  },
};
