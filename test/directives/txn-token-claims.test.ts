import { createTxnTokenVerifier, isBoundElsewhere, protectedContext } from '@behalf/directives';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { expect, it, vi } from 'vitest';
import { graphqlRequestHash } from '../../directives/src/claims/request-hash.js';
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

function sign(payload: Record<string, unknown>): Promise<string> {
  return new SignJWT(payload)
    .setProtectedHeader({ alg: 'EdDSA', typ: 'txntoken+jwt', kid: 'mine' })
    .sign(privateKey);
}

async function refusalOf(payload: Record<string, unknown>): Promise<unknown> {
  onRefusedToken.mockClear();
  await protectedContext(subgraph.schema, { 'txn-token': await sign(payload) });
  return onRefusedToken.mock.calls[0]?.[0];
}

it('a transaction token with every claim is accepted', async () => {
  expect(await refusalOf(claims)).toBeUndefined();
});

it.each(['iss', 'aud', 'iat', 'exp', 'txn', 'sub', 'scope', 'tctx', 'rctx'])(
  'a transaction token without %s is refused (draft-ietf-oauth-transaction-tokens section 8)',
  async (name) => {
    const code = { iss: 'TXN_TOKEN_ISSUER', aud: 'TXN_TOKEN_AUDIENCE' }[name] ?? 'TXN_TOKEN_CLAIM';
    expect(await refusalOf({ ...claims, [name]: undefined })).toBe(code);
  },
);

it('a transaction token that is bound to a request is good for no other (draft-ietf-oauth-transaction-tokens)', async () => {
  const body = { query: '{ ok }' };
  const signed = await sign({ ...claims, jti: 'j-1', bind: { body: graphqlRequestHash(body) } });
  const bound = await protectedContext(subgraph.schema, { 'txn-token': signed }, body);
  expect(bound.delegation?.subject).toBe('alma');
  expect(isBoundElsewhere(bound, body)).toBe(false);
  expect(isBoundElsewhere(bound, { query: '{ ok ok }' })).toBe(true);
  const free = await protectedContext(subgraph.schema, { 'txn-token': await sign(claims) });
  expect(isBoundElsewhere(free, body)).toBe(false);
});

it.each<[string, string | undefined, string | undefined]>([
  ['whose kid two keys have', 'mine', 'mine'],
  ['without kid, by one of two keys', undefined, 'other'],
  ['without kid, by keys without kid', undefined, undefined],
])('a transaction token %s is verified by either (RFC 7515 appendix D)', async (_what, named, kid) => {
  const pairs = await Promise.all([1, 2].map(() => generateKeyPair('EdDSA', { extractable: true })));
  const keys = await Promise.all(
    pairs.map(async (pair) => ({ ...(await exportJWK(pair.publicKey)), alg: 'EdDSA', ...(kid && { kid }) })),
  );
  const verify = createTxnTokenVerifier(String(claims.aud), { issuer: 'https://gateway.example', keys });
  const refusals = await Promise.all(
    [...pairs, { privateKey }].map(async (pair) => {
      const header = { alg: 'EdDSA', typ: 'txntoken+jwt', ...(named && { kid: named }) };
      const token = await new SignJWT(claims).setProtectedHeader(header).sign(pair.privateKey);
      return (await verify(token)).refusal;
    }),
  );
  expect(refusals).toEqual([undefined, undefined, 'TXN_TOKEN_SIGNATURE']);
});

it('a transaction token without kid is tried with 16 keys at most', async () => {
  const pairs = await Promise.all(
    Array.from({ length: 17 }, () => generateKeyPair('EdDSA', { extractable: true })),
  );
  const keys = await Promise.all(pairs.map((pair) => exportJWK(pair.publicKey)));
  const verify = createTxnTokenVerifier(String(claims.aud), { issuer: 'https://gateway.example', keys });
  const refusalBy = async (index: number): Promise<unknown> => {
    const by = pairs[index]?.privateKey;
    if (by === undefined) throw new Error('no such key');
    const token = new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', typ: 'txntoken+jwt' });
    return (await verify(await token.sign(by))).refusal;
  };
  expect(await refusalBy(15)).toBeUndefined();
  expect(await refusalBy(16)).toBe('TXN_TOKEN_SIGNATURE');
});
