import { randomBytes } from 'node:crypto';

import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { sql } from 'kysely';
import { afterEach, describe, expect, it } from 'vitest';

import { type AuthorityOptions, startAuthority } from '../../authority/index.js';
import { StreamRegister } from '../../authority/ssf/streams.js';
import { checkPolicy } from '../../policy/index.js';
import { bodyOf, Cleanup, freePort, type Listening, listen, until } from '../gateway/support.js';
import {
  AUDIENCE,
  POLICY_FILE,
  startTestAuthority,
  STREAM_SECRET,
  type TestAuthority,
  withPolicy,
  withDemo,
} from './setup.js';
import { PUSH, revoke, send, SESSION_REVOKED } from './ssf-setup.js';

const SECRET = 'secret-of-the-receiver';
const HEADER = 'Bearer what-the-receiver-asks-for';
const encryptionKey = randomBytes(32);

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

/** A receiver of RFC 8935 that can be told to refuse. */
class Receiver {
  /** By `jti`, in order of arrival, repeats included. */
  readonly taken: string[] = [];
  readonly requests: { readonly headers: Record<string, unknown>; readonly set: string }[] = [];
  refusal: { readonly status: number; readonly body?: object; readonly location?: string } | undefined;
  /** Concurrently. */
  most = 0;
  #now = 0;
  #listening!: Listening;

  static async start(port = 0): Promise<Receiver> {
    const receiver = new Receiver();
    await receiver.listen(port);
    cleanup.add(() => receiver.close());
    return receiver;
  }

  async listen(port: number): Promise<void> {
    this.#listening = await listen(async (request, response) => {
      this.#now += 1;
      this.most = Math.max(this.most, this.#now);
      const set = await bodyOf(request);
      this.requests.push({ headers: { ...request.headers }, set });
      if (this.refusal === undefined) {
        this.taken.push(decodeJwt(set).jti ?? '');
        response.writeHead(202).end();
      } else {
        const { body, location, status } = this.refusal;
        response.writeHead(status, location === undefined ? {} : { location });
        response.end(body === undefined ? '' : JSON.stringify(body));
      }
      this.#now -= 1;
    }, port);
  }

  get url(): string {
    return `${this.#listening.url}/events`;
  }

  close(): Promise<void> {
    return this.#listening.close();
  }
}

async function start(receiver: Receiver, more: Partial<AuthorityOptions> = {}) {
  const options = {
    encryptionKey,
    streamReceivers: [{ name: 'receiver', secret: SECRET, pushEndpoints: [receiver.url] }],
    pushRetry: { firstMs: 50, longestMs: 200, attempts: 3 },
    ...more,
  };
  const authority = await startTestAuthority(options);
  cleanup.add(() => authority.close());
  const created = await send(
    'POST',
    `${authority.issuer}/ssf/streams`,
    {
      delivery: { method: PUSH, endpoint_url: receiver.url, authorization_header: HEADER },
      events_requested: [SESSION_REVOKED],
    },
    SECRET,
  );
  expect(created.status).toBe(201);
  return { authority, options, id: String(created.body.stream_id), created };
}

async function statusOf({ issuer }: TestAuthority, id: string): Promise<Record<string, unknown>> {
  return (await send('GET', `${issuer}/ssf/status?stream_id=${id}`, undefined, SECRET)).body;
}

async function revokeSome(authority: TestAuthority, count: number): Promise<string[]> {
  const jtis: string[] = [];
  for (let each = 0; each < count; each++) jtis.push((await revoke(authority)).jti);
  return jtis;
}

