import { systemClock } from '@behalf/directives/internal';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Housekeeping } from '../../authority/housekeeping.js';
import { AUDIENCE, startTestAuthority, STREAM_SECRET, type TestAuthority } from './setup.js';
import { OPERATOR, POLL, PUSH, revoke, send, type Sent, SESSION_REVOKED, VERIFICATION } from './ssf-setup.js';

const PARTNER = {
  name: 'partner',
  secret: 'secret-of-the-partner',
  pushEndpoints: ['https://partner.example/events'],
};
const AUDITOR = { name: 'auditor', secret: 'secret-of-the-auditor' };

let authority: TestAuthority;
let streams: string;
let status: string;
let verify: string;
beforeAll(async () => {
  authority = await startTestAuthority({ longPollMs: 5_000, streamReceivers: [OPERATOR, PARTNER, AUDITOR] });
  streams = `${authority.issuer}/ssf/streams`;
  status = `${authority.issuer}/ssf/status`;
  verify = `${authority.issuer}/ssf/verify`;
});
afterAll(() => authority.close());

async function create(
  body: unknown = {},
  secret = OPERATOR.secret,
): Promise<{ id: string; poll: string } & Sent> {
  const created = await send('POST', streams, body, secret);
  expect(created.status).toBe(201);
  const id = String(created.body.stream_id);
  return { ...created, id, poll: `${streams}/${id}/poll` };
}

/** Accepts every event in the queue. */
async function drain(poll: string, secret = OPERATOR.secret): Promise<string[]> {
  const { body } = await send('POST', poll, { returnImmediately: true, maxEvents: 1_000 }, secret);
  const jtis = Object.keys(body.sets as object);
  await send('POST', poll, { ack: jtis, maxEvents: 0 }, secret);
  return jtis;
}

describe('SSF 1.0, section 7.1: the metadata', () => {
  it('names the supported endpoints, and none for adding or removing subjects', async () => {
    const metadata = (await (
      await fetch(`${authority.issuer}/.well-known/ssf-configuration`)
    ).json()) as object;
    expect(metadata).toMatchObject({
      spec_version: '1_0',
      delivery_methods_supported: [POLL, PUSH],
      configuration_endpoint: streams,
      status_endpoint: status,
      verification_endpoint: verify,
      default_subjects: 'ALL',
    });
    expect(metadata).not.toHaveProperty('add_subject_endpoint');
    expect(metadata).not.toHaveProperty('remove_subject_endpoint');
  });
});

describe('SSF 1.0, section 8.1.1: the configuration of a stream', () => {
  it('defaults to polling and all events', async () => {
    const { body, poll } = await create();
    expect(body).toMatchObject({
      iss: authority.issuer,
      aud: AUDIENCE,
      delivery: { method: POLL, endpoint_url: poll },
      events_delivered: body.events_supported,
    });
  });

  it('PATCH changes what it names, PUT replaces everything', async () => {
    const first = { events_requested: [SESSION_REVOKED, 'urn:other'], description: 'gateway-1' };
    const { id } = await create(first);
    const patched = await send('PATCH', streams, { stream_id: id, description: 'gateway-2' });
    expect(patched).toMatchObject({
      status: 200,
      body: {
        events_requested: [SESSION_REVOKED, 'urn:other'],
        events_delivered: [SESSION_REVOKED],
        description: 'gateway-2',
      },
    });
    const put = await send('PUT', streams, { stream_id: id, events_requested: ['urn:other'] });
    expect(put).toMatchObject({
      status: 200,
      body: { events_requested: ['urn:other'], events_delivered: [] },
    });
    expect(put.body).not.toHaveProperty('description');
    expect(await send('GET', `${streams}?stream_id=${id}`)).toEqual(put);
  });

  it('keeps its position when it changes', async () => {
    const { id, poll } = await create();
    await drain(poll);
    const { jti } = await revoke(authority);
    await send('PATCH', streams, { stream_id: id, description: 'another' });
    expect(await drain(poll)).toEqual([jti]);
  });

  it('accepts the transmitter’s own values repeated, not changed', async () => {
    const { body, id } = await create();
    const same = await send('PATCH', streams, { ...body, description: 'x' });
    expect(same.status).toBe(200);
    for (const change of [{ aud: 'other' }, { iss: 'https://evil.example' }, { events_delivered: [] }]) {
      expect((await send('PATCH', streams, { stream_id: id, ...change })).status).toBe(400);
    }
  });

  it.each([
    [404, { stream_id: 'unknown' }],
    [400, {}],
    [400, { stream_id: '../x' }],
    [400, { stream_id: 'unknown', description: 7 }],
  ])('answers %i to a change of %j', async (code, body) => {
    const { id } = await create();
    const known = 'description' in body ? { ...body, stream_id: id } : body;
    for (const method of ['PATCH', 'PUT']) expect((await send(method, streams, known)).status).toBe(code);
  });
});

