import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  authorizationRequest,
  discover,
  exchange,
  startTestAuthority,
  STREAM_SECRET,
} from '../authority/setup.js';
import type { TestAuthority } from '../authority/setup.js';
import { signInAndConsent } from '../support/person.js';
import {
  AUDIENCE,
  Cleanup,
  codes,
  compose,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
  until,
} from './support.js';
import { ofConsent, Transmitter } from '../revocation/transmitter.js';

describe('the gateway', () => {
  const cleanup = new Cleanup();
  afterAll(() => cleanup.run());
  let people: TestSubgraph;
  let supergraph: string;

  beforeAll(async () => {
    people = await TestSubgraph.start('people');
    cleanup.add(() => people.close());
    supergraph = compose(people);
  });

  it('permits nothing before its view is fresh, tolerates a pause, and recovers', async () => {
    const transmitter = await Transmitter.start();
    const issuer = await TestIssuer.start();
    cleanup.add(() => issuer.close());
    const port = Number(new URL(transmitter.url).port);
    transmitter.mode = 'error';
    const iss = transmitter.url;
    const gateway = await startTestGateway(cleanup, supergraph, {
      issuers: [
        { issuer: iss, audience: AUDIENCE, jwksUri: `${issuer.url}/jwks` },
        { issuer: issuer.url, audience: AUDIENCE, namespace: 'other' },
      ],
      revocation: { streams: [{ issuer: iss, secret: 's' }], maxStalenessMs: 1_000 },
    });
    const consent = { id: 'x', version: 1, purposes: [], detail: 'full' };
    const mint = (id: string) => issuer.mint({ iss, scope: 'name', consent: { ...consent, id } });
    const [good, bad] = [await mint('good'), await mint('bad')];
    const read = async (asked: string) => {
      people.requests.length = 0;
      const answer = await gateway.ask('{ me { name } }', { token: asked });
      if (answer.status !== 200) expect(people.requests).toEqual([]);
      return answer;
    };
    const stale = await read(good);
    expect(stale.status).toBe(503);
    expect(codes(stale)).toEqual(['REVOCATION_STATE_STALE']);
    expect(stale.headers['retry-after']).toBe('1');
    expect(gateway.running.gateway.health().revocation).toBe('stale');
    // Anonymous callers have nothing to revoke, and the silent issuer announces nothing.
    expect((await gateway.ask('{ hello }')).status).toBe(200);
    expect((await read(await issuer.mint({ scope: 'name' }))).status).toBe(200);

    transmitter.mode = 'up';
    await until(async () => (await read(good)).status === 200, 'the token is accepted');
    expect((await read(bad)).status).toBe(200);
    await transmitter.announce(ofConsent('bad'));
    await until(async () => (await read(bad)).status === 401, 'the token is refused');
    expect(codes(await read(bad))).toEqual(['INVALID_TOKEN']);
    expect((await read(good)).status).toBe(200);

    await transmitter.close();
    expect((await read(good)).status).toBe(200);
    await until(async () => (await read(good)).status === 503, 'the view is stale');
    expect(codes(await read(bad))).toEqual(['REVOCATION_STATE_STALE']);
    await transmitter.listen(port);
    cleanup.add(() => transmitter.close());
    await until(async () => (await read(good)).status === 200, 'the gateway recovered');
    expect((await read(bad)).status).toBe(401);
  });

  it('refuses a token that outlives the memory of its revocation', async () => {
    const transmitter = await Transmitter.start();
    cleanup.add(() => transmitter.close());
    const issuer = await TestIssuer.start();
    cleanup.add(() => issuer.close());
    const iss = transmitter.url;
    const gateway = await startTestGateway(cleanup, supergraph, {
      issuers: [{ issuer: iss, audience: AUDIENCE, jwksUri: `${issuer.url}/jwks` }],
      revocation: { streams: [{ issuer: iss, secret: 's' }], maxTokenLifetimeSeconds: 300 },
    });
    await until(() => gateway.running.gateway.health().revocation === 'fresh', 'the view is fresh');
    const iat = Math.floor(Date.now() / 1000);
    const answer = await gateway.ask('{ hello }', { token: await issuer.mint({ iss, iat, exp: iat + 301 }) });
    expect(codes(answer)).toEqual(['INVALID_TOKEN']);
    expect(gateway.log.of('AUTHENTICATION_FAILED').at(-1)?.reason).toBe('LIFETIME');
    expect(
      (await gateway.ask('{ hello }', { token: await issuer.mint({ iss, iat, exp: iat + 300 }) })).status,
    ).toBe(200);
  });

  describe('with the authority', () => {
    let authority: TestAuthority;
    beforeAll(async () => {
      authority = await startTestAuthority();
    });
    afterAll(() => authority.close());

    it('refuses an unexpired token within a second of its consent’s revocation', async () => {
      const gateway = await startTestGateway(cleanup, supergraph, {
        issuers: [{ issuer: authority.issuer, audience: AUDIENCE }],
        revocation: { streams: [{ issuer: authority.issuer, secret: STREAM_SECRET }] },
      });
      await until(() => gateway.running.gateway.health().revocation === 'fresh', 'the view is fresh');
      const client = await discover(authority);
      const connect = async (user: string): Promise<string> => {
        const request = await authorizationRequest(client, 'accounts:read');
        const { callbackUrl } = await signInAndConsent({
          authorizationUrl: request.url,
          user,
          password: `${user}-demo`,
        });
        return (await exchange(client, callbackUrl, request)).access_token;
      };
      const [alma, noor] = [await connect('alma'), await connect('noor')];
      const read = (asked: string) => gateway.ask('{ mine }', { token: asked });
      for (const each of [alma, noor]) expect((await read(each)).body).toEqual({ data: { mine: 'mine' } });

      const claims = JSON.parse(Buffer.from(alma.split('.')[1] ?? '', 'base64url').toString()) as {
        consent: { id: string };
      };
      await authority.consents.revokeConsent(claims.consent.id, { by: 'c-000001', initiator: 'user' });
      await until(async () => (await read(alma)).status === 401, 'refused');
      people.requests.length = 0;
      const refused = await read(alma);
      expect(codes(refused)).toEqual(['INVALID_TOKEN']);
      expect(people.requests).toEqual([]);
      expect(gateway.log.of('AUTHENTICATION_FAILED').at(-1)?.reason).toBe('REVOKED');
      expect((await read(noor)).status).toBe(200);
    });
  });
});
