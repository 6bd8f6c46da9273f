import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { type Kysely, sql } from 'kysely';
import * as oauth from 'openid-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AuditDatabase, pseudonymOf } from '@behalf/audit/postgres';
import { BrowserlessPerson, freePorts } from '@behalf/example/internal';
import { finishForgetting } from '../../authority/consent/finish-forgetting.js';
import type { AuthoritySchema } from '../../authority/internal.js';
import { jsonLog } from '../../gateway/index.js';
import { type RunningExample, startExample } from '../../subgraphs/bank/start/start.js';
import { behalf } from '../cli/support.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { passAnHour, tablesWith } from '../support/forgetting.js';
import { until } from '../support/wait.js';
import { exampleDataFolder } from './data-folder.js';

const ALMA = 'c-000001';
const REDIRECT_URI = 'http://127.0.0.1:4999/callback';
const REASON = ['--reason', 'erasure 4711'];

let database: TestDatabase<AuthoritySchema & AuditDatabase>;
let db: Kysely<never>;
let dataDir: string;
let example: RunningExample;

beforeAll(async () => {
  database = await createTestDatabase();
  db = database.db as never;
  dataDir = await exampleDataFolder('erasure');
  example = await start();
});
afterAll(async () => {
  await example.close();
  await database.drop();
  await rm(dataDir, { recursive: true, force: true });
});

async function start(): Promise<RunningExample> {
  const log = jsonLog('error', () => undefined);
  return startExample({ dataDir, databaseUrl: database.url, ports: await freePorts(), log });
}

