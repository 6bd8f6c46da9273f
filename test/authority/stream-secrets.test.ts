import { createHash } from 'node:crypto';

import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { startAuthority } from '../../authority/index.js';
import { checkPolicy } from '../../policy/index.js';
import { Cleanup, freePort } from '../gateway/support.js';
import {
  AUDIENCE,
  POLICY_FILE,
  startTestAuthority,
  STREAM_SECRET,
  type TestAuthority,
  withPolicy,
} from './setup.js';
import { ACCESS_SUSPENDED, SIGNING_KEY_REVOKED } from '../../authority/changes/log.js';
import { OPERATOR, POLL, PUSH, revoke, send, type Sent, SESSION_REVOKED } from './ssf-setup.js';

const GATEWAY_EU = { name: 'gateway-eu', secret: 'secret-of-gateways-in-eu' };
const RECEIVERS = [
  OPERATOR,
  { ...GATEWAY_EU, pushEndpoints: ['https://eu.example/events'] },
  { name: 'gateway-us', secret: 'secret-of-gateways-in-us' },
];

let authority: TestAuthority;
let streams: string;
let status: string;
beforeAll(async () => {
  authority = await startTestAuthority({ longPollMs: 5_000, streamReceivers: RECEIVERS });
  streams = `${authority.issuer}/ssf/streams`;
  status = `${authority.issuer}/ssf/status`;
});
afterAll(() => authority.close());
const cleanup = new Cleanup();
afterEach(() => cleanup.run());

interface Made {
  readonly id: string;
  readonly secret: string;
  readonly poll: string;
  readonly body: Record<string, unknown>;
}

/** A gateway's stream, unless the body says otherwise. */
async function make(
  secret = STREAM_SECRET,
  more: object = { behalf_max_staleness_ms: 15_000 },
): Promise<Made> {
  const { status: code, body } = await send('POST', streams, more, secret);
  expect(code).toBe(201);
  const id = String(body.stream_id);
  return { id, secret: String(body.behalf_stream_secret), poll: `${streams}/${id}/poll`, body };
}

const now = { returnImmediately: true, maxEvents: 1_000 };

async function drain({ poll, secret }: Made): Promise<string[]> {
  const { body } = await send('POST', poll, now, secret);
  const jtis = Object.keys(body.sets as object);
  await send('POST', poll, { ack: jtis, maxEvents: 0 }, secret);
  return jtis;
}

/** Every operation on a stream, with some secret. */
async function attempts({ id, poll }: Made, secret: string): Promise<readonly Sent[]> {
  return [
    await send('POST', poll, { ...now, ack: [crypto.randomUUID()] }, secret),
    await send('GET', `${streams}?stream_id=${id}`, undefined, secret),
    await send('PATCH', streams, { stream_id: id, events_requested: [] }, secret),
    await send('PUT', streams, { stream_id: id, events_requested: [] }, secret),
    await send('GET', `${status}?stream_id=${id}`, undefined, secret),
    await send('POST', status, { stream_id: id, status: 'disabled' }, secret),
    await send('POST', `${authority.issuer}/ssf/verify`, { stream_id: id }, secret),
    await send('DELETE', `${streams}?stream_id=${id}`, undefined, secret),
  ];
}

const codesOf = (answers: readonly Sent[]): number[] => [...new Set(answers.map((answer) => answer.status))];

describe('the secret that creates streams', () => {
  it('only creates streams, and gives no access to them', async () => {
    const stream = await make();
    expect(codesOf(await attempts(stream, STREAM_SECRET))).toEqual([401]);
    expect((await send('GET', streams, undefined, STREAM_SECRET)).status).toBe(401);
    const { jti } = await revoke(authority);
    expect(await drain(stream)).toContain(jti);
  });

  it('of a named receiver gives access to its own streams only', async () => {
    const [gateway, other] = [await make(GATEWAY_EU.secret), await make(GATEWAY_EU.secret, {})];
    expect(codesOf(await attempts(gateway, GATEWAY_EU.secret))).toEqual([404]);
    const listed = await send('GET', streams, undefined, GATEWAY_EU.secret);
    expect(listed.body).toMatchObject([{ stream_id: other.id }]);
    expect((await send('POST', other.poll, now, GATEWAY_EU.secret)).status).toBe(200);
    expect(codesOf(await attempts(other, 'secret-of-gateways-in-us'))).toEqual([404]);
    expect(codesOf(await attempts(other, STREAM_SECRET))).toEqual([401]);
  });

  it('ends its streams when it is replaced', async () => {
    const own = await startTestAuthority({ streamReceivers: [OPERATOR] });
    cleanup.add(() => own.close());
    const create = async (secret: string): Promise<() => Promise<number>> => {
      const body = { behalf_max_staleness_ms: 15_000 };
      const made = (await send('POST', `${own.issuer}/ssf/streams`, body, secret)).body;
      const poll = `${own.issuer}/ssf/streams/${String(made.stream_id)}/poll`;
      return async () => (await send('POST', poll, now, String(made.behalf_stream_secret))).status;
    };
    const polls = [await create(STREAM_SECRET), await create(OPERATOR.secret)];
    expect(await Promise.all(polls.map((poll) => poll()))).toEqual([200, 200]);
    await own.restart({ streamSecret: 'another-secret-of-the-tests' });
    expect(await Promise.all(polls.map((poll) => poll()))).toEqual([401, 200]);
    await own.restart({ streamReceivers: [] });
    expect(await Promise.all(polls.map((poll) => poll()))).toEqual([200, 401]);
  });
});

