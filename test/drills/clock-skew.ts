import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { randomUUID } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, importJWK, SignJWT } from 'jose';
import { BUDGET_SCOPES, discover, expect, ME, post, signIn, until } from './drill.js';
import type { Answer, Drill } from './drill.js';
import type { DrillSystem } from './system.js';
import { projectPath } from '@behalf/example/internal';

const MINUTE_MS = 60_000;

/** To a clock that is behind, an expired token looks alive. */
export const clockSkew: Drill = {
  name: 'clock-skew',
  breach: 'One gateway’s clock is wrong: what has expired looks alive to it, or what is new looks old.',
  async run(system, report) {
    const { access_token: token } = await signIn(await discover(system), 'alma', BUDGET_SCOPES);
    const expired = await expiredToken(system, token);
    await withGateway(system, -3_000, async (ask) => {
      await until(async () => (await ask(token)).status === 200, 'a gateway 3 s behind serves');
      expect((await ask(expired)).status === 401, 'what has expired is refused there');
    });
    report.held('three seconds are within the tolerance: the gateway serves, and refuses what has expired');

    await withGateway(system, -10 * MINUTE_MS, async (ask, health) => {
      report.tried('a token that expired five minutes ago, at a gateway whose clock is ten minutes behind');
      // Long enough for the gateway to receive everything from the authority.
      await until(async () => (await health()) === 503, 'it says that it cannot serve');
      for (let n = 0; n < 20; n += 1) expect((await ask(expired)).status !== 200, 'it is not served');
      expect((await ask(expired)).codes.includes('REVOCATION_STATE_STALE'), 'nobody is');
    });
    report.stopped(
      'it compares its clock with the authority’s, and permits nothing while they differ (CLOCK_SKEW)',
    );

    await withGateway(system, 10 * MINUTE_MS, async (ask) => {
      report.tried('a token of a moment ago, at a gateway whose clock is ten minutes ahead');
      for (let n = 0; n < 20; n += 1) expect((await ask(token)).status !== 200, 'it is not served');
    });
    report.stopped('it refuses: wrong in the direction that gives nothing away');
  },
};

/** A token that an attacker kept: signed by the authority fifteen minutes ago, expired for five. */
async function expiredToken(system: DrillSystem, living: string): Promise<string> {
  const { kid = '' } = decodeProtectedHeader(living);
  const nowSeconds = Math.floor(Date.now() / 1000);
  const claims = { ...decodeJwt(living), jti: randomUUID(), iat: nowSeconds - 900, exp: nowSeconds - 300 };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid })
    .sign(await importJWK(await system.leakedKey(kid), 'ES256'));
}

/** Another gateway of the same federation, in a process whose clock is wrong. */
async function withGateway(
  system: DrillSystem,
  skewMs: number,
  work: (ask: (token: string) => Promise<Answer>, health: () => Promise<number>) => Promise<void>,
): Promise<void> {
  const config = { ...system.gatewayConfig, listen: { host: '127.0.0.1', port: 0 } };
  const child = spawn(process.execPath, [projectPath('test/dist/drills/skewed-gateway.js')], {
    env: { ...process.env, SKEW_MS: String(skewMs), GATEWAY_CONFIG: JSON.stringify(config) },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'exit');
  try {
    const [url] = (await Promise.race([
      once(createInterface({ input: child.stdout }), 'line'),
      ended.then(() => [undefined]),
    ])) as [string | undefined];
    expect(url !== undefined, 'the other gateway starts');
    await work(
      (token) => post(`${url}/graphql`, ME, { authorization: `Bearer ${token}` }),
      async () => (await fetch(`${url}/health`)).status,
    );
  } finally {
    child.kill();
    await ended;
  }
}