describe('rfc8935 push', () => {
  it('delivers each event as specified, in order, one at a time', async () => {
    const receiver = await Receiver.start();
    const { authority, created } = await start(receiver);
    expect(JSON.stringify(created.body)).not.toContain(HEADER);
    const jtis = await revokeSome(authority, 5);
    await until(() => receiver.taken.length === 5, 'all events were received');
    expect(receiver.taken).toEqual(jtis);
    expect(receiver.most).toBe(1);
    expect(receiver.requests[0]?.headers).toMatchObject({
      'content-type': 'application/secevent+jwt',
      accept: 'application/json',
      authorization: HEADER,
    });
    const keys = createRemoteJWKSet(new URL(`${authority.issuer}/jwks`));
    const { payload } = await jwtVerify(receiver.requests[0]?.set ?? '', keys, {
      issuer: authority.issuer,
      audience: AUDIENCE,
      typ: 'secevent+jwt',
    });
    expect(payload.events).toHaveProperty([SESSION_REVOKED]);
    const stored = await sql`select * from authority.stream`.execute(authority.database.db);
    expect(JSON.stringify(stored.rows)).not.toContain('what-the-receiver');
  });

  it('is exclusive: the stream cannot be polled', async () => {
    const receiver = await Receiver.start();
    const { authority, id } = await start(receiver);
    expect((await send('POST', `${authority.issuer}/ssf/streams/${id}/poll`, {}, SECRET)).status).toBe(409);
  });

  it('resumes in order and without loss after the receiver was away', async () => {
    const receiver = await Receiver.start(await freePort());
    const { authority } = await start(receiver, {
      pushRetry: { firstMs: 50, longestMs: 100, attempts: 1_000 },
    });
    const before = await revokeSome(authority, 2);
    await until(() => receiver.taken.length === 2, 'the first events were received');
    const port = Number(new URL(receiver.url).port);
    await receiver.close();
    const after = await revokeSome(authority, 3);
    await until(() => authority.logged.some((line) => line.includes('unreachable')), 'an attempt was made');
    await receiver.listen(port);
    await until(() => receiver.taken.length >= 5, 'all events were received');
    expect(receiver.taken).toEqual([...before, ...after]);
  });

  it('resumes from the store after a restart of the authority', async () => {
    const receiver = await Receiver.start();
    receiver.refusal = { status: 503 };
    const { authority, options } = await start(receiver, {
      pushRetry: { firstMs: 50, longestMs: 100, attempts: 1_000 },
    });
    const jtis = await revokeSome(authority, 2);
    await until(() => receiver.requests.length > 0, 'an attempt was made');
    await authority.restart(options);
    receiver.refusal = undefined;
    await until(() => receiver.taken.length === 2, 'all events were received');
    expect(receiver.taken).toEqual(jtis);
    expect(receiver.requests.at(-1)?.headers.authorization).toBe(HEADER);
  });

  it.each([
    'invalid_request',
    'invalid_key',
    'invalid_issuer',
    'invalid_audience',
    'authentication_failed',
    'access_denied',
  ])('a refused event (section 2.4: %s) pauses the stream with a reason', async (err) => {
    const receiver = await Receiver.start();
    receiver.refusal = { status: 400, body: { err, description: 'distinctive words' } };
    const { authority, id } = await start(receiver);
    const jtis = await revokeSome(authority, 2);
    await until(async () => (await statusOf(authority, id)).status === 'paused', 'it is paused', 15_000);
    expect((await statusOf(authority, id)).reason).toBe(`delivery failed: ${err}`);
    expect(new Set(receiver.requests.map(({ set }) => decodeJwt(set).jti))).toEqual(new Set([jtis[0]]));
    expect(receiver.requests).toHaveLength(3);
    expect(authority.logged.join()).not.toContain('distinctive');
    receiver.refusal = undefined;
    await send('POST', `${authority.issuer}/ssf/status`, { stream_id: id, status: 'enabled' }, SECRET);
    await until(() => receiver.taken.length === 2, 'all events were received');
    expect(receiver.taken).toEqual(jtis);
  });

  it('a redirect is not followed (SSRF)', async () => {
    const elsewhere = await Receiver.start();
    const receiver = await Receiver.start();
    receiver.refusal = { status: 307, location: elsewhere.url };
    const { authority, id } = await start(receiver);
    await revoke(authority);
    await until(async () => (await statusOf(authority, id)).status === 'paused', 'it is paused', 15_000);
    expect((await statusOf(authority, id)).reason).toBe('delivery failed: http_307');
    expect(elsewhere.requests).toEqual([]);
  });

  it('a header is not sent to another configured address', async () => {
    const receiver = await Receiver.start();
    const thief = await Receiver.start();
    const pushEndpoints = [receiver.url, thief.url];
    const { authority, id } = await start(receiver, {
      streamReceivers: [{ name: 'receiver', secret: SECRET, pushEndpoints }],
    });
    await sql`update authority.stream set push_endpoint = ${thief.url} where id = ${id}`.execute(
      authority.database.db,
    );
    await revoke(authority);
    await until(async () => (await statusOf(authority, id)).status === 'paused', 'it is paused', 15_000);
    expect((await statusOf(authority, id)).reason).toBe('delivery failed: header_unreadable');
    expect(thief.requests).toEqual([]);
  });

  it('nothing is sent to an address that was removed from the configuration', async () => {
    const receiver = await Receiver.start();
    const { authority, id, options } = await start(receiver);
    const pushEndpoints = ['https://elsewhere.example/events'];
    const streamReceivers = [{ name: 'receiver', secret: SECRET, pushEndpoints }];
    await authority.restart({ ...options, streamReceivers });
    await revoke(authority);
    await until(async () => (await statusOf(authority, id)).status === 'paused', 'it is paused', 15_000);
    expect((await statusOf(authority, id)).reason).toBe('delivery failed: endpoint_not_configured');
    expect(receiver.requests).toEqual([]);
  });

  it('one instance pushes under a lease, another once it expires', async () => {
    const receiver = await Receiver.start();
    const { authority, id } = await start(receiver);
    const { db } = authority.database;
    await sql`update authority.stream set push_lease = 'of an instance that died',
      push_lease_until = clock_timestamp() + interval '1 hour' where id = ${id}`.execute(db);
    const { jti } = await revoke(authority);
    // After this every instance checks again, and finds the lease.
    await new StreamRegister(db).setStatus(id, 'enabled', null);
    expect(receiver.requests).toEqual([]);
    await sql`update authority.stream set push_lease_until = clock_timestamp() where id = ${id}`.execute(db);
    await until(() => receiver.taken.length > 0, 'the event was received');
    expect(receiver.taken).toEqual([jti]);
    await until(async () => {
      const { rows } =
        await sql`select from authority.stream where id = ${id} and push_lease is null`.execute(db);
      return rows.length === 1;
    }, 'the lease is given back');
  });

  it('pushing waits for no advisory lock, which any role can hold', async () => {
    const receiver = await Receiver.start();
    const { authority, id } = await start(receiver);
    await authority.database.db.connection().execute(async (connection) => {
      await sql`select pg_advisory_lock(718293, hashtext(${id}))`.execute(connection);
      const { jti } = await revoke(authority);
      await until(() => receiver.taken.length > 0, 'the event was received');
      expect(receiver.taken).toEqual([jti]);
      await sql`select pg_advisory_unlock_all()`.execute(connection);
    });
  });

  it('two instances push each event once, one at a time', async () => {
    const receiver = await Receiver.start();
    const { authority, options } = await start(receiver);
    const second = await startAuthority({
      port: 0,
      issuer: authority.issuer,
      databaseUrl: authority.database.url,
      audience: AUDIENCE,
      ...withPolicy(checkPolicy(POLICY_FILE)),
      ...withDemo({}),
      streamSecret: STREAM_SECRET,
      ...options,
    });
    cleanup.add(() => second.close());
    const jtis = await revokeSome(authority, 20);
    await until(() => receiver.taken.length >= 20, 'all were taken', 15_000);
    expect(receiver.taken).toEqual(jtis);
    expect(receiver.most).toBe(1);
    // The remaining one continues.
    await authority.authority.close();
    const { jti } = await revoke(authority);
    await until(() => receiver.taken.length >= 21, 'the next was taken', 15_000);
    expect(receiver.taken.at(-1)).toBe(jti);
    await authority.restart(options);
  });
});
