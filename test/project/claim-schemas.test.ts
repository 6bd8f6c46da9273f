import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ACCESS_DECISIONS } from '@behalf/directives/internal';
import type { ConsentClaim } from '@behalf/directives';
import type { TxnTokenClaims } from '@behalf/directives/internal';
import type { ValidateFunction } from 'ajv';
import { decodeJwt } from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAudit } from '@behalf/audit/postgres';
import type { AuditEvent, AuditRecord } from '../../audit/index.js';
import type { StoredAuditRecord } from '@behalf/audit/postgres';
import { OUTCOMES } from '../../audit/columns.js';
import { claimsOf, client, clientKey, connect, discoverAs, withClients } from '../authority/oauth-setup.js';
import { AUDIENCE, discover, startTestAuthority } from '../authority/setup.js';
import { ask, Cleanup, compose, freePort, startTestGateway, TestSubgraph } from '../gateway/support.js';
import type { TestGateway } from '../gateway/support.js';
import { createAuditDatabase } from '../support/audit-database.js';
import { compileSchemas, readSchema, SCHEMA_NAMES } from '../support/json-schemas.js';

const schema = await compileSchemas();

/** Reports what is wrong, and with which value. */
function expectValid(validate: ValidateFunction, value: unknown): void {
  const isValid = validate(value);
  expect(isValid ? [] : validate.errors, JSON.stringify(value)).toEqual([]);
}

type Parts = Readonly<Record<string, { readonly examples?: readonly unknown[] }>>;

describe.each(SCHEMA_NAMES)('%s.schema.json', (name) => {
  it('has an identifier, a title, a description and valid examples', async () => {
    const { $id, title, description, examples, $defs } = await readSchema(name);
    expect($id).toBe(`https://specs.behalf.dev/schemas/v0.1/${name}.schema.json`);
    expect([typeof title, typeof description]).toEqual(['string', 'string']);
    expect(examples).not.toHaveLength(0);
    for (const example of examples as unknown[]) expectValid(schema(name), example);
    for (const [part, { examples: more = [] }] of Object.entries(($defs ?? {}) as Parts)) {
      for (const example of more) expectValid(schema(`${name}#${part}`), example);
    }
  });

  it('describes every member', async () => {
    const undescribed: string[] = [];
    const walk = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return;
      const { properties, prefixItems } = node as { properties?: object; prefixItems?: object };
      for (const [key, member] of Object.entries({ ...properties, ...prefixItems })) {
        const isConstraint = /\/(then|else|if|dependentSchemas)\b/.test(path);
        if (!isConstraint && typeof (member as { description?: unknown }).description !== 'string')
          if ((member as { $ref?: unknown }).$ref === undefined) undescribed.push(`${path}/${key}`);
      }
      for (const [key, child] of Object.entries(node)) {
        if (key !== 'examples') walk(child, `${path}/${key}`);
      }
    };
    walk(await readSchema(name), name);
    expect(undescribed).toEqual([]);
  });
});