describe('SSF 1.0, section 8.1.2: the status of a stream', () => {
  it('paused: holds events, and differs from a quiet stream', async () => {
    const { id, poll } = await create();
    await drain(poll);
    expect(await send('GET', `${status}?stream_id=${id}`)).toEqual({
      status: 200,
      body: { stream_id: id, status: 'enabled' },
    });
    const paused = await send('POST', status, { stream_id: id, status: 'paused', reason: 'moving house' });
    expect(paused).toEqual({
      status: 200,
      body: { stream_id: id, status: 'paused', reason: 'moving house' },
    });
    const { jti } = await revoke(authority);
    expect(await send('POST', poll, {})).toMatchObject({
      status: 409,
      body: { error: 'STREAM_NOT_ENABLED' },
    });
    await send('POST', status, { stream_id: id, status: 'enabled' });
    expect(await drain(poll)).toEqual([jti]);
  });

  it('disabled: holds none', async () => {
    const { id, poll } = await create();
    await send('POST', status, { stream_id: id, status: 'disabled' });
    await revoke(authority);
    expect((await send('POST', poll, {})).status).toBe(409);
    await send('POST', status, { stream_id: id, status: 'enabled' });
    const { jti } = await revoke(authority);
    expect(await drain(poll)).toEqual([jti]);
  });

  it('accepts three values only', async () => {
    const { id } = await create();
    expect((await send('POST', status, { stream_id: id, status: 'resting' })).status).toBe(400);
    expect((await send('POST', status, { stream_id: 'unknown', status: 'paused' })).status).toBe(404);
    expect((await send('GET', `${status}?stream_id=unknown`)).status).toBe(404);
    expect((await send('GET', status)).status).toBe(400);
    expect((await send('PUT', status, {})).status).toBe(405);
  });
});

describe('SSF 1.0, section 8.1.4: verification', () => {
  it('delivers its state on the stream, wakes a waiting poll, and ends acknowledged', async () => {
    const { id, poll } = await create();
    await drain(poll);
    const waiting = send('POST', poll, {});
    expect((await send('POST', verify, { stream_id: id, state: 'VGhpcyBpcyBhbiBleGFtcGxl' })).status).toBe(
      204,
    );
    const { body } = await waiting;
    const sets = body.sets as Record<string, string>;
    const [jti = ''] = Object.keys(sets);
    const set = sets[jti] ?? '';
    const keys = createRemoteJWKSet(new URL(`${authority.issuer}/jwks`));
    const { payload } = await jwtVerify(set, keys, {
      issuer: authority.issuer,
      audience: AUDIENCE,
      typ: 'secevent+jwt',
    });
    expect(payload).toMatchObject({
      jti,
      sub_id: { format: 'opaque', id },
      events: { [VERIFICATION]: { state: 'VGhpcyBpcyBhbiBleGFtcGxl' } },
    });
    expect(payload).not.toHaveProperty('exp');
    expect(await drain(poll)).toEqual([jti]);
    expect(await drain(poll)).toEqual([]);
  });

  it('comes after earlier events', async () => {
    const { id, poll } = await create();
    await drain(poll);
    const { jti } = await revoke(authority);
    await send('POST', verify, { stream_id: id });
    const first = await send('POST', poll, { returnImmediately: true, maxEvents: 1 });
    expect(Object.keys(first.body.sets as object)).toEqual([jti]);
    expect(first.body.moreAvailable).toBe(true);
    expect(await drain(poll)).toHaveLength(2);
  });

  it('can be requested only so often', async () => {
    const { id } = await create();
    const answers = await Promise.all([1, 2, 3].map(() => send('POST', verify, { stream_id: id })));
    expect(answers.map((answer) => answer.status).sort()).toEqual([204, 429, 429]);
    const { rows } = await sql`select from authority.stream_verification where stream_id = ${id}`.execute(
      authority.database.db,
    );
    expect(rows).toHaveLength(1);
    expect((await send('POST', verify, { stream_id: 'unknown' })).status).toBe(404);
  });
});