describe('a stream’s own secret', () => {
  it('is shown once, and stored only as a keyed digest', async () => {
    const stream = await make();
    expect(stream.secret).toMatch(/^[\w-]{43}$/);
    const read = await send('GET', `${streams}?stream_id=${stream.id}`, undefined, stream.secret);
    expect(read.status).toBe(200);
    const changed = await send('PATCH', streams, { stream_id: stream.id, description: 'x' }, stream.secret);
    for (const { body } of [read, changed]) expect(JSON.stringify(body)).not.toContain(stream.secret);
    const { rows } = await sql<{ text: string }>`select s::text as text, secret_digest
      from authority.stream s where id = ${stream.id}`.execute(authority.database.db);
    const stored = JSON.stringify(rows);
    for (const encoding of ['utf8', 'hex', 'base64'] as const) {
      expect(stored).not.toContain(Buffer.from(stream.secret).toString(encoding));
      // Even with the store and every guessable secret, there is nothing to compare with.
      expect(stored).not.toContain(createHash('sha256').update(stream.secret).digest('hex'));
    }
  });

  it('is refused for every other stream, which is unaffected', async () => {
    const [one, other, ofOther] = [await make(), await make(), await make(GATEWAY_EU.secret)];
    const { jti } = await revoke(authority);
    for (const victim of [other, ofOther]) expect(codesOf(await attempts(victim, one.secret))).toEqual([404]);
    for (const stream of [one, other, ofOther]) expect(await drain(stream)).toContain(jti);
    expect((await send('GET', streams, undefined, one.secret)).body).toMatchObject([{ stream_id: one.id }]);
  });

  it('creates no stream, and ends with its own', async () => {
    const stream = await make();
    expect((await send('POST', streams, {}, stream.secret)).status).toBe(401);
    expect((await send('DELETE', `${streams}?stream_id=${stream.id}`, undefined, stream.secret)).status).toBe(
      204,
    );
    expect(codesOf(await attempts(stream, stream.secret))).toEqual([401]);
  });

  it.each([
    ['of nobody', 'A'.repeat(43)],
    ['cut short', undefined],
    ['with an extra octet', undefined],
    ['that is empty', ''],
    ['of the id', undefined],
  ])('%s is refused', async (name, fixed) => {
    const stream = await make();
    const variants: Record<string, string> = {
      'cut short': stream.secret.slice(0, -1),
      'with an extra octet': `${stream.secret}A`,
      'of the id': stream.id,
    };
    expect(codesOf(await attempts(stream, fixed ?? variants[name] ?? ''))).toEqual([401]);
  });

  it('works at every authority of the store', async () => {
    const encryptionKey = Buffer.alloc(32, 7);
    const first = await startTestAuthority({ encryptionKey });
    cleanup.add(() => first.close());
    const second = await startAuthority({
      issuer: first.issuer,
      port: await freePort(),
      databaseUrl: first.database.url,
      encryptionKey,
      audience: AUDIENCE,
      ...withPolicy(checkPolicy(POLICY_FILE)),
      streamSecret: STREAM_SECRET,
    });
    cleanup.add(() => second.close());
    const at = `http://127.0.0.1:${new URL(second.url).port}`;
    const made = (await send('POST', `${first.issuer}/ssf/streams`, {}, STREAM_SECRET)).body;
    const { jti } = await revoke(first);
    await first.authority.close();
    const poll = `${at}/ssf/streams/${String(made.stream_id)}/poll`;
    const { body } = await send('POST', poll, now, String(made.behalf_stream_secret));
    expect(Object.keys(body.sets as object)).toEqual([jti]);
  });
});

