import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWriterRole, readAudit, writerUrl } from '../../audit/postgres.js';
import type { AuditRecord } from '../../audit/index.js';
import type { AuditDatabase } from '../../audit/postgres.js';
import {
  AUDIENCE,
  Cleanup,
  codes,
  compose,
  freePort,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
} from '../gateway/support.js';
import type { TestGateway } from '../gateway/support.js';
import { createAuditDatabase } from '../support/audit-database.js';
import type { TestDatabase } from '../support/database.js';

const LINKS = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@authenticated"])
  @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@subject"])
`;
const OWNED = '@subject(field: "owner", unless: [["support:read", "tickets"], ["auditor"]])';
const MAIL = `${LINKS}
  type Query { letters(of: [ID!]!): [Letter!]! @authenticated }
  type Letter @key(fields: "id") ${OWNED} { id: ID! @authenticated text: String @authenticated }`;
const STAMPS = `${LINKS}
  type Letter @key(fields: "id") ${OWNED} { id: ID! @authenticated stamps: Int @authenticated }`;

const cleanup = new Cleanup();
const role = `audit_subjects_${randomBytes(6).toString('hex')}`;
let database: TestDatabase<AuditDatabase>;
let issuer: TestIssuer;
let gateway: TestGateway;

const letter = (owner: string): object => ({ id: owner, owner, text: `to ${owner}`, stamps: 2 });

beforeAll(async () => {
  database = await createAuditDatabase();
  await createWriterRole(database.db, 'password', role);
  cleanup.add(async () => {
    await sql`drop owned by ${sql.id(role)}`.execute(database.db);
    await sql`drop role ${sql.id(role)}`.execute(database.db);
    await database.drop();
  });
  const port = await freePort();
  const trust = {
    issuer: `http://127.0.0.1:${port}`,
    jwksUri: `http://127.0.0.1:${port}/.well-known/jwks.json`,
  };
  issuer = await TestIssuer.start();
  const mail = await TestSubgraph.start('mail', trust, MAIL, {
    resolvers: {
      Query: { letters: (_: unknown, { of }: { of: string[] }) => of.map(letter) },
      Letter: { __resolveReference: ({ id }: { id: string }) => letter(id) },
    },
  });
  const stamps = await TestSubgraph.start('stamps', trust, STAMPS, {
    resolvers: { Letter: { __resolveReference: ({ id }: { id: string }) => letter(id) } },
  });
  for (const each of [issuer, mail, stamps]) cleanup.add(() => each.close());
  gateway = await startTestGateway(cleanup, compose(mail, stamps), {
    listen: { port },
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    audit: {
      mode: 'required',
      database: writerUrl(database.url, 'password', role),
      pseudonymKey: randomBytes(32).toString('base64url'),
    },
  });
});
afterAll(() => cleanup.run());

const SUPPORT = { sub: 'dana', scope: 'tickets support:read' };
const ask = async (
  of: string[],
  claims: Record<string, unknown>,
  fields = 'text stamps',
): Promise<string> => {
  const { body } = await gateway.ask(`{ letters(of: ${JSON.stringify(of)}) { ${fields} } }`, {
    token: await issuer.mint(claims),
  });
  return JSON.stringify(body);
};

async function newest(): Promise<AuditRecord> {
  const [stored] = await readAudit(database.db, { limit: 1 });
  if (stored === undefined) throw new Error('no record');
  return stored.record;
}

/** Whose records are found under a person's pseudonym: the pseudonyms of their callers, the newest first. */
async function historyOf(subject: string): Promise<readonly AuditRecord[]> {
  const { rows } = await sql<{ content: string }>`
    select content from audit.pseudonyms(array[${subject}]) as named
    join audit.record_subject as about on about.pseudonym = named.pseudonym
    join audit.record using (recorded_at, seq)
    order by recorded_at desc, seq desc`.execute(database.db);
  return rows.map(({ content }) => JSON.parse(content) as AuditRecord);
}

describe('whose rows were read', () => {
  it('is the caller themselves, for their own rows', async () => {
    expect(await ask(['alma'], { sub: 'alma' })).toContain('to alma');
    const { caller, subjects } = await newest();
    expect(subjects).toEqual([caller.subjectPseudonym]);
  });

  it('is in the other person’s history when an administrator read them', async () => {
    expect(await ask(['noor'], SUPPORT)).toContain('"text":"to noor","stamps":2');
    const record = await newest();
    expect(record.subjects).toHaveLength(1);
    expect(record.subjects).not.toContain(record.caller.subjectPseudonym);
    const [found, ...more] = await historyOf('noor');
    expect(found?.transactionId).toBe(record.transactionId);
    expect(more).toEqual([]);
    expect((await historyOf('dana'))[0]?.transactionId).toBe(record.transactionId);
  });

  it('is every person once, whatever the number of rows and subgraphs', async () => {
    await ask(['a', 'b', 'a', 'dana', 'b'], SUPPORT);
    const { caller, subjects } = await newest();
    expect(subjects).toHaveLength(3);
    expect(subjects).toContain(caller.subjectPseudonym);
    expect(subjects).toEqual([...(subjects ?? [])].sort());
  });

  it('is a hundred of them, and a mark that there were more', async () => {
    await ask(
      Array.from({ length: 130 }, (_, at) => `crowd-${at}`),
      SUPPORT,
    );
    const record = await newest();
    expect(record.subjects).toHaveLength(100);
    expect(record.moreSubjects).toBe(true);
    await ask(['alma'], { sub: 'alma' });
    expect(await newest()).not.toHaveProperty('moreSubjects');
  });

  it('is nobody when rows look missing, or only their types were asked for', async () => {
    expect(await ask(['noor'], { sub: 'alma', scope: 'tickets' })).not.toContain('to noor');
    expect(await newest()).not.toHaveProperty('subjects');
    await ask(['noor'], SUPPORT, '__typename');
    expect(await newest()).not.toHaveProperty('subjects');
  });

  it('is told about a service as well', async () => {
    const service = { sub: 'job', client_id: 'job', scope: 'auditor' };
    expect(await ask(['noor'], service)).toContain('to noor');
    expect((await historyOf('noor'))[0]?.caller.clientId).toBe('job');
  });

  it('names nobody in the record itself', async () => {
    await ask(['noor'], SUPPORT);
    const text = JSON.stringify(await newest());
    expect(text).not.toMatch(/noor|dana/);
  });
});

describe('without pseudonyms', () => {
  it('nothing is read, because it could not be recorded', async () => {
    await sql`alter function audit.pseudonyms(text[]) rename to gone`.execute(database.db);
    try {
      const answer = await gateway.ask('{ letters(of: ["new"]) { text } }', {
        token: await issuer.mint({ sub: 'somebody-new' }),
      });
      expect(answer.status).toBe(503);
      expect(codes(answer)).toEqual(['AUDIT_UNAVAILABLE']);
      // A request without a person needs none.
      expect((await gateway.ask('{ letters(of: []) { text } }')).status).toBe(200);
    } finally {
      await sql`alter function audit.gone(text[]) rename to pseudonyms`.execute(database.db);
    }
  });
});
