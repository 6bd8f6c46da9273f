import type { Delegation } from '@behalf/directives';
import fc from 'fast-check';
import { decodeJwt } from 'jose';
import { expect, it } from 'vitest';
import { SigningKeys } from '../../gateway/propagate/signing-keys.js';
import { mintTxnToken } from '../../gateway/propagate/txn-token.js';

const words = fc.subarray(['a', 'b', 'c', 'd']);

it('a transaction token never exceeds the delegation or the subgraph’s rules', async () => {
  const keys = await SigningKeys.create();
  fc.assert(
    fc.property(
      words,
      words,
      words,
      words,
      fc.integer({ min: -5, max: 40 }),
      (held, asked, policies, purposes, left) => {
        const notAfter = Math.floor(Date.now() / 1000) + left;
        const delegation: Delegation = {
          subject: 's',
          clientId: 'c',
          scopes: new Set(held),
          policies: new Set(policies),
          roles: purposes,
          consent: { id: 'k', version: 1, purposes, detail: 'full' },
        };
        const all = new Set(asked);
        const vocabulary = {
          scopes: all,
          policies: all,
          purposes: all,
          roles: all,
          isKeyedByPurposes: false,
        };
        const token = mintTxnToken(
          keys,
          { issuer: 'g' },
          { delegation, transactionId: 't', audience: 'one', vocabulary, notAfter },
        );
        const claims = decodeJwt<{
          scope: string;
          tctx: { policies?: string[]; roles?: string[]; consent: { purposes: string[] } };
        }>(token);
        expect(claims.exp).toBeLessThanOrEqual(notAfter);
        expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBeLessThanOrEqual(15);
        const within = (said: readonly string[], owned: readonly string[]): void =>
          expect(said.every((word) => owned.includes(word) && asked.includes(word))).toBe(true);
        within(
          claims.scope.split(' ').filter((word) => word !== ''),
          held,
        );
        within(claims.tctx.policies ?? [], policies);
        within(claims.tctx.roles ?? [], purposes);
        within(claims.tctx.consent.purposes, purposes);
      },
    ),
    { numRuns: 500 },
  );
});
