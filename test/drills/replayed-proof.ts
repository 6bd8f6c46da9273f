import * as oauth from 'openid-client';
import { BUDGET_SCOPES, discover, expect, ME, post, signIn } from './drill.js';
import type { Drill } from './drill.js';
import { proofFor } from './proof.js';

/** An attacker has recorded a whole request. */
export const replayedProof: Drill = {
  name: 'replayed-proof',
  breach: 'An attacker sees a whole request of the application and sends its token and proof again.',
  async run(system, report) {
    const client = await discover(system);
    const keys = await oauth.randomDPoPKeyPair('ES256');
    const DPoP = oauth.getDPoPHandle(client, keys);
    const { access_token: token } = await signIn(client, 'alma', BUDGET_SCOPES, { DPoP });
    const url = `${system.gatewayUrl}/graphql`;
    const seen = { authorization: `DPoP ${token}`, dpop: await proofFor(keys, url, token) };
    expect((await post(url, ME, seen)).status === 200, 'the application’s own request is answered');
    report.tried('the same request a second time');
    expect((await post(url, ME, seen)).status === 401, 'it is refused');
    report.tried('another operation with its token and proof');
    expect((await post(url, '{ myAccounts { iban } }', seen)).status === 401, 'it is refused');
    report.stopped('the gateway remembers each proof (jti) for as long as it could be used');
    report.tried('a proof for another address');
    const elsewhere = await proofFor(keys, 'https://other.example/graphql', token);
    expect((await post(url, ME, { ...seen, dpop: elsewhere })).status === 401, 'it is refused');
    report.stopped('the proof names method and address (htm, htu)');
  },
};
