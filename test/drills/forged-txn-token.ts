import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { expect, ME, post } from './drill.js';
import type { Drill } from './drill.js';

/** An attacker inside the network forges a transaction token. */
export const forgedTxnToken: Drill = {
  name: 'forged-txn-token',
  breach: 'An attacker reaches the customers subgraph and signs a transaction token with a key of their own.',
  async run(system, report) {
    const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true });
    const response = await fetch(`${system.gatewayUrl}/.well-known/jwks.json`);
    const { keys } = (await response.json()) as { keys: { kid: string }[] };
    const kid = keys[0]?.kid ?? '';
    const claims = {
      txn: randomUUID(),
      scope: 'profile:read profile:contact profile:identity',
      req_wl: system.gatewayUrl,
      tctx: { consent: { id: 'made-up', version: 1, purposes: ['budgeting'], detail: 'full' } },
      rctx: { client_id: 'budget-app' },
      iss: system.gatewayUrl,
      aud: 'customers',
      sub: 'c-000001',
      iat: Math.floor(Date.now() / 1000),
      exp: Math.floor(Date.now() / 1000) + 15,
    };
    const sign = (header: Record<string, unknown>) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'EdDSA', typ: 'txntoken+jwt', ...header })
        .sign(privateKey);
    const forgeries: readonly (readonly [string, string])[] = [
      ['under the gateway’s key id', await sign({ kid })],
      ['with its own key in the header', await sign({ kid: 'mine', jwk: await exportJWK(publicKey) })],
      ['without a signature', new UnsecuredJWT(claims).encode()],
    ];
    for (const [how, token] of forgeries) {
      report.tried(`a token ${how}, for Alma with every scope`);
      const answer = await post(system.subgraphUrls.customers, ME, { 'txn-token': token });
      expect(answer.data?.me === null, 'the subgraph gave nothing away');
      expect(answer.codes.includes('UNAUTHORIZED_FIELD_OR_TYPE'), 'the caller was denied');
    }
    report.stopped(
      'the subgraph verifies the signature with the keys of the gateway’s JWKS and no others (RFC 8725)',
    );
  },
};