describe('a gateway’s stream that was interrupted', () => {
  it.each(['disabled', 'paused'])(
    'between two polls (%s) ends, since no answer would tell of it',
    async (stop) => {
      const stream = await make();
      await drain(stream);
      await send('POST', status, { stream_id: stream.id, status: stop }, stream.secret);
      await revoke(authority);
      expect(await send('POST', stream.poll, now, stream.secret)).toMatchObject({
        status: 409,
        body: { error: 'STREAM_NOT_ENABLED' },
      });
      await send('POST', status, { stream_id: stream.id, status: 'enabled' }, stream.secret);
      for (let round = 0; round < 2; round += 1) {
        expect(await send('POST', stream.poll, now, stream.secret)).toMatchObject({
          status: 409,
          body: { error: 'STREAM_HAS_GAP' },
        });
      }
    },
  );

  it.each(['disabled', 'paused'])(
    'during a waiting poll (%s) answers it with 409, not with nothing',
    async (stop) => {
      const stream = await make();
      await drain(stream);
      const waiting = send('POST', stream.poll, {}, stream.secret);
      await send('POST', status, { stream_id: stream.id, status: stop }, stream.secret);
      await revoke(authority);
      expect((await waiting).status).toBe(409);
    },
  );

  it('and deleted during a waiting poll answers it with 404', async () => {
    const stream = await make();
    await drain(stream);
    const waiting = send('POST', stream.poll, {}, stream.secret);
    await send('DELETE', `${streams}?stream_id=${stream.id}`, undefined, stream.secret);
    await revoke(authority);
    expect([401, 404]).toContain((await waiting).status);
  });

  it('by requesting fewer events, then all again, ends', async () => {
    const stream = await make();
    await send('PATCH', streams, { stream_id: stream.id, events_requested: [] }, stream.secret);
    await revoke(authority);
    await send(
      'PATCH',
      streams,
      { stream_id: stream.id, events_requested: [SESSION_REVOKED] },
      stream.secret,
    );
    expect(await send('POST', stream.poll, now, stream.secret)).toMatchObject({
      status: 409,
      body: { error: 'STREAM_HAS_GAP' },
    });
  });

  it.each([STREAM_SECRET, GATEWAY_EU.secret])(
    'ends even if its staleness was removed by a PUT (%s)',
    async (secret) => {
      const stream = await make(secret);
      await send('PUT', streams, { stream_id: stream.id }, stream.secret);
      for (const each of ['disabled', 'enabled']) {
        await send('POST', status, { stream_id: stream.id, status: each }, stream.secret);
      }
      expect((await send('POST', stream.poll, now, stream.secret)).status).toBe(409);
      expect([401, 404]).toContain((await send('POST', stream.poll, now, secret)).status);
    },
  );

  it('is not one whose description changed, or which requested more', async () => {
    const events = [SESSION_REVOKED, ACCESS_SUSPENDED, SIGNING_KEY_REVOKED];
    const body = { behalf_max_staleness_ms: 15_000, events_requested: events };
    const stream = await make(STREAM_SECRET, body);
    await send('PATCH', streams, { stream_id: stream.id, description: 'another' }, stream.secret);
    const more = { stream_id: stream.id, events_requested: stream.body.events_supported };
    expect((await send('PATCH', streams, more, stream.secret)).status).toBe(200);
    expect((await send('POST', stream.poll, now, stream.secret)).status).toBe(200);
  });

  it.each([
    ['nothing', []],
    ['no known event', ['x', 'toString']],
    ['revocations alone', [SESSION_REVOKED]],
    ['all but suspensions', [SESSION_REVOKED, SIGNING_KEY_REVOKED]],
  ])('cannot omit events that end access: %s', async (_name, events) => {
    const body = { behalf_max_staleness_ms: 15_000, events_requested: events };
    expect((await send('POST', streams, body, STREAM_SECRET)).status).toBe(400);
    // A receiver that is not a gateway may request any events.
    expect((await send('POST', streams, { events_requested: events }, STREAM_SECRET)).status).toBe(201);
  });

  it.each(['PATCH', 'PUT'])(
    'is not recreated from another stream, which may have missed events: %s',
    async (method) => {
      const stream = await make(STREAM_SECRET, { events_requested: [] });
      const change = {
        stream_id: stream.id,
        behalf_max_staleness_ms: 15_000,
        events_requested: stream.body.events_supported,
      };
      expect((await send(method, streams, change, stream.secret)).status).toBe(400);
      const { body } = await send('GET', `${streams}?stream_id=${stream.id}`, undefined, stream.secret);
      expect(body).toMatchObject({ events_requested: [] });
      expect(body.behalf_max_staleness_ms).toBeUndefined();
    },
  );

  it('is not polled after its events were pushed', async () => {
    const stream = await make(GATEWAY_EU.secret);
    const delivery = { method: PUSH, endpoint_url: 'https://eu.example/events' };
    await send('PATCH', streams, { stream_id: stream.id, delivery }, stream.secret);
    expect((await send('POST', stream.poll, now, stream.secret)).status).toBe(409);
    await send('PATCH', streams, { stream_id: stream.id, delivery: { method: POLL } }, stream.secret);
    // A pushed event was received by another party.
    expect((await send('POST', stream.poll, now, stream.secret)).status).toBe(409);
  });
});

