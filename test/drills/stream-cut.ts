import { ask, BUDGET_SCOPES, discover, expect, signIn, until } from './drill.js';
import type { Drill } from './drill.js';
import { MAX_STALENESS_MS } from './system.js';

/** An attacker who can cut the stream keeps revocations from arriving. */
export const streamCut: Drill = {
  name: 'stream-cut',
  breach: 'An attacker cuts the revocation stream between authority and gateway.',
  async run(system, report) {
    const client = await discover(system);
    const { access_token: token } = await signIn(client, 'alma', BUDGET_SCOPES);
    expect((await ask(system, token)).status === 200, 'the token works at first');
    system.front.let('no-stream');
    try {
      report.tried('going on as if nothing had been revoked');
      expect((await ask(system, token)).status === 200, 'a short cut is not noticed');
      report.held(`requests are served for up to ${MAX_STALENESS_MS} ms without news`);
      const waitedMs = await until(async () => {
        const { status, codes } = await ask(system, token);
        return status === 503 && codes.includes('REVOCATION_STATE_STALE');
      }, 'the gateway refuses');
      report.stopped(
        `after ${(waitedMs / 1000).toFixed(1)} s the gateway refuses every token (503 REVOCATION_STATE_STALE)`,
      );
      const health = await fetch(`${system.gatewayUrl}/health`);
      expect(health.status === 503, 'its health says so to the load balancer');
    } finally {
      system.front.let('all');
    }
    const recoveredMs = await until(
      async () => (await ask(system, token)).status === 200,
      'the gateway recovers',
    );
    report.held(
      `it serves again ${(recoveredMs / 1000).toFixed(1)} s after the stream is back, with all that was missed`,
    );
  },
};
