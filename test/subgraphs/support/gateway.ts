import { randomUUID } from 'node:crypto';

import type { ConsentClaim, ConsentLevels, GatewayTrust } from '@behalf/directives';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

/** What a transaction token says. */
export interface Caller {
  readonly sub: string;
  readonly scopes: readonly string[];
  readonly purposes?: readonly string[];
  readonly policies?: readonly string[];
  readonly roles?: readonly string[];
  readonly clientId?: string;
  readonly detail?: ConsentClaim['detail'];
  /** Levels of detail in force. */
  readonly levels?: ConsentLevels;
}

/** Mints transaction tokens as the gateway does. */
export interface TestGateway {
  readonly trust: GatewayTrust;
  mint(audience: string, caller: Caller): Promise<string>;
}

const ISSUER = 'https://gateway.test';

export async function createTestGateway(): Promise<TestGateway> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
  const key = { ...(await exportJWK(publicKey)), kid: 'test', alg: 'EdDSA', use: 'sig' };
  return {
    trust: { issuer: ISSUER, keys: [key] },
    mint: async (
      audience,
      { sub, scopes, purposes = ['budgeting'], policies, roles, clientId, detail, levels },
    ) =>
      new SignJWT({
        txn: randomUUID(),
        scope: scopes.join(' '),
        req_wl: ISSUER,
        tctx: {
          consent: {
            id: 'consent-of-test',
            version: 1,
            purposes,
            detail: detail ?? 'full',
            until: Math.floor(Date.now() / 1000) + 3600,
          },
          ...(levels === undefined ? {} : { detail: { levels } }),
          ...(policies === undefined ? {} : { policies }),
          ...(roles === undefined ? {} : { roles }),
        },
        rctx: { client_id: clientId ?? 'budget-app' },
      })
        .setProtectedHeader({ alg: 'EdDSA', typ: 'txntoken+jwt', kid: 'test' })
        .setIssuer(ISSUER)
        .setAudience(audience)
        .setSubject(sub)
        .setIssuedAt()
        .setExpirationTime('15 s')
        .sign(privateKey),
  };
}