describe('the schemas match the types’ members', () => {
  /** By type, so that a new member of the type must be added here. */
  type Members<T> = Readonly<Record<keyof Required<T>, true>>;
  const members = async (name: (typeof SCHEMA_NAMES)[number], ...path: readonly string[]) => {
    let node = (await readSchema(name)) as Record<string, unknown>;
    for (const step of path) node = node[step] as Record<string, unknown>;
    return Object.keys(node.properties as object).sort();
  };

  it('of the consent claim', async () => {
    const names: Members<ConsentClaim> = {
      id: true,
      version: true,
      purposes: true,
      detail: true,
      levels: true,
      until: true,
    };
    expect(await members('consent')).toEqual(Object.keys(names).sort());
  });

  it('of the transaction token', async () => {
    const payload: Members<TxnTokenClaims> = {
      ...{ iss: true, iat: true, exp: true, txn: true, aud: true, sub: true, scope: true },
      ...{ req_wl: true, jti: true, bind: true, tctx: true, rctx: true },
    };
    const tctx: Members<TxnTokenClaims['tctx']> = {
      service: true,
      consent: true,
      detail: true,
      policies: true,
      roles: true,
    };
    const rctx: Members<TxnTokenClaims['rctx']> = { client_id: true, act: true };
    expect(await members('txn-token')).toEqual(Object.keys(payload).sort());
    expect(await members('txn-token', '$defs', 'tctx')).toEqual(Object.keys(tctx).sort());
    expect(await members('txn-token', '$defs', 'rctx')).toEqual(Object.keys(rctx).sort());
  });

  it('of the audit record', async () => {
    const record: Members<AuditRecord> = {
      ...{ transactionId: true, traceId: true, traceLink: true, time: true, outcome: true, reason: true },
      ...{ caller: true, passedOn: true, operationName: true, operationHash: true, source: true },
      ...{ policyVersion: true, supergraphVersion: true, owners: true },
      ...{ fields: true, mutates: true, subjects: true, moreSubjects: true, unaccounted: true },
    };
    const caller: Members<AuditRecord['caller']> = {
      ...{ subjectPseudonym: true, service: true, clientId: true, scopes: true, actor: true },
      ...{ consentId: true, consentVersion: true, purposes: true },
    };
    const access: Members<AuditRecord['fields'][number]> = {
      ...{
        coordinate: true,
        decision: true,
        count: true,
        strategy: true,
        level: true,
        rule: true,
        subgraph: true,
      },
    };
    // What the sinks add to the text that they store.
    const stored = ['class', 'salt'];
    expect(await members('audit-record')).toEqual([...Object.keys(record), ...stored].sort());
    expect(await members('audit-record', 'properties', 'caller')).toEqual(Object.keys(caller).sort());
    expect(await members('audit-record', '$defs', 'access')).toEqual(Object.keys(access).sort());
  });

  it('of the audit event', async () => {
    const event: Members<AuditEvent> = {
      ...{ transactionId: true, traceId: true, time: true, event: true, caller: true },
      ...{ eventId: true, operator: true, reason: true, statement: true, subjects: true, details: true },
    };
    expect(await members('audit-event')).toEqual([...Object.keys(event), 'class', 'salt'].sort());
  });

  it('and the decisions and outcomes', async () => {
    const facts = (await readSchema('facts')) as { $defs: { access: { prefixItems: { enum?: unknown }[] } } };
    expect(facts.$defs.access.prefixItems[1]?.enum).toEqual(ACCESS_DECISIONS);
    const record = (await readSchema('audit-record')) as {
      properties: { outcome: { enum: unknown[] } };
      $defs: { access: { properties: { decision: { enum: unknown } } } };
    };
    // The gateway's own: a subgraph that gives no account was asked.
    expect(record.$defs.access.properties.decision.enum).toEqual([...ACCESS_DECISIONS, 'asked']);
    expect([...record.properties.outcome.enum].sort()).toEqual(Object.keys(OUTCOMES).sort());
  });
});

