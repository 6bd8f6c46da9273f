import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AuditRecord } from '../../audit/index.js';
import { ACCESS_RESUMED, ACCESS_SUSPENDED } from '../../revocation/events.js';
import { Suspensions } from '../../revocation/suspensions.js';
import type { Suspended } from '../../revocation/suspensions.js';
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
import type { TestGateway } from './support.js';
import { ISSUER, token, Transmitter } from '../revocation/transmitter.js';

const ofClient = (id: string) => ({ format: 'complex', application: { format: 'opaque', id } });
const ofScope = (id: string) => ({ format: 'complex', scope: { format: 'opaque', id } });
const ofEverything = (id: string) => ({ format: 'complex', tenant: { format: 'opaque', id } });

describe('a gateway that receives a suspension', () => {
  const cleanup = new Cleanup();
  afterAll(() => cleanup.run());
  let transmitter: Transmitter;
  let issuer: TestIssuer;
  let people: TestSubgraph;
  let gateway: TestGateway;
  let auditFile: string;
  let standing: object[] = [];

  beforeAll(async () => {
    people = await TestSubgraph.start('people');
    cleanup.add(() => people.close());
    transmitter = await Transmitter.start();
    cleanup.add(() => transmitter.close());
    issuer = await TestIssuer.start();
    cleanup.add(() => issuer.close());
    const folder = await mkdtemp(join(tmpdir(), 'behalf-audit-'));
    cleanup.add(() => rm(folder, { recursive: true, force: true }));
    auditFile = join(folder, 'audit.jsonl');
    gateway = await startTestGateway(cleanup, compose(people), {
      issuers: [
        { issuer: transmitter.url, audience: AUDIENCE, jwksUri: `${issuer.url}/jwks` },
        { issuer: issuer.url, audience: AUDIENCE, namespace: 'other' },
      ],
      revocation: { streams: [{ issuer: transmitter.url, secret: 's' }], instance: 'gateway-of-the-test' },
      audit: { mode: 'required', file: auditFile },
    });
    await until(() => gateway.running.gateway.health().revocation === 'fresh', 'the view is fresh');
  });

  async function announce(eventType: string, subjectId: object): Promise<void> {
    const code = eventType === ACCESS_SUSPENDED ? 'ACCESS_SUSPENDED' : 'ACCESS_RESUMED';
    const before = gateway.log.of(code).length;
    await transmitter.announce(subjectId, { eventType });
    await until(() => gateway.log.of(code).length > before, 'the event is received');
    if (eventType === ACCESS_SUSPENDED) standing.push(subjectId);
  }
  afterEach(async () => {
    for (const subjectId of standing) await announce(ACCESS_RESUMED, subjectId);
    standing = [];
  });

  const mint = (clientId = 'app', more: object = {}) =>
    issuer.mint({ iss: transmitter.url, client_id: clientId, scope: 'name email', ...more });
  const QUERY = '{ me { name email } }';
  const ALL = { me: { name: 'Name of c-000001', email: 'c-000001@example.org' } };

  async function lastRecord(): Promise<AuditRecord> {
    const lines = (await readFile(auditFile, 'utf8')).trim().split('\n');
    return JSON.parse(lines.at(-1) ?? '') as AuditRecord;
  }

  it('refuses every token of a suspended client, and accepts it again on resume', async () => {
    const before = await mint();
    const other = await mint('other');
    expect((await gateway.ask(QUERY, { token: before })).body.data).toEqual(ALL);
    await announce(ACCESS_SUSPENDED, ofClient('app'));
    const later = await mint('app', { iat: Math.floor(Date.now() / 1000) + 2 });
    people.requests.length = 0;
    for (const each of [before, later]) {
      const answer = await gateway.ask(QUERY, { token: each });
      expect(answer.status).toBe(403);
      expect(codes(answer)).toEqual(['CLIENT_SUSPENDED']);
      // Another token would not help, so the client is not sent to get one.
      expect(answer.headers['www-authenticate']).toBeUndefined();
    }
    expect(people.requests).toEqual([]);
    expect(await lastRecord()).toMatchObject({
      outcome: 'refused',
      reason: 'CLIENT_SUSPENDED',
      caller: { clientId: 'app' },
    });
    expect((await gateway.ask(QUERY, { token: other })).body.data).toEqual(ALL);
    await announce(ACCESS_RESUMED, ofClient('app'));
    expect((await gateway.ask(QUERY, { token: before })).body.data).toEqual(ALL);
    expect(gateway.log.text).not.toMatch(/eyJ/);
  });

  it('refuses an exchanged token with a suspended actor (RFC 8693 section 4.1)', async () => {
    const exchanged = await mint('app', { act: { sub: 'gateway-of-others', act: { sub: 'service' } } });
    expect((await gateway.ask(QUERY, { token: exchanged })).status).toBe(200);
    await announce(ACCESS_SUSPENDED, ofClient('service'));
    expect(codes(await gateway.ask(QUERY, { token: exchanged }))).toEqual(['CLIENT_SUSPENDED']);
    expect((await gateway.ask(QUERY, { token: await mint('app') })).status).toBe(200);
  });

  it('ignores a stopped scope despite all caches, until it is lifted', async () => {
    const held = await mint();
    const never = await mint('app', { scope: 'name' });
    for (let time = 0; time < 2; time++) {
      expect((await gateway.ask(QUERY, { token: held })).body.data).toEqual(ALL);
    }
    const without = await gateway.ask(QUERY, { token: never });
    await announce(ACCESS_SUSPENDED, ofScope('email'));
    people.requests.length = 0;
    const answer = await gateway.ask(QUERY, { token: held });
    expect(answer.body).toEqual(without.body);
    expect(answer.body.data).toEqual({ me: { ...ALL.me, email: null } });
    expect(people.queries).not.toContain('email');
    await announce(ACCESS_RESUMED, ofScope('email'));
    expect((await gateway.ask(QUERY, { token: held })).body.data).toEqual(ALL);
  });

  it('refuses every token of the issuer at a full stop, but not anonymous callers', async () => {
    const held = await mint();
    await announce(ACCESS_SUSPENDED, ofEverything(transmitter.url));
    const answer = await gateway.ask(QUERY, { token: held });
    expect(answer.status).toBe(503);
    expect(codes(answer)).toEqual(['EMERGENCY_STOP']);
    expect(answer.headers['retry-after']).toBe('60');
    expect(await lastRecord()).toMatchObject({ outcome: 'refused', reason: 'EMERGENCY_STOP' });
    // A public field needs no token.
    expect((await gateway.ask('{ hello }')).status).toBe(200);
    // Another issuer's tokens are unaffected.
    expect((await gateway.ask(QUERY, { token: await issuer.mint({ scope: 'name' }) })).status).toBe(200);
    await announce(ACCESS_RESUMED, ofEverything(transmitter.url));
    expect((await gateway.ask(QUERY, { token: held })).body.data).toEqual(ALL);
  });

  it('keeps a suspension that a new stream repeats, and drops others', async () => {
    const [kept, lifted] = [await mint('kept-app'), await mint('lifted-app')];
    for (const id of ['kept-app', 'lifted-app']) await announce(ACCESS_SUSPENDED, ofClient(id));
    await until(() => transmitter.queue.size === 0, 'the event is acknowledged');
    transmitter.mode = 'forgotten';
    await until(() => transmitter.mode === 'up', 'a new stream');
    await transmitter.announce(ofClient('kept-app'), { eventType: ACCESS_SUSPENDED });
    // The small transmitter's first answer may have been empty, which means that no suspension is in force.
    await until(
      async () => (await gateway.ask(QUERY, { token: lifted })).status === 200,
      'the omitted suspension ended',
    );
    await until(
      async () => (await gateway.ask(QUERY, { token: kept })).status === 403,
      'the repeated suspension holds',
    );
  });

  it.each([
    ['of nobody', { format: 'complex' }],
    ['of two kinds', { ...ofClient('a'), ...ofScope('b') }],
    ['of another issuer’s everything', ofEverything('https://other.example')],
    ['of what is not known', { format: 'complex', group: { format: 'opaque', id: 'g' } }],
  ])('does not mistake a suspension %s for one in force', async (_name, subjectId) => {
    const before = gateway.log.of('REVOCATION_STREAM_BROKEN').length;
    const jti = await transmitter.announce(subjectId, { eventType: ACCESS_SUSPENDED });
    await until(() => gateway.log.of('REVOCATION_STREAM_BROKEN').length > before, 'the event is refused');
    expect(gateway.log.of('REVOCATION_STREAM_BROKEN').at(-1)?.reason).toBe('EVENT_UNREADABLE');
    expect(transmitter.queue.has(jti)).toBe(true);
    transmitter.queue.delete(jti);
  });
});

