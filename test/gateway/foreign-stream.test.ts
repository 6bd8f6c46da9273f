import { SignJWT } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { checkConfig } from '../../gateway/index.js';
import type { ForeignStreamOptions } from '../../revocation/index.js';
import {
  AUDIENCE,
  bodyOf,
  Cleanup,
  compose,
  listen,
  makeKey,
  sendJson,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
  until,
} from './support.js';
import type { IssuerKey, Listening } from './support.js';
import { pause } from '../support/wait.js';

const CAEP = 'https://schemas.openid.net/secevent/caep/event-type';
const SECRET = 'credential-of-the-receiver';
const RECEIVER = 'https://gateway.example/receiver';

/**
 * A third-party transmitter: no configuration endpoint in its metadata, streams created in its console, events signed with
 * RS256 and simple subjects, no knowledge of Behalf.
 */
class ForeignTransmitter {
  readonly queue = new Map<string, string>();
  readonly polls: { readonly authorization: string | undefined; readonly body: Record<string, unknown> }[] =
    [];
  #waiting: (() => void)[] = [];

  readonly #issuer: string;
  readonly #key: IssuerKey;
  readonly #listening: Listening;

  private constructor(issuer: string, key: IssuerKey, listening: Listening) {
    this.#issuer = issuer;
    this.#key = key;
    this.#listening = listening;
  }