describe('streams that nobody polls', () => {
  async function isForgotten(more: object, idleSeconds: number, setup = ''): Promise<boolean> {
    const stream = await make(STREAM_SECRET, more);
    const { db } = authority.database;
    await sql`update authority.stream set polled_at = clock_timestamp() - make_interval(secs => ${idleSeconds})
      where id = ${stream.id}`.execute(db);
    await make(STREAM_SECRET, { description: `makes room ${setup}` });
    return (await send('GET', `${streams}?stream_id=${stream.id}`, undefined, stream.secret)).status === 401;
  }
  const HOUR = 3_600;

  it.each<[string, object, number]>([
    ['a gateway’s, an hour', { behalf_max_staleness_ms: 75_000 }, HOUR],
    [
      'a gateway’s that permits for longer, a minute more than that',
      { behalf_max_staleness_ms: 2 * HOUR * 1000 },
      2 * HOUR + 60,
    ],
    ['another receiver’s, a day', {}, 24 * HOUR],
  ])('are forgotten: %s', async (_name, more, seconds) => {
    expect(await isForgotten(more, seconds - 5)).toBe(false);
    expect(await isForgotten(more, seconds + 1)).toBe(true);
    const { body } = await make(STREAM_SECRET, more);
    expect(body.inactivity_timeout).toBe(seconds);
  });

  it('are at most a thousand per secret', async () => {
    const own = await startTestAuthority({ streamReceivers: [OPERATOR] });
    cleanup.add(() => own.close());
    await sql`insert into authority.stream (id, receiver, events, delivered_seq, max_staleness_ms)
      select 'filler-' || n, 'gateways', '{}', 0, 15000 from generate_series(1, 1000) n`.execute(
      own.database.db,
    );
    const create = (secret: string) => send('POST', `${own.issuer}/ssf/streams`, {}, secret);
    expect(await create(STREAM_SECRET)).toMatchObject({ status: 409, body: { error: 'TOO_MANY_STREAMS' } });
    expect((await create(OPERATOR.secret)).status).toBe(201);
    await sql`update authority.stream set polled_at = clock_timestamp() - interval '61 minutes'
      where id = 'filler-7'`.execute(own.database.db);
    expect((await create(STREAM_SECRET)).status).toBe(201);
  });
});

describe('a new stream', () => {
  it('begins as early as its gateway’s longest token lifetime', async () => {
    const own = await startTestAuthority();
    cleanup.add(() => own.close());
    const { db } = own.database;
    const ages = [25 * 3_600, 23 * 3_600, 90 * 60, 30 * 60];
    await sql`
      with head as (update authority.change_head set seq = seq + ${ages.length} returning seq - ${ages.length} as seq)
      insert into authority.change_event (seq, jti, kind, members, initiator, occurred_at)
      select head.seq + n, gen_random_uuid(), ${SESSION_REVOKED}, '{"clientId":"c"}', 'admin',
        clock_timestamp() - make_interval(secs => age)
      from head, unnest(${ages}::float8[]) with ordinality as ages (age, n)`.execute(db);
    const count = async (lifetimeSeconds?: number): Promise<number> => {
      const body = { behalf_max_token_lifetime_seconds: lifetimeSeconds, behalf_max_staleness_ms: 1_000 };
      const made = (await send('POST', `${own.issuer}/ssf/streams`, body, STREAM_SECRET)).body;
      const poll = `${own.issuer}/ssf/streams/${String(made.stream_id)}/poll`;
      const answer = await send('POST', poll, now, String(made.behalf_stream_secret));
      return Object.keys(answer.body.sets as object).length;
    };
    expect(await count()).toBe(1);
    expect(await count(60)).toBe(1);
    expect(await count(2 * 3_600)).toBe(2);
    expect(await count(24 * 3_600)).toBe(3);
  });

  it.each([0, -1, 1.5, '60', null, 86_401])('cannot request a lifetime of %s', async (seconds) => {
    const body = { behalf_max_token_lifetime_seconds: seconds };
    expect((await send('POST', streams, body, STREAM_SECRET)).status).toBe(400);
  });
});
