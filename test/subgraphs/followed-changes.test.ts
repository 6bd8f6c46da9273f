import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import { sql } from 'kysely';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { AuditEntry, AuditEvent, AuditRecord } from '@behalf/audit';
import { readAuditEntries } from '@behalf/audit/postgres';
import { startConsentSubgraph } from '@behalf/consent-subgraph';
import { projectPath } from '@behalf/example/internal';
import { composeSupergraph } from '../../gateway/compose/compose.js';
import { TestLog as TestAuditLog } from '../audit/log/support.js';
import { waiting } from '../authority/audit/support.js';
import {
  authorizationRequest,
  CONSOLE_SECRET,
  discover,
  exchange,
  startTestAuthority,
  STREAM_SECRET,
  type TestAuthority,
} from '../authority/setup.js';
import { consentTerms } from '../support/consent-terms.js';
import {
  type Answer,
  AUDIENCE,
  Cleanup,
  freePort,
  startTestGateway,
  type TestGateway,
  until,
} from '../gateway/support.js';
import { signInAndConsent } from '../support/person.js';

const cleanup = new Cleanup();
let auditLog: TestAuditLog;
let authority: TestAuthority;
let gateway: TestGateway;
/** Tokens of the administrator. */
let admin: { readonly access: string; readonly refresh: string };

/** An authority, the consent subgraph and a gateway, with one audit log in a database of its own. */
beforeAll(async () => {
  auditLog = await TestAuditLog.create(`followed_${randomBytes(6).toString('hex')}`);
  cleanup.add(() => auditLog.drop());
  const audit = { database: auditLog.writerUrl };
  authority = await startTestAuthority({ longPollMs: 20_000, audit });
  cleanup.add(() => authority.close());
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const consent = await startConsentSubgraph({
    databaseUrl: authority.database.url,
    gateway: { issuer, jwksUri: `${issuer}/.well-known/jwks.json` },
    port: 0,
  });
  cleanup.add(() => consent.close());
  const sdl = await readFile(projectPath('subgraphs', 'consent', 'schema.graphql'), 'utf8');
  gateway = await startTestGateway(cleanup, composeSupergraph([{ name: 'consent', url: consent.url, sdl }]), {
    issuers: [{ issuer: authority.issuer, audience: AUDIENCE }],
    listen: { port },
    subgraphs: { consent: { roles: ['administrator'] } },
    revocation: { streams: [{ issuer: authority.issuer, secret: STREAM_SECRET }] },
    audit: { mode: 'required', ...audit, pseudonymKey: randomBytes(32).toString('base64url') },
  });
  await until(() => gateway.running.gateway.health().revocation === 'fresh', 'the view is fresh');
  const client = await discover(authority, 'bank-console');
  const request = await authorizationRequest(client, 'consents:admin');
  const will = { authorizationUrl: request.url, user: 'iris', password: 'iris-demo' };
  const { callbackUrl } = await signInAndConsent(will);
  const tokens = await exchange(client, callbackUrl, request);
  admin = { access: tokens.access_token, refresh: tokens.refresh_token ?? '' };
});
afterAll(() => cleanup.run());

const transactionOf = (answer: Answer): string => String(answer.headers['behalf-transaction']);

/** What the log has of one transaction. */
async function entriesOf(transactionId: string): Promise<{ record: AuditRecord; events: AuditEvent[] }> {
  await until(async () => (await waiting(authority.database.db)).length === 0, 'the log has every event');
  const stored = await readAuditEntries(auditLog.database.db, { transactionId, limit: 100 });
  const entries: AuditEntry[] = stored.map(({ record }) => record);
  const events = entries.filter((entry) => 'event' in entry);
  const record = entries.find((entry) => 'outcome' in entry && entry.outcome === 'answered');
  if (record === undefined || 'event' in record) throw new Error('no record of the request');
  return { record, events };
}

const MUTATIONS: readonly (readonly [string, AuditEvent['event'], (id: string) => string])[] = [
  [
    'revokeConsent',
    'consent-revoked',
    (id) => `revokeConsent(id: "${id}", reason: "phone call") { outcome }`,
  ],
  ['revokeToken', 'token-revoked', (id) => `revokeToken(id: "${id}", reason: "phone call") { outcome }`],
  [
    'revokeSession',
    'session-revoked',
    (id) => `revokeSession(id: "${id}", reason: "phone call") { outcome }`,
  ],
  [
    'revokeClient',
    'client-revoked',
    () => `revokeClient(clientId: "some-app", reason: "phone call") { outcome }`,
  ],
  [
    'revokeSubjectSessions',
    'subject-sessions-revoked',
    () => `revokeSubjectSessions(subject: "person-by-name", reason: "phone call") { outcome }`,
  ],
  [
    'suspendClient',
    'access-suspended',
    () => `suspendClient(clientId: "some-app", reason: "phone call") { outcome }`,
  ],
  [
    'resumeClient',
    'access-resumed',
    () => `resumeClient(clientId: "some-app", reason: "phone call") { outcome }`,
  ],
  [
    'emergencyStop',
    'access-suspended',
    () => `emergencyStop(target: { scope: "payments:write" }, reason: "phone call") { outcome }`,
  ],
  [
    'exportConsents',
    'consents-exported',
    () => `exportConsents(subject: "person-by-name", reason: "phone call") { endCursor }`,
  ],
];

describe('an administrator’s mutation', () => {
  it.each(MUTATIONS)('%s can be followed from the request’s record to its event', async (_, event, write) => {
    const { id } = await authority.consents.grant(consentTerms('person-by-name', { clientId: 'some-app' }));
    const answer = await gateway.ask(`mutation Administer { ${write(id)} }`, { token: admin.access });
    expect(answer.body.errors).toBeUndefined();
    const { events, record } = await entriesOf(transactionOf(answer));
    expect(events[0]).toMatchObject({ event, reason: 'phone call', traceId: record.traceId });
    expect(record.caller).toMatchObject({ clientId: 'bank-console', purposes: ['administration'] });
    // The subgraph knows those scopes only that it asks about.
    const { scopes: _scopes, ...caller } = record.caller;
    for (const each of events) {
      expect(each.caller).toEqual(caller);
      expect(each.operator).toBeUndefined();
    }
  });

  it('of which nothing came leaves no event', async () => {
    const mutation = `mutation { revokeConsent(id: "unknown", reason: "phone call") { outcome } }`;
    const answer = await gateway.ask(mutation, { token: admin.access });
    expect((await entriesOf(transactionOf(answer))).events).toEqual([]);
  });
});

it('no name of a subject, no token and no secret is in any record', async () => {
  const { sub, jti } = decodeJwt(admin.access);
  expect(jti).toBeDefined();
  await until(async () => (await waiting(authority.database.db)).length === 0, 'the log has every event');
  const { rows } = await sql<{ text: string }>`
    select r::text || coalesce((select string_agg(s::text, ' ') from audit.record_subject s
      where s.recorded_at = r.recorded_at and s.seq = r.seq), '') as text from audit.record r`.execute(
    auditLog.database.db,
  );
  const text = rows.map((row) => row.text).join('\n');
  expect(text).toContain('consent-granted');
  const secrets = [admin.access, admin.refresh, CONSOLE_SECRET, STREAM_SECRET, 'iris-demo'];
  for (const hidden of [sub ?? '', 'person-by-name', 'iris', ...secrets]) {
    expect(hidden).not.toBe('');
    expect(text).not.toContain(hidden);
  }
});
