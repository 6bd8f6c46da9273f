import * as oauth from 'openid-client';
import { BUDGET_SCOPES, discover, expect, ME, post, signIn } from './drill.js';
import type { Drill } from './drill.js';
import { proofFor } from './proof.js';

/** An attacker has a sender-constrained token, but not its key. */
export const stolenDpopToken: Drill = {
  name: 'stolen-dpop-token',
  breach: 'A thief has Alma’s access token. It is bound to a key that never left the application (RFC 9449).',
  async run(system, report) {
    const client = await discover(system);
    const keys = await oauth.randomDPoPKeyPair('ES256');
    const DPoP = oauth.getDPoPHandle(client, keys);
    const { access_token: token } = await signIn(client, 'alma', BUDGET_SCOPES, { DPoP });
    const url = `${system.gatewayUrl}/graphql`;
    const bound = { authorization: `DPoP ${token}` };
    const own = await post(url, ME, { ...bound, dpop: await proofFor(keys, url, token) });
    expect(own.status === 200 && own.data?.me !== null, 'the application reads with it');
    const thief = await oauth.randomDPoPKeyPair('ES256');
    const attempts: readonly (readonly [string, Record<string, string>])[] = [
      ['as a bearer token', { authorization: `Bearer ${token}` }],
      ['without a proof', bound],
      ['with a proof by the thief’s own key', { ...bound, dpop: await proofFor(thief, url, token) }],
    ];
    for (const [how, headers] of attempts) {
      report.tried(`the token ${how}`);
      const answer = await post(url, ME, headers);
      expect(answer.status === 401 && answer.data === undefined, `it is refused ${how}`);
    }
    report.stopped('the gateway: there is no proof, or its key is not the token’s (cnf.jkt)');
  },
};
