import { ask, BUDGET_SCOPES, discover, expect, signIn, until } from './drill.js';
import type { Drill } from './drill.js';
import { MAX_STALENESS_MS } from './system.js';
import { pause } from '../support/wait.js';

/** The authority is down, for a restart or for longer. */
export const authorityDown: Drill = {
  name: 'authority-down',
  breach: 'The authority is stopped, as for an upgrade, and comes back; then it stays away.',
  async run(system, report) {
    const client = await discover(system);
    const { access_token: token } = await signIn(client, 'alma', BUDGET_SCOPES);
    // A gateway cannot fetch keys that it has never seen while their issuer is down.
    expect((await ask(system, token)).status === 200, 'the token is served');
    await system.stopAuthority();
    try {
      report.tried(`reading on while it is away for less than the bound of ${MAX_STALENESS_MS} ms`);
      const endsAt = performance.now() + MAX_STALENESS_MS / 3;
      let served = 0;
      while (performance.now() < endsAt) {
        expect((await ask(system, token)).status === 200, 'no request fails');
        served += 1;
        await pause();
      }
      report.held(`${served} requests were served without it, none failed`);
    } finally {
      await system.startAuthority();
    }
    await until(
      async () => system.gateway.gateway.health().revocation === 'fresh',
      'the gateway receives its events',
    );
    await system.stopAuthority();
    try {
      report.tried('reading on for longer than the bound');
      await until(async () => (await ask(system, token)).status === 503, 'the gateway refuses');
      report.stopped(
        'what was revoked meanwhile is not known, so nothing is permitted (503 REVOCATION_STATE_STALE)',
      );
    } finally {
      await system.startAuthority();
    }
    await until(async () => (await ask(system, token)).status === 200, 'the gateway recovers');
    report.held('requests are served again once the authority is back');
  },
};
