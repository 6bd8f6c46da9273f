import { freePort } from '../../subgraphs/bank/start/free-port.js';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as oidc from 'openid-client';

import { type Authority, type AuthorityOptions, startAuthority } from '../../authority/index.js';
import { type AuthoritySchema, ConsentRegister } from '../../authority/internal.js';
import { checkPolicy, type Policy, type Sensitivity } from '../../policy/index.js';
import { DEMO_ACCOUNTS, demoClients } from '../../subgraphs/bank/start/demo.js';
import { createAuthorityDatabase } from '../support/authority-database.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

export const AUDIENCE = 'https://api.bank.example';
export const STREAM_SECRET = 'stream-secret-of-the-tests';
export const CONSOLE_SECRET = 'console-secret-of-the-tests';
export const REDIRECT_URI = 'http://127.0.0.1:45678/callback';

const scope = (sentence: string, access: 'read' | 'write', sensitivity: Sensitivity) => ({
  sentence,
  access,
  sensitivity,
});

/** The tests' policy, as in a file: a test modifies a copy of it. */
export const POLICY_FILE = {
  scopes: {
    'profile:read': scope('See your name', 'read', 'personal'),
    'accounts:read': scope('See your accounts and their balances', 'read', 'personal'),
    'transactions:read': scope('See what you paid & received', 'read', 'sensitive'),
    'payments:write': scope('Start payments', 'write', 'sensitive'),
    'consents:read': scope('See your consents', 'read', 'low'),
    'consents:admin': scope('Administer everybody’s consents', 'write', 'sensitive'),
  },
  purposes: {
    budgeting: { sentence: 'To plan your budget' },
    administration: { sentence: 'To administer consents' },
  },
  roles: { administrator: { mayGrant: ['consents:admin'] } },
  clients: {
    'budget-app': {
      scopes: ['profile:read', 'accounts:read', 'transactions:read', 'payments:write'],
      purposes: ['budgeting'],
    },
    'bank-console': {
      scopes: ['accounts:read', 'consents:read', 'consents:admin'],
      purposes: ['administration'],
    },
  },
};

/** An authority's options for this policy, with a schema that names the same scopes. */
export function withPolicy(policy: Policy): Pick<AuthorityOptions, 'policy' | 'vocabulary'> {
  const scopes = new Map([...policy.scopes.keys()].map((name) => [name, ['Query.field']]));
  const purposes = new Map([...policy.purposes.keys()].map((name) => [name, ['Query.field']]));
  return { policy, vocabulary: { scopes, purposes, fields: new Map() } };
}

// The library deprecates the option that permits plain http, which the tests use on the loopback interface.
const named: Readonly<Record<string, unknown>> = oidc;
const permitHttp = named['allowInsecureRequests'] as (client: oidc.Configuration) => void;
export const OVER_LOOPBACK: oidc.DiscoveryRequestOptions = { execute: [permitHttp] };

/** An authority with its own database, at one address across restarts. */
export interface TestAuthority {
  readonly issuer: string;
  readonly database: TestDatabase<AuthoritySchema>;
  readonly consents: ConsentRegister;
  authority: Authority;
  readonly dataDir: string;
  readonly logged: string[];
  /** Stops and restarts it with the same store and data folder. */
  restart(changed?: TestOptions): Promise<void>;
  close(): Promise<void>;
}

/** `demo: false` omits the demo's people and applications. */
export type TestOptions = Partial<AuthorityOptions> & { readonly demo?: boolean };

/** The demo's people and applications, and the given applications. */
export function withDemo({ clients = [], demo = true, ...more }: TestOptions): Partial<AuthorityOptions> {
  if (!demo) return { ...more, clients };
  return { ...more, demoAccounts: DEMO_ACCOUNTS, clients: [...demoClients(CONSOLE_SECRET), ...clients] };
}

/** @param prepare changes the empty database before the authority creates its tables */
export async function startTestAuthority(
  more: TestOptions = {},
  prepare?: (database: TestDatabase<AuthoritySchema>) => Promise<void>,
): Promise<TestAuthority> {
  const database =
    prepare === undefined
      ? await createAuthorityDatabase({ demo: more.demo ?? true })
      : await createTestDatabase<AuthoritySchema>();
  await prepare?.(database);
  const dataDir = await mkdtemp(join(tmpdir(), 'behalf-authority-'));
  const logged: string[] = [];
  const options: AuthorityOptions = {
    port: await freePort(),
    databaseUrl: database.url,
    dataDir,
    audience: AUDIENCE,
    ...withPolicy(checkPolicy(POLICY_FILE)),
    streamSecret: STREAM_SECRET,
    log: { log: (_level, code, facts) => void logged.push(`${code} ${JSON.stringify(facts ?? {})}`) },
    ...withDemo(more),
  };
  const first = await startAuthority(options);
  const test: TestAuthority = {
    issuer: first.issuer,
    database,
    consents: new ConsentRegister(database.db),
    authority: first,
    dataDir,
    logged,
    async restart(changed = {}) {
      await test.authority.close();
      test.authority = await startAuthority({ ...options, ...withDemo({ ...more, ...changed }) });
    },
    async close() {
      await test.authority.close();
      await database.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  return test;
}

/** A real OAuth client. */
export async function discover(
  test: TestAuthority,
  clientId: string = 'budget-app',
): Promise<oidc.Configuration> {
  const authentication = clientId === 'bank-console' ? oidc.ClientSecretBasic(CONSOLE_SECRET) : oidc.None();
  return oidc.discovery(new URL(test.issuer), clientId, undefined, authentication, OVER_LOOPBACK);
}

export interface Request {
  readonly url: URL;
  readonly verifier: string;
  readonly state: string;
}

/** An authorization request as this client makes it. */
export async function authorizationRequest(
  client: oidc.Configuration,
  scope: string,
  more: Record<string, string> = {},
): Promise<Request> {
  const verifier = oidc.randomPKCECodeVerifier();
  const state = oidc.randomState();
  const url = oidc.buildAuthorizationUrl(client, {
    redirect_uri: REDIRECT_URI,
    scope,
    state,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...more,
  });
  return { url, verifier, state };
}

/** What the client got for its code. */
export interface Tokens {
  readonly access_token: string;
  readonly refresh_token?: string;
  readonly expires_in?: number;
  readonly scope?: string;
}

export async function exchange(
  client: oidc.Configuration,
  callbackUrl: URL,
  { state, verifier }: Request,
): Promise<Tokens> {
  return oidc.authorizationCodeGrant(client, callbackUrl, {
    pkceCodeVerifier: verifier,
    expectedState: state,
  });
}