  static async start(cleanup: Cleanup, issuer: string): Promise<ForeignTransmitter> {
    const key = await makeKey('RS256');
    const listening = await listen(async (request, response) => {
      const text = await bodyOf(request);
      if (request.url === '/signals/keys.json') sendJson(response, 200, { keys: [key.publicJwk] });
      else if (request.url === '/signals/config') {
        sendJson(response, 200, {
          issuer,
          jwks_uri: `${listening.url}/signals/keys.json`,
          delivery_methods_supported: ['https://schemas.openid.net/secevent/risc/delivery-method/poll'],
        });
      } else if (request.method === 'POST' && request.url === '/signals/inbox?receiver=7') {
        sendJson(response, 200, await transmitter.#poll(text, request.headers.authorization));
      } else sendJson(response, 404, {});
    });
    const transmitter = new ForeignTransmitter(issuer, key, listening);
    cleanup.add(() => listening.close());
    return transmitter;
  }

  get url(): string {
    return this.#listening.url;
  }

  get options(): ForeignStreamOptions {
    return { deliveryEndpoint: `${this.url}/signals/inbox?receiver=7`, audience: RECEIVER };
  }

  async #poll(text: string, authorization: string | undefined): Promise<object> {
    const body = JSON.parse(text) as Record<string, unknown>;
    this.polls.push({ authorization, body });
    for (const jti of (body.ack as string[] | undefined) ?? []) this.queue.delete(jti);
    if (this.queue.size === 0 && body.returnImmediately !== true) {
      const announced = new Promise<void>((resolve) => void this.#waiting.push(resolve));
      await Promise.race([announced, pause()]);
    }
    return { sets: Object.fromEntries(this.queue) };
  }

  async announce(
    event: string,
    members: Record<string, unknown>,
    claims: Record<string, unknown> = {},
  ): Promise<void> {
    const jti = crypto.randomUUID();
    const set = await new SignJWT({ jti, events: { [`${CAEP}/${event}`]: members }, ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: this.#key.kid, typ: 'secevent+jwt' })
      .setIssuer(this.#issuer)
      .setAudience(RECEIVER)
      .setIssuedAt()
      .sign(this.#key.privateKey);
    this.queue.set(jti, set);
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

describe('a stream of another issuer', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  async function start(more: Partial<ForeignStreamOptions> = {}) {
    const issuer = await TestIssuer.start('RS256');
    const people = await TestSubgraph.start('people');
    for (const each of [issuer, people]) cleanup.add(() => each.close());
    const transmitter = await ForeignTransmitter.start(cleanup, issuer.url);
    const gateway = await startTestGateway(cleanup, compose(people), {
      issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
      authorization: { anonymous: 'refuse' },
      revocation: {
        streams: [
          {
            issuer: issuer.url,
            configurationUri: `${transmitter.url}/signals/config`,
            secret: SECRET,
            foreign: { ...transmitter.options, ...more },
          },
        ],
        maxStalenessMs: 2_500,
      },
    });
    const status = async (token: string): Promise<number> =>
      (await gateway.ask('{ hello }', { token })).status;
    const isFresh = (): boolean => gateway.running.gateway.health().revocation === 'fresh';
    await until(isFresh, 'the view is fresh');
    return { issuer, transmitter, gateway, status, isFresh };
  }

  type Announcing = (transmitter: ForeignTransmitter, issuer: string) => Promise<void>;

  it.each<[string, Announcing, Partial<ForeignStreamOptions>?]>([
    [
      'session-revoked of a simple subject (iss_sub)',
      (transmitter, iss) =>
        transmitter.announce('session-revoked', {}, { sub_id: { format: 'iss_sub', iss, sub: 'ana' } }),
    ],
    [
      'session-revoked of a simple subject (opaque)',
      (transmitter) =>
        transmitter.announce('session-revoked', {}, { sub_id: { format: 'opaque', id: 'ana' } }),
    ],
    [
      'credential-change, with its subject within the event, as in the first drafts',
      (transmitter, iss) =>
        transmitter.announce('credential-change', {
          subject: { format: 'iss_sub', iss, sub: 'ana' },
          credential_type: 'password',
          change_type: 'update',
          event_timestamp: Date.now(),
        }),
    ],
    [
      'token-claims-change of a complex subject, with a device that nothing is known of',
      (transmitter, iss) =>
        transmitter.announce(
          'token-claims-change',
          { claims: { role: 'ro-admin' }, event_timestamp: Math.floor(Date.now() / 1000) },
          {
            sub_id: {
              format: 'complex',
              user: { format: 'iss_sub', iss, sub: 'ana' },
              device: { format: 'opaque', id: 'd-7' },
            },
          },
        ),
    ],
    [
      'session-revoked of an email address that is the subject',
      (transmitter) =>
        transmitter.announce('session-revoked', {}, { sub_id: { format: 'email', email: 'ana' } }),
      { emailIsSubject: true },
    ],
  ])('ends tokens by %s', async (_name, announce, more) => {
    const { issuer, transmitter, status } = await start(more);
    const token = await issuer.mint({ sub: 'ana' });
    const other = await issuer.mint({ sub: 'ben' });
    expect(await status(token)).toBe(200);
    await announce(transmitter, issuer.url);
    await until(async () => (await status(token)) === 401, 'the token is refused');
    expect(await status(other)).toBe(200);
    await until(() => transmitter.queue.size === 0, 'the event is acknowledged');
    expect(transmitter.polls.every(({ authorization }) => authorization === `Bearer ${SECRET}`)).toBe(true);
    // A token issued after the event stays valid.
    const later = await issuer.mint({ sub: 'ana', iat: Math.floor(Date.now() / 1000) + 2 });
    expect(await status(later)).toBe(200);
  });

  it('ends one token by its identifier, and a session’s by its name', async () => {
    const { issuer, transmitter, status } = await start();
    const token = await issuer.mint({ sub: 'ana', jti: 'token-1' });
    const ofSession = await issuer.mint({ sub: 'ana', sid: 'session-1' });
    const other = await issuer.mint({ sub: 'ana', sid: 'session-2' });
    await transmitter.announce(
      'session-revoked',
      {},
      { sub_id: { format: 'jwt_id', iss: issuer.url, jti: 'token-1' } },
    );
    const sub_id = { format: 'complex', session: { format: 'opaque', id: 'session-1' } };
    await transmitter.announce('session-revoked', {}, { sub_id });
    await until(async () => (await status(token)) === 401, 'the token is refused');
    await until(async () => (await status(ofSession)) === 401, 'the token of the session is refused');
    expect(await status(other)).toBe(200);
  });

  it('ends the tokens of a client mapped from an application', async () => {
    const { issuer, transmitter, status } = await start();
    const token = await issuer.mint({ client_id: 'rogue' });
    const sub_id = { format: 'complex', application: { format: 'opaque', id: 'rogue' } };
    await transmitter.announce('session-revoked', {}, { sub_id });
    await until(async () => (await status(token)) === 401, 'the token is refused');
    expect(await status(await issuer.mint())).toBe(200);
  });

  it.each<[string, Record<string, unknown>]>([
    ['of an email address that is not a subject', { format: 'email', email: 'ana@example.com' }],
    ['of another issuer’s person', { format: 'iss_sub', iss: 'https://other.example', sub: 'ana' }],
    ['of another issuer’s token', { format: 'jwt_id', iss: 'https://other.example', jti: 'j' }],
    ['of a tenant alone', { format: 'complex', tenant: { format: 'opaque', id: 't' } }],
    ['of an unknown format', { format: 'phone_number', phone_number: '+1' }],
  ])('an event %s makes the view stale, so nothing is permitted', async (_name, sub_id) => {
    const { issuer, transmitter, status, isFresh, gateway } = await start();
    const token = await issuer.mint({ sub: 'ben' });
    expect(await status(token)).toBe(200);
    await transmitter.announce('session-revoked', {}, { sub_id });
    await until(() => !isFresh(), 'it is stale');
    expect(await status(token)).toBe(503);
    expect(transmitter.queue.size).toBe(1);
    expect(gateway.log.of('REVOCATION_STREAM_BROKEN')).toContainEqual({
      issuer: issuer.url,
      reason: 'EVENT_UNREADABLE',
    });
  });

  it('skips an event that the configuration ignores', async () => {
    const { issuer, transmitter, status, isFresh } = await start({ events: ['session-revoked'] });
    const token = await issuer.mint({ sub: 'ana' });
    await transmitter.announce(
      'credential-change',
      {},
      { sub_id: { format: 'phone_number', phone_number: '+1' } },
    );
    await until(() => transmitter.queue.size === 0, 'the event is acknowledged');
    expect(isFresh()).toBe(true);
    expect(await status(token)).toBe(200);
  });

  it('ends nothing for an added credential', async () => {
    const { issuer, transmitter, status } = await start();
    const token = await issuer.mint({ sub: 'ana' });
    const sub_id = { format: 'opaque', id: 'ana' };
    await transmitter.announce(
      'credential-change',
      { change_type: 'create', credential_type: 'fido2-roaming' },
      { sub_id },
    );
    await until(() => transmitter.queue.size === 0, 'the event is acknowledged');
    expect(await status(token)).toBe(200);
  });

  it('is polled over https only', () => {
    const config = (foreign: Partial<ForeignStreamOptions>) => ({
      supergraph: './s.graphql',
      issuers: [{ issuer: 'https://issuer.example', audience: AUDIENCE }],
      revocation: { streams: [{ issuer: 'https://issuer.example', secret: SECRET, foreign }] },
      audit: { mode: 'off' },
    });
    const good = { deliveryEndpoint: 'https://signals.example/7', audience: RECEIVER };
    expect(() => checkConfig(config(good))).not.toThrow();
    for (const bad of [
      { ...good, deliveryEndpoint: 'http://signals.example/7' },
      { ...good, jwksUri: 'http://signals.example/keys' },
      { deliveryEndpoint: good.deliveryEndpoint },
      { ...good, events: ['account-purged'] },
    ]) {
      expect(() => checkConfig(config(bad as Partial<ForeignStreamOptions>))).toThrow(
        'revocation.streams[0].foreign',
      );
    }
  });
});