/** A person signs in and agrees to everything. @returns the application's token */
async function signIn(user: 'alma' | 'iris', clientId: string, scope: string): Promise<string> {
  const authentication =
    clientId === 'bank-console' ? oauth.ClientSecretBasic(example.consoleSecret) : oauth.None();
  const client = await oauth.discovery(new URL(example.authorityUrl), clientId, undefined, authentication, {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- deprecated only to draw attention; everything here is on loopback
    execute: [oauth.allowInsecureRequests],
  });
  const verifier = oauth.randomPKCECodeVerifier();
  const url = oauth.buildAuthorizationUrl(client, {
    ...{ redirect_uri: REDIRECT_URI, scope, resource: example.audience },
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  const { callbackUrl } = await new BrowserlessPerson().follow(url, { user, password: `${user}-demo` });
  const tokens = await oauth.authorizationCodeGrant(client, callbackUrl, { pkceCodeVerifier: verifier });
  return tokens.access_token;
}

type Data = Readonly<Record<string, unknown>>;

async function ask(
  token: string,
  query: string,
): Promise<{ readonly data?: Data | null; readonly errors?: unknown }> {
  const response = await fetch(`${example.gatewayUrl}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query }),
  });
  return (await response.json()) as { data?: Data | null };
}

async function run(...args: string[]): Promise<string> {
  const ended = await behalf(args, '', { DATABASE_URL: database.url });
  expect(ended, ended.stderr).toMatchObject({ code: 0 });
  return ended.stdout;
}

/** Until the log has every event of the authority. */
async function untilRelayed(): Promise<void> {
  await until(async () => {
    const { rows } = await sql`select 1 from authority.audit_outbox limit 1`.execute(db);
    return rows.length === 0;
  }, 'the events are in the log');
}

interface Node {
  readonly id: string;
  readonly subject: string;
  readonly consentId: string | null;
}

/** What the administrator finds by joining records and consents: whose consent a record names. */
async function joinedBy(administrator: string): Promise<Set<string>> {
  const nodesOf = async (query: string, field: string): Promise<Node[]> => {
    const { data, errors } = await ask(administrator, query);
    expect(errors).toBeUndefined();
    return (data as Record<string, { edges: { node: Node }[] }>)[field]?.edges.map(({ node }) => node) ?? [];
  };
  const consents = await nodesOf('{ consents(first: 100) { edges { node { id subject } } } }', 'consents');
  const records = await nodesOf(
    '{ auditEvents(first: 100) { edges { node { consentId } } } }',
    'auditEvents',
  );
  const named = new Set(records.map(({ consentId }) => consentId));
  return new Set(consents.filter(({ id }) => named.has(id)).map(({ subject }) => subject));
}

/** Whose consents the texts of records name, as their identifiers occur there. */
async function peopleOfRecords(): Promise<Map<string, string>> {
  const { rows } = await sql<{ id: string; subject: string }>`
    select c.id, c.subject from authority.consent c
    where exists (select from audit.record r where strpos(r.content, c.id) > 0)`.execute(db);
  return new Map(rows.map(({ id, subject }) => [id, subject]));
}

it(
  'a person who was erased is not found, and can come back as somebody new',
  { timeout: 180_000 },
  async () => {
    const iris = await signIn('iris', 'bank-console', 'consents:admin audit:search');
    const token = await signIn('alma', 'budget-app', 'profile:read accounts:read consents:read');
    expect((await ask(token, '{ me { name } myAccounts { balance } }')).data).toMatchObject({ me: {} });
    const pseudonym = await pseudonymOf(db, ALMA);
    const { id } = decodeJwt<{ consent: { id: string } }>(token).consent;
    expect((await joinedBy(iris)).has(ALMA)).toBe(true);

    // While her consent is in force, she cannot be forgotten.
    await run('revoke', 'subject', ALMA, ...REASON, '--wait');
    const refused = await behalf(['consents', 'forget', ALMA, ...REASON], '', { DATABASE_URL: database.url });
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toBe(
      `CONSENTS_IN_FORCE: End their consents in force first (behalf revoke consent): ${id}\n`,
    );

    await run('revoke', 'consent', id, ...REASON, '--wait');
    expect(await run('consents', 'forget', ALMA, ...REASON, '--by', 'dana')).toMatch(
      /^Forgotten: 1 consent /,
    );
    expect(await run('consents', 'forget', ALMA, ...REASON)).toContain('within the last hour');
    const unknown = await behalf(['consents', 'forget', 'nobody', ...REASON], '', {
      DATABASE_URL: database.url,
    });
    expect(unknown).toMatchObject({ code: 1, stdout: 'The authority does not know them\n' });
    await run('audit', 'erase', ALMA, ...REASON);
    expect((await ask(token, '{ me { name } }')).data ?? null).toBeNull();
    await untilRelayed();

    // For an hour, gateways may still need to be told whose tokens have ended.
    expect(await tablesWith(db, 'authority', ALMA)).toEqual([
      'authority.change_event',
      'authority.forgotten_person',
      'authority.subject_cutoff',
    ]);
    await passAnHour(db);
    await finishForgetting(database.db);
    await until(async () => (await tablesWith(db, 'authority', ALMA)).length === 0, 'the name is gone');
    for (const name of [ALMA, 'Alma', 'alma']) {
      expect(await tablesWith(db, 'authority', name)).toEqual([]);
      expect(await tablesWith(db, 'audit', name)).toEqual([]);
    }
    // Her records are there, and lead to a consent of nobody.
    const people = await peopleOfRecords();
    expect(people.get(id)).toMatch(/^erased-[0-9a-f-]{36}$/);
    expect([...people.values()].filter((subject) => !/^erased-/.test(subject))).toEqual(['admin-iris']);
    expect([...(await joinedBy(iris))].sort()).toEqual(['admin-iris', people.get(id)]);
    expect(await tablesWith(db, 'audit', pseudonym)).toEqual(
      expect.arrayContaining(['audit.record_subject']),
    );

    expect(await run('consents', 'verify')).toContain('0 differ');
    await run('audit', 'verify', '--policy', join(dataDir, 'audit-log.policy'));
    const found = await run('audit', 'search', '--event', 'person-forgotten', '--format', 'json');
    expect(JSON.parse(found)).toMatchObject({
      record: { operator: 'dana', reason: 'erasure 4711', caller: {}, details: { consents: 1 } },
    });

    // The example opens an account for her again when it starts. Its gateways know the old pseudonym for a minute at most.
    await example.close();
    example = await start();
    const again = await signIn('alma', 'budget-app', 'profile:read accounts:read consents:read');
    const { data } = await ask(again, '{ me { name } myConsents { id version } }');
    const anew = decodeJwt<{ consent: { id: string } }>(again).consent.id;
    expect(data).toMatchObject({
      me: { name: expect.any(String) as string },
      myConsents: [{ id: anew, version: 1 }],
    });
    expect(anew).not.toBe(id);
    const { rows } = await sql`select 1 from audit.record_subject where pseudonym = ${pseudonym}
    and recorded_at > (select max(recorded_at) from audit.record where event = 'person-forgotten')`.execute(
      db,
    );
    expect(rows).toEqual([]);
    expect(await pseudonymOf(db, ALMA)).not.toBe(pseudonym);
    expect(await run('consents', 'verify')).toContain('0 differ');
  },
);
