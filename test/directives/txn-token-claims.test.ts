import { protectedContext } from '@behalf/directives';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { expect, it, vi } from 'vitest';
import { testedSubgraph } from './support.js';

const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true });
const key = { ...(await exportJWK(publicKey)), kid: 'mine', alg: 'EdDSA' };
const onRefusedToken = vi.fn();
const subgraph = testedSubgraph(
  'type Query { ok: Int @public }',
  {},
  {
    gateway: { issuer: 'https://gateway.example', keys: [key] },
    onRefusedToken,
  },
);
const claims = decodeJwt(await subgraph.token({}));

async function refusalOf(payload: Record<string, unknown>): Promise<unknown> {
  onRefusedToken.mockClear();
  const token = await new SignJWT(payload)
    .setProtectedHeader({ alg: 'EdDSA', typ: 'txntoken+jwt', kid: 'mine' })
    .sign(privateKey);
  await protectedContext(subgraph.schema, { 'txn-token': token });
  return onRefusedToken.mock.calls[0]?.[0];
}

it('a transaction token with every claim is accepted', async () => {
  expect(await refusalOf(claims)).toBeUndefined();
});

it.each(['iss', 'aud', 'iat', 'exp', 'txn', 'sub', 'scope', 'tctx', 'rctx'])(
  'a transaction token without %s is refused (draft-ietf-oauth-transaction-tokens section 8)',
  async (name) => {
    expect(await refusalOf({ ...claims, [name]: undefined })).toBe('TXN_TOKEN_CLAIM');
  },
);