describe('Suspensions', () => {
  const clients = ['a', 'b', 'c'];
  const targets: Suspended[] = [
    ...clients.map((clientId): Suspended => ({ kind: 'client', clientId })),
    ...['x', 'y'].map((scope): Suspended => ({ kind: 'scope', scope })),
    { kind: 'everything' },
  ];

  it('are those suspended and not resumed, across any streams (property)', () => {
    const step = fc.record({
      action: fc.constantFrom('suspend', 'resume', 'new stream'),
      target: fc.nat({ max: targets.length - 1 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const suspensions = new Suspensions();
        const standing = new Set<Suspended>();
        for (const { action, target: index } of steps) {
          const target = targets[index];
          if (target === undefined) continue;
          if (action === 'new stream') {
            // The new stream lists all current suspensions; one was lifted while disconnected.
            standing.delete(target);
            suspensions.beginStream(ISSUER);
            for (const each of standing) suspensions.suspend(ISSUER, each);
            suspensions.endOfBeginning(ISSUER);
          } else if (action === 'suspend') {
            suspensions.suspend(ISSUER, target);
            standing.add(target);
          } else {
            suspensions.resume(ISSUER, target);
            standing.delete(target);
          }
          expect(suspensions.size).toBe(standing.size);
          const isStopped = [...standing].some(({ kind }) => kind === 'everything');
          const stopped = [...standing].flatMap((each) => (each.kind === 'scope' ? [each.scope] : []));
          for (const clientId of clients) {
            const isSuspended = [...standing].some(
              (each) => each.kind === 'client' && each.clientId === clientId,
            );
            const held = token({ clientId, scopes: ['x', 'y', 'z'], issuedAt: 0 });
            expect(suspensions.codeFor(held)).toBe(
              isStopped ? 'EMERGENCY_STOP' : isSuspended ? 'CLIENT_SUSPENDED' : undefined,
            );
            const left = ['x', 'y', 'z'].filter((scope) => !stopped.includes(scope));
            expect([...suspensions.withoutStopped(held).delegation.scopes]).toEqual(left);
            const foreign = token({ issuer: 'https://b.example', clientId, scopes: ['x'], issuedAt: 0 });
            expect(suspensions.codeFor(foreign)).toBeUndefined();
            expect(suspensions.withoutStopped(foreign)).toBe(foreign);
          }
        }
      }),
    );
  });

  it('cut a token anew only if the stopped scopes change', () => {
    const suspensions = new Suspensions();
    const held = token({ scopes: ['x', 'y'], issuedAt: 0 });
    suspensions.suspend(ISSUER, { kind: 'scope', scope: 'x' });
    const cut = suspensions.withoutStopped(held);
    expect(suspensions.withoutStopped(held)).toBe(cut);
    suspensions.suspend(ISSUER, { kind: 'scope', scope: 'y' });
    expect([...suspensions.withoutStopped(held).delegation.scopes]).toEqual([]);
    expect([...held.delegation.scopes]).toEqual(['x', 'y']);
  });

  it('are bounded, and report overflow instead of forgetting', () => {
    const suspensions = new Suspensions();
    let count = 0;
    while (suspensions.suspend(ISSUER, { kind: 'client', clientId: `client-${count}` })) count += 1;
    expect(count).toBe(10_000);
    expect(suspensions.suspend(ISSUER, { kind: 'client', clientId: 'client-0' })).toBe(true);
    expect(suspensions.codeFor(token({ clientId: 'client-9999', issuedAt: 0 }))).toBe('CLIENT_SUSPENDED');
  });
});
