import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { DpopProofs } from '../../gateway/authenticate/dpop/proof.js';
import { MemoryProofReplayStore } from '../../gateway/proof-replay/index.js';
import { ManualClock } from '../support/manual-clock.js';
import { Prover } from './dpop.js';

const TARGET = 'https://api.bank.example/graphql';
const TOKEN = 'an-access-token';
const CLOCK_TOLERANCE_SECONDS = 5;
/** Allows for clock differences between gateways with a shared store; forgetting sooner would let a proof be reused. */
const CLOCK_MARGIN_SECONDS = 30;
const START_MS = 1_800_000_000_000;

let prover: Prover;
beforeAll(async () => {
  prover = await Prover.create();
});

/** A gateway's proofs and memory on one clock; the memory began long before. */
async function gateway(proofLifetimeSeconds: number, beginMs = START_MS) {
  const clock = new ManualClock({ startMs: START_MS - 3_600_000 });
  const replay = new MemoryProofReplayStore({ clock });
  const at = (ms: number): Promise<void> => clock.advance(ms - clock.now());
  await at(beginMs);
  const algorithms = ['ES256'];
  const proofs = new DpopProofs({ algorithms, proofLifetimeSeconds, nonces: undefined, replay, clock });
  const prove = (iat: number): Promise<string> => prover.prove(TARGET, TOKEN, { claims: { iat } });
  const outcome = async (proof: string): Promise<string> => {
    const tokenDigest = createHash('sha256').update(TOKEN).digest('base64url');
    const request = { method: 'POST', url: TARGET, tokenDigest, thumbprint: prover.jkt };
    try {
      await proofs.verify([proof], request);
      return 'accepted';
    } catch (error) {
      return (error as { refusal: { reason: string } }).refusal.reason;
    }
  };
  return { prove, outcome, replay, at };
}

const START_SECONDS = START_MS / 1000;

describe('RFC 9449 section 11.1: a used proof', () => {
  it('is remembered for as long as it could be accepted (property)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 300 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (lifetimeSeconds, firstAt, againAt) => {
          // Two uses at any times within the window, in order.
          const windowMs = (lifetimeSeconds + CLOCK_TOLERANCE_SECONDS) * 1000;
          const beginMs = START_MS - CLOCK_TOLERANCE_SECONDS * 1000;
          const { prove, outcome, at } = await gateway(lifetimeSeconds, beginMs);
          const proof = await prove(START_SECONDS);
          const [first = 0, again = 0] = [firstAt, againAt].sort((a, b) => a - b);
          await at(beginMs + Math.floor(first * windowMs));
          expect(await outcome(proof)).toBe('accepted');
          await at(beginMs + Math.floor(again * windowMs));
          expect(await outcome(proof)).toBe('PROOF_REPLAYED');
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each([1, 60, 300])(
    'with a lifetime of %i s is refused as replayed, then as old, never accepted',
    async (lifetime) => {
      const { prove, outcome, at } = await gateway(lifetime);
      const proof = await prove(START_SECONDS + CLOCK_TOLERANCE_SECONDS);
      expect(await outcome(proof)).toBe('accepted');
      const endMs = START_MS + (CLOCK_TOLERANCE_SECONDS + lifetime) * 1000;
      for (const atMs of [START_MS + 1_001, endMs - 1, endMs]) {
        await at(atMs);
        expect(await outcome(proof)).toBe('PROOF_REPLAYED');
      }
      await at(endMs + 1);
      expect(await outcome(proof)).toBe('PROOF_OLD');
    },
  );

  it('is kept longer by the largest difference between gateways’ clocks', async () => {
    const { prove, outcome, replay, at } = await gateway(60);
    expect(await outcome(await prove(START_SECONDS))).toBe('accepted');
    const keptMs = (60 + CLOCK_TOLERANCE_SECONDS + CLOCK_MARGIN_SECONDS) * 1000;
    await at(START_MS + keptMs - 1);
    await replay.claim('another', 1);
    expect(replay.size).toBe(2);
    await at(START_MS + keptMs);
    await replay.claim('a third', 1);
    expect(replay.size).toBe(2);
  });

  it.each([
    ['5 s ahead of the gateway', 5, 'accepted'],
    ['more than 5 s ahead', 5.001, 'PROOF_IN_FUTURE'],
    ['at the maximum age', -60, 'accepted'],
    ['beyond the maximum age', -60.001, 'PROOF_OLD'],
    ['before the memory began', -3_601, 'PROOF_OLD'],
  ])('made %s is judged to the second', async (_name, offsetSeconds, expected) => {
    const { prove, outcome } = await gateway(60);
    expect(await outcome(await prove(START_SECONDS + offsetSeconds))).toBe(expected);
  });
});
