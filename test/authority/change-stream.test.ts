import { createRemoteJWKSet, jwtVerify } from 'jose';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { Consent } from '../../authority/internal.js';
import { AUDIENCE, startTestAuthority, STREAM_SECRET, type TestAuthority } from './setup.js';
import { pause } from '../support/wait.js';
import { consentTerms } from '../support/consent-terms.js';

const SESSION_REVOKED = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked';
const POLL = 'urn:ietf:rfc:8936';
const BY_ADMIN = { by: 'admin-iris', initiator: 'admin' } as const;

interface Poll {
  readonly sets: Record<string, string>;
  readonly moreAvailable: boolean;
}

let authority: TestAuthority;
beforeAll(async () => {
  authority = await startTestAuthority({ longPollMs: 400 });
});
afterAll(() => authority.close());

async function send(
  url: string,
  body: unknown,
  more: { bearer?: string; method?: string } = {},
): Promise<Response> {
  return fetch(url, {
    method: more.method ?? 'POST',
    headers: {
      authorization: `Bearer ${more.bearer ?? secrets.get(url) ?? STREAM_SECRET}`,
      'content-type': 'application/json',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** Streams by their poll address. */
const secrets = new Map<string, string>();

async function createStream(): Promise<{
  id: string;
  endpoint: string;
  secret: string;
  description: Record<string, unknown>;
}> {
  const url = `${authority.issuer}/ssf/streams`;
  const response = await send(url, {
    delivery: { method: POLL },
    events_requested: [SESSION_REVOKED, 'urn:other'],
  });
  expect(response.status).toBe(201);
  const description = (await response.json()) as {
    stream_id: string;
    delivery: { endpoint_url: string };
    behalf_stream_secret: string;
  };
  secrets.set(description.delivery.endpoint_url, description.behalf_stream_secret);
  return {
    id: description.stream_id,
    endpoint: description.delivery.endpoint_url,
    secret: description.behalf_stream_secret,
    description: { ...description },
  };
}

async function poll(
  endpoint: string,
  body: Record<string, unknown> = { returnImmediately: true },
): Promise<Poll> {
  const response = await send(endpoint, body);
  expect(response.status).toBe(200);
  return (await response.json()) as Poll;
}

let subjects = 0;
async function consent(): Promise<Consent> {
  return authority.consents.grant(consentTerms(`person-${++subjects}`));
}

async function revoke(): Promise<{ jti: string; consent: Consent }> {
  const given = await consent();
  const { change } = await authority.consents.revokeConsent(given.id, { ...BY_ADMIN, reason: 'test' });
  return { jti: change?.jti ?? '', consent: given };
}

let stream: Awaited<ReturnType<typeof createStream>>;
beforeEach(async () => {
  stream = await createStream();
  const { sets } = await poll(stream.endpoint, { returnImmediately: true, maxEvents: 1_000 });
  await poll(stream.endpoint, { ack: Object.keys(sets), maxEvents: 0 });
});

describe('an SSF stream', () => {
  it('is found through the metadata', async () => {
    const metadata: unknown = await (await fetch(`${authority.issuer}/.well-known/ssf-configuration`)).json();
    expect(metadata).toMatchObject({
      issuer: authority.issuer,
      jwks_uri: `${authority.issuer}/jwks`,
      delivery_methods_supported: [POLL],
      configuration_endpoint: `${authority.issuer}/ssf/streams`,
    });
    expect(stream.description).toMatchObject({
      iss: authority.issuer,
      aud: AUDIENCE,
      events_delivered: [SESSION_REVOKED],
      delivery: { method: POLL },
    });
  });

  it('can be read and deleted; then it is unknown', async () => {
    const url = `${authority.issuer}/ssf/streams?stream_id=${stream.id}`;
    const bearer = stream.secret;
    expect((await send(url, undefined, { method: 'GET', bearer })).status).toBe(200);
    expect((await send(url, undefined, { method: 'DELETE', bearer })).status).toBe(204);
    // Its secret is then unknown.
    expect((await send(url, undefined, { method: 'GET', bearer })).status).toBe(401);
    expect((await send(stream.endpoint, {})).status).toBe(401);
  });

  it.each(['', 'wrong-secret', `${STREAM_SECRET}x`])('answers 401 to the secret "%s"', async (bearer) => {
    for (const url of [stream.endpoint, `${authority.issuer}/ssf/streams`]) {
      const response = await send(url, {}, { bearer });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toContain('Bearer');
    }
  });

  it.each([
    [400, { maxEvents: -1 }],
    [400, { ack: 'x' }],
    [400, { returnImmediately: 'yes' }],
    [400, []],
    [413, { ack: ['x'.repeat(300_000)] }],
  ])('answers %i to an invalid body', async (status, body) => {
    expect((await send(stream.endpoint, body)).status).toBe(status);
  });

  it('is refused for another delivery method', async () => {
    const body = { delivery: { method: 'urn:ietf:rfc:8935' } };
    expect((await send(`${authority.issuer}/ssf/streams`, body)).status).toBe(400);
  });
});

describe('rfc8936 polling', () => {
  it('delivers a revocation as a SET that verifies against the JWKS', async () => {
    const { consent: ended, jti } = await revoke();
    const { sets, moreAvailable } = await poll(stream.endpoint);
    expect(Object.keys(sets)).toEqual([jti]);
    expect(moreAvailable).toBe(false);
    const keys = createRemoteJWKSet(new URL(`${authority.issuer}/jwks`));
    const { payload } = await jwtVerify(sets[jti] ?? '', keys, {
      issuer: authority.issuer,
      audience: AUDIENCE,
      typ: 'secevent+jwt',
      algorithms: ['ES256'],
    });
    expect(payload).toMatchObject({
      jti,
      sub_id: {
        format: 'complex',
        user: { format: 'iss_sub', iss: authority.issuer, sub: ended.subject },
        application: { format: 'opaque', id: 'budget-app' },
        consent: { format: 'opaque', id: ended.id },
      },
      events: {
        [SESSION_REVOKED]: {
          event_timestamp: payload.iat,
          initiating_entity: 'admin',
          reason_admin: { en: 'test' },
        },
      },
    });
    expect(payload.sub).toBeUndefined();
  });

  it('names only the client or person if all of theirs is revoked', async () => {
    await authority.consents.revokeClient('some-app', BY_ADMIN);
    await authority.consents.revokeSubjectSessions('somebody', BY_ADMIN);
    const { sets } = await poll(stream.endpoint);
    const subjectsOf = Object.values(sets).map((set) => {
      const body = JSON.parse(Buffer.from(set.split('.')[1] ?? '', 'base64url').toString()) as {
        sub_id: object;
      };
      return Object.keys(body.sub_id).sort();
    });
    expect(subjectsOf).toEqual([
      ['application', 'format'],
      ['format', 'user'],
    ]);
  });

  it('redelivers unacknowledged events in order', async () => {
    const jtis = [await revoke(), await revoke(), await revoke(), await revoke()].map(({ jti }) => jti);
    const [first = '', second = '', third = '', fourth = ''] = jtis;
    expect(Object.keys((await poll(stream.endpoint)).sets)).toEqual(jtis);
    const some = await poll(stream.endpoint, {
      returnImmediately: true,
      ack: [second, 'unknown'],
      maxEvents: 2,
    });
    expect(Object.keys(some.sets)).toEqual([first, third]);
    expect(some.moreAvailable).toBe(true);
    const rest = await poll(stream.endpoint, { returnImmediately: true, ack: [first] });
    expect(Object.keys(rest.sets)).toEqual([third, fourth]);
    const errors = { [third]: { err: 'jws', description: 'cannot read it' } };
    const last = await poll(stream.endpoint, { returnImmediately: true, setErrs: errors });
    expect(Object.keys(last.sets)).toEqual([fourth]);
    expect((await poll(stream.endpoint, { returnImmediately: true, ack: [fourth] })).sets).toEqual({});
    const left = await sql`select from authority.stream_ack where stream_id = ${stream.id}`.execute(
      authority.database.db,
    );
    expect(left.rows).toEqual([]);
  });

  it('waits for the next change and is woken by it', async () => {
    const order: string[] = [];
    const waiting = poll(stream.endpoint, {}).then((result) => {
      order.push('delivered');
      return result;
    });
    await pause();
    order.push('revoking');
    const { jti } = await revoke();
    expect(Object.keys((await waiting).sets)).toEqual([jti]);
    expect(order).toEqual(['revoking', 'delivered']);
  });

  it('answers with an empty set when nothing happens', async () => {
    expect(await poll(stream.endpoint, {})).toEqual({ sets: {}, moreAvailable: false });
  });

  it('loses nothing while its notifications are cut off', async () => {
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'behalf-changes' and datname = current_database()`.execute(
      authority.database.db,
    );
    const waiting = poll(stream.endpoint, {});
    const { jti } = await revoke();
    const seen = await waiting;
    const later = Object.keys(seen.sets).length > 0 ? seen : await poll(stream.endpoint);
    expect(Object.keys(later.sets)).toEqual([jti]);
    await expect
      .poll(async () => {
        const { rows } = await sql`select from pg_stat_activity where application_name = 'behalf-changes'
          and datname = current_database()`.execute(authority.database.db);
        return rows.length;
      })
      .toBe(1);
  });

  it('delivers each of fifty concurrent revocations once and in order', async () => {
    const given = await Promise.all(Array.from({ length: 50 }, consent));
    const received: string[] = [];
    const reader = (async () => {
      let ack: string[] = [];
      while (received.length < given.length) {
        const { sets } = await poll(stream.endpoint, { ack, maxEvents: 7 });
        ack = Object.keys(sets);
        received.push(...ack);
      }
    })();
    const done = await Promise.all(given.map(({ id }) => authority.consents.revokeConsent(id, BY_ADMIN)));
    await reader;
    const inOrder = done
      .map(({ change }) => change ?? { seq: 0, jti: '' })
      .sort((a, b) => a.seq - b.seq)
      .map(({ jti }) => jti);
    expect(received).toEqual(inOrder);
  });

  it('begins with the last hour for a new stream, and goes on after a restart', async () => {
    const { jti } = await revoke();
    const late = await createStream();
    expect(
      Object.keys((await poll(late.endpoint, { returnImmediately: true, maxEvents: 1_000 })).sets),
    ).toContain(jti);
    await authority.restart();
    expect(Object.keys((await poll(stream.endpoint)).sets)).toEqual([jti]);
  });
});