describe('receivers', () => {
  it('find only their own streams, whatever they know of others’', async () => {
    const { id, poll } = await create({ description: 'of the partner' }, PARTNER.secret);
    expect((await send('GET', streams, undefined, PARTNER.secret)).body).toMatchObject([{ stream_id: id }]);
    for (const secret of [OPERATOR.secret, AUDITOR.secret]) {
      const listed = (await send('GET', streams, undefined, secret)).body as unknown as {
        stream_id: string;
      }[];
      expect(listed.map((stream) => stream.stream_id)).not.toContain(id);
      const attempts = await Promise.all([
        send('GET', `${streams}?stream_id=${id}`, undefined, secret),
        send('DELETE', `${streams}?stream_id=${id}`, undefined, secret),
        send('PATCH', streams, { stream_id: id, description: 'mine' }, secret),
        send('PUT', streams, { stream_id: id }, secret),
        send('GET', `${status}?stream_id=${id}`, undefined, secret),
        send('POST', status, { stream_id: id, status: 'disabled' }, secret),
        send('POST', verify, { stream_id: id }, secret),
        send('POST', poll, { returnImmediately: true }, secret),
      ]);
      expect(attempts.map((attempt) => attempt.status)).toEqual(Array.from({ length: 8 }, () => 404));
    }
    expect(await send('GET', `${status}?stream_id=${id}`, undefined, PARTNER.secret)).toMatchObject({
      body: { status: 'enabled' },
    });
  });

  it.each([
    ['a cloud’s metadata address', PARTNER.secret, 'http://169.254.169.254/latest/meta-data/'],
    ['an address of the internal network', PARTNER.secret, 'https://10.0.0.7/'],
    ['another path of the same host', PARTNER.secret, 'https://partner.example/events/../admin'],
    ['another receiver’s address', AUDITOR.secret, 'https://partner.example/events'],
    ['any address, having configured none', OPERATOR.secret, 'https://partner.example/events'],
  ])('cannot have events pushed to %s (SSRF)', async (_what, secret, endpoint_url) => {
    const body = { delivery: { method: PUSH, endpoint_url } };
    expect((await send('POST', streams, body, secret)).status).toBe(400);
    const { id } = await create({}, secret);
    for (const method of ['PATCH', 'PUT']) {
      expect((await send(method, streams, { ...body, stream_id: id }, secret)).status).toBe(400);
    }
  });

  it.each([
    ['another receiver’s secret', [{ name: 'one', secret: STREAM_SECRET }]],
    ['a short secret', [{ name: 'one', secret: 'short' }]],
    ['a name that is taken', [{ name: 'gateways', secret: 'a-secret-of-its-own' }]],
    [
      'a push endpoint over plain http',
      [{ name: 'one', secret: 'a-secret-of-its-own', pushEndpoints: ['http://partner.example/'] }],
    ],
  ])('cannot be configured with %s', async (_what, streamReceivers) => {
    await expect(startTestAuthority({ streamReceivers })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });
});

describe('the change log', () => {
  it('forgets events that match no living token, keeps unknown kinds, and continues', async () => {
    const test = await startTestAuthority();
    const { db } = test.database;
    await revoke(test);
    await revoke(test);
    await sql`alter table authority.change_event disable trigger all`.execute(db);
    await sql`update authority.change_event set occurred_at = occurred_at - interval '8 days'`.execute(db);
    await sql`insert into authority.change_event (seq, jti, kind, members, initiator, occurred_at)
      values (0, gen_random_uuid(), 'urn:standing', '{}', 'admin', clock_timestamp() - interval '1 year')`.execute(
      db,
    );
    await sql`alter table authority.change_event enable trigger all`.execute(db);
    const { jti } = await revoke(test);
    const log = { log: () => undefined };
    const housekeeping = new Housekeeping({ db, log, clock: systemClock, relaysEvents: false });
    await housekeeping.run();
    await housekeeping.close();
    const left = await db
      .selectFrom('authority.change_event')
      .select(['seq', 'jti', 'kind'])
      .orderBy('seq')
      .execute();
    expect(left).toEqual([
      { seq: 0, jti: expect.any(String) as string, kind: 'urn:standing' },
      { seq: 3, jti, kind: SESSION_REVOKED },
    ]);
    await test.close();
  });
});
