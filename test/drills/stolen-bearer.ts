import { decodeJwt } from 'jose';
import { ADMINISTRATOR_SCOPES, ask, BUDGET_SCOPES, discover, expect, signIn } from './drill.js';
import type { Drill } from './drill.js';

const OTHERS = '{ customer(id: "c-000002") { name } me { taxId } }';

/** An attacker has a bearer token, which is not bound to its sender. */
export const stolenBearer: Drill = {
  name: 'stolen-bearer',
  breach: 'A thief has Alma’s access token from the log of some proxy. It is a plain bearer token.',
  async run(system, report) {
    const { access_token: token } = await signIn(await discover(system), 'alma', BUDGET_SCOPES);
    const { exp = 0, jti = '' } = decodeJwt(token);
    report.tried('another person’s row, and a field that Alma did not agree to');
    const more = await ask(system, token, OTHERS);
    expect(more.status === 200 && more.data?.customer === null, 'no other person’s row is returned');
    expect((more.data.me as { taxId?: unknown } | null)?.taxId === null, 'the tax number is not given');
    report.stopped('@subject and the consent’s scopes: the thief sees no more than the application did');
    const left = Math.round(exp - Date.now() / 1000);
    report.held(`for ${left} s it is as good as the application’s: that is why tokens can be bound to a key`);
    const { access_token: administrator } = await signIn(
      await discover(system, 'bank-console'),
      'iris',
      ADMINISTRATOR_SCOPES,
    );
    report.tried('reading on, after an administrator has ended this one token');
    const ended = await ask(
      system,
      administrator,
      `mutation { revokeToken(id: "${jti}", reason: "seen in a log", waitFor: ALL_GATEWAYS) {
        outcome inForce { everywhere } } }`,
    );
    expect(ended.codes.length === 0, 'the administrator may end it');
    expect((await ask(system, token)).status === 401, 'the token is refused');
    report.stopped('the gateway, from the moment of the mutation’s answer (waitFor: ALL_GATEWAYS)');
  },
};