describe('what the running system writes', () => {
  const cleanup = new Cleanup();
  const sdl = /* GraphQL */ `
    extend schema
      @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@authenticated", "@policy"])
      @link(
        url: "https://specs.behalf.dev/behalf/v0.1"
        import: ["@requiresScope", "@purpose", "@minimize", "@subject"]
      )
    type Query {
      hello: String
      mine: String @authenticated
      accounts: [Account] @requiresScope(scope: "accounts:read")
      tax: String @purpose(of: ["tax"])
      vip: String @policy(policies: [["vip"]])
    }
    type Account @key(fields: "id") @subject(field: "owner") {
      id: ID!
      owner: ID
      iban: String @minimize(to: MASK, last: 4, showLength: true, unless: [["transactions:read"]])
      plan: String @requiresScope(scope: "payments:write") @purpose(of: ["budgeting"])
    }
  `;
  const account = { id: '1', owner: 'c-000001', iban: 'SE4550000000058398257466', plan: 'gold' };
  const resolvers = {
    Query: {
      hello: () => 'hello',
      mine: () => 'mine',
      accounts: () => [account, { ...account, owner: 'c-000002' }],
      vip: () => 'vip',
    },
    Account: { __resolveReference: () => account },
  };
  const query = 'query Overview { hello mine accounts { id iban plan } tax vip }';
  const tokens: Record<string, string> = {};
  let auditFile: string;
  let bank: TestSubgraph;
  let plain: TestGateway;
  let bound: TestGateway;
  let storedRecords: () => Promise<readonly StoredAuditRecord[]>;

  beforeAll(async () => {
    const key = await clientKey();
    const { authentication } = key;
    const service = client('statements', {
      authentication,
      clientCredentials: { scopes: ['accounts:read'] },
      exchange: { from: ['budget-app'], depth: 2 },
    });
    const authority = await startTestAuthority(
      withClients([service], { statements: { scopes: ['accounts:read'] } }),
    );
    cleanup.add(() => authority.close());
    const statements = await discoverAs(authority, 'statements', key);
    const person = await connect(await discover(authority), 'accounts:read payments:write');
    const exchanged = await oidc.genericGrantRequest(
      statements,
      'urn:ietf:params:oauth:grant-type:token-exchange',
      {
        subject_token: person.access_token,
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      },
    );
    tokens.person = person.access_token;
    tokens.exchanged = exchanged.access_token;
    tokens.service = (await oidc.clientCredentialsGrant(statements, { scope: 'accounts:read' })).access_token;

    const folder = await mkdtemp(join(tmpdir(), 'behalf-schemas-'));
    cleanup.add(() => rm(folder, { recursive: true, force: true }));
    auditFile = join(folder, 'audit.jsonl');
    const database = await createAuditDatabase();
    cleanup.add(() => database.drop());
    storedRecords = () => readAudit(database.db, { limit: 100 });
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const trust = { issuer: url, jwksUri: `${url}/.well-known/jwks.json` };
    bank = await TestSubgraph.start('bank', trust, sdl, { resolvers });
    cleanup.add(() => bank.close());
    const pseudonymKey = randomBytes(32).toString('base64url');
    const config = {
      issuers: [{ issuer: authority.issuer, audience: AUDIENCE, claims: { policies: 'policies' } }],
      propagation: { issuer: url },
      subgraphs: { bank: { roles: ['administrator'] } },
    };
    plain = await startTestGateway(cleanup, compose(bank), {
      ...config,
      listen: { port },
      audit: { mode: 'required', file: auditFile, pseudonymKey },
    });
    bound = await startTestGateway(cleanup, compose(bank), {
      ...config,
      propagation: { issuer: url, bind: 'body' },
      audit: { mode: 'required', database: database.url, pseudonymKey },
    });
  });
  afterAll(() => cleanup.run());

  /** Every kind of caller, and a refused request. */
  async function askAll(gateway: TestGateway): Promise<string[]> {
    bank.requests.length = 0;
    for (const token of Object.values(tokens)) expect((await gateway.ask(query, { token })).status).toBe(200);
    expect((await gateway.ask('{ hello }')).status).toBe(200);
    expect((await gateway.ask('{ hello }', { token: 'a.b.c' })).status).toBe(401);
    expect((await gateway.ask('{ nothing }')).status).toBe(400);
    return bank.requests.flatMap(({ headers }) =>
      headers['txn-token'] === undefined ? [] : [String(headers['txn-token'])],
    );
  }

  it('access tokens: of a person, exchanged, and of a service', () => {
    for (const name of ['person', 'exchanged'])
      expectValid(schema('consent'), claimsOf({ access_token: tokens[name] ?? '' }).consent);
    expectValid(schema('txn-token#act'), claimsOf({ access_token: tokens.exchanged ?? '' }).act);
    expect(claimsOf({ access_token: tokens.service ?? '' }).consent).toBeUndefined();
  });

  it('transaction tokens at a subgraph: persons, actors and services, plain and bound', async () => {
    const seen = [...(await askAll(plain)), ...(await askAll(bound))].map((token) => decodeJwt(token));
    expect(seen).toHaveLength(6);
    for (const payload of seen) expectValid(schema('txn-token'), payload);
    expect(seen.filter(({ tctx }) => (tctx as { service?: true }).service === true)).toHaveLength(2);
    expect(seen.filter(({ rctx }) => (rctx as { act?: object }).act !== undefined)).toHaveLength(2);
    expect(seen.filter(({ bind, jti }) => bind !== undefined && jti !== undefined)).toHaveLength(3);
    for (const { tctx, rctx } of seen) {
      expectValid(schema('txn-token#tctx'), tctx);
      expectValid(schema('txn-token#rctx'), rctx);
    }
  });

  it('facts in a subgraph response', async () => {
    const [token = ''] = await askAll(plain);
    // The subgraph is asked for more than the gateway would ask, so that it has denials of its own.
    const answer = await ask(bank.url, query, { headers: { 'txn-token': token } });
    const { behalf } = answer.body.extensions as { behalf: { fields: readonly (readonly unknown[])[] } };
    expectValid(schema('facts'), behalf);
    const decisions = new Set(behalf.fields.map(([, decision]) => decision));
    expect([...decisions].sort()).toEqual(['allowed', 'denied', 'minimized']);
  });

  it('why a subgraph refused a transaction token, in place of facts', async () => {
    const answer = await ask(bank.url, query, { headers: { 'txn-token': 'a.b.c' } });
    const { behalf } = answer.body.extensions as { behalf: object };
    expect(behalf).toEqual({ v: 1, refusedToken: 'TXN_TOKEN_INVALID' });
    expectValid(schema('facts'), behalf);
    for (const invalid of [{ v: 1 }, { ...behalf, fields: [] }]) expect(schema('facts')(invalid)).toBe(false);
  });

  it('audit records: file lines and PostgreSQL rows', async () => {
    await askAll(plain);
    const lines = (await readFile(auditFile, 'utf8')).trimEnd().split('\n');
    const records = lines.map((line) => JSON.parse(line) as AuditRecord);
    await askAll(bound);
    const rows = (await storedRecords()).map(({ record }) => record);
    for (const list of [records, rows]) {
      expect(list.length).toBeGreaterThanOrEqual(6);
      for (const record of list) expectValid(schema('audit-record'), record);
      expect(new Set(list.map(({ outcome }) => outcome))).toEqual(
        new Set(['answered', 'authentication-failed', 'refused']),
      );
      expect(list.some(({ caller }) => caller.service === true)).toBe(true);
      expect(list.some(({ caller }) => caller.actor === 'statements')).toBe(true);
    }
  });
});
