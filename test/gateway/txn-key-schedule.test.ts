import { decodeProtectedHeader } from 'jose';
import { afterEach, expect, it } from 'vitest';
import { checkConfig, silentLog } from '../../gateway/index.js';
import { TxnTokenService } from '../../gateway/propagate/txn-token-service.js';
import { ManualClock } from '../support/manual-clock.js';
import {
  AUDIENCE,
  Cleanup,
  compose,
  freePort,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
  until,
} from './support.js';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

it('transaction token keys rotate without a refused request', async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const issuer = await TestIssuer.start();
  const clock = ManualClock.running();
  const trust = { issuer: url, jwksUri: `${url}/.well-known/jwks.json` };
  const people = await TestSubgraph.start('people', trust, undefined, { clock });
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  const gateway = await startTestGateway(cleanup, compose(people), {
    listen: { port },
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
  });
  const token = await issuer.mint({ scope: 'name' });
  const kids = new Set<string | undefined>();
  while (kids.size < 3) {
    const answer = await gateway.ask('{ me { name } }', { token });
    expect(answer.body).toEqual({ data: { me: { name: 'Name of c-000001' } } });
    kids.add(decodeProtectedHeader(String(people.requests.at(-1)?.headers['txn-token'])).kid);
    await gateway.running.gateway.rotateKeys();
    // A subgraph fetches an unknown key at most once a second.
    await clock.advance(1_100);
  }
});

it('transaction token keys rotate by schedule', async () => {
  const clock = new ManualClock();
  const service = new TxnTokenService({
    propagation: {
      issuer: 'https://gateway.example',
      tokenLifetimeSeconds: 15,
      bind: 'none',
      key: undefined,
      rotateKeysAfterSeconds: 900,
      passOn: undefined,
    },
    subgraphs: {},
    log: silentLog,
    clock,
  });
  cleanup.add(async () => service.stop());
  await service.start();
  const published = async () => (await service.jwks()).keys.map(({ kid }) => kid);
  for (let rotation = 0; rotation < 3; rotation += 1) {
    const before = await published();
    const [, next] = before;
    await clock.advance(899_999);
    expect(await published()).toEqual(before);
    await clock.advance(1);
    await until(async () => (await published())[0] === next, 'the next key signs');
  }
});

it('a schedule for a key file is a contradiction', () => {
  const config = {
    supergraph: './s.graphql',
    issuers: [{ issuer: 'https://issuer.example', audience: AUDIENCE }],
    propagation: { keyFile: './key.json', rotateKeysAfterSeconds: 900 },
    audit: { mode: 'off' },
  };
  expect(() => checkConfig(config)).toThrow('propagation.rotateKeysAfterSeconds: contradicts');
  expect(() => checkConfig({ ...config, propagation: { rotateKeysAfterSeconds: 60 } })).toThrow(
    'propagation.rotateKeysAfterSeconds',
  );
});
