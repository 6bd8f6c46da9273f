import { userInfo } from 'node:os';
import { resolve } from 'node:path';

import type { Kysely } from 'kysely';

// Not the whole authority: these commands need no authorization server.
import {
  type ClientOAuthOptions,
  type Application,
  ApplicationRegister,
  type AuthoritySchema,
  migrateAuthority,
} from '../authority/internal.js';
import { printable } from '../gateway/printable.js';
import { CommandError } from './command-error.js';
import { withDatabase } from './database.js';
import { readRunFile } from './run-file.js';

/** Where the `clients` and `consents` commands find the authority's store. */
export interface StoreOptions {
  /** The data folder of a running start, when DATABASE_URL is not set. */
  readonly data: string;
}

/** Works on the authority's store, brought to the newest version, and closes it. @throws CommandError `NO_DATABASE` */
export async function withAuthorityStore<Result>(
  { data }: StoreOptions,
  work: (db: Kysely<AuthoritySchema>) => Promise<Result>,
): Promise<Result> {
  const databaseUrl = process.env.DATABASE_URL ?? (await readRunFile(resolve(data)))?.databaseUrl;
  if (databaseUrl === undefined) {
    throw new CommandError('NO_DATABASE', `no start runs on ${data}, and DATABASE_URL is not set`);
  }
  const options = { max: 2, applicationName: 'behalf-clients' };
  return withDatabase<AuthoritySchema, Result>(databaseUrl, options, async (db) => {
    await migrateAuthority(db);
    return work(db);
  });
}

/** The same, with the register of applications. */
export async function withApplications<Result>(
  options: StoreOptions,
  work: (applications: ApplicationRegister) => Promise<Result>,
): Promise<Result> {
  return withAuthorityStore(options, (db) => work(new ApplicationRegister(db)));
}

/** Who is on record for what a command does. */
export function whoRunsThis(): string {
  return `command-line:${userInfo().username}`;
}

/** A secret is seen once: where it is made. */
export function printSecret(secret: string | undefined, print: (line: string) => void): void {
  if (secret === undefined) return;
  print(`secret: ${secret}`);
  print('Keep it now: only its digest is stored.');
}

/** One application in lines for people. */
export function describeApplication(application: Application): string {
  const { clientId, registration, ...times } = application;
  const { contact, displayName, homePage, owner, redirectUris } = registration;
  return [
    `${clientId}  ${displayName}`,
    `  owner         ${owner}`,
    `  contact       ${contact}`,
    ...(homePage === undefined ? [] : [`  home page     ${homePage}`]),
    `  kind          ${kindOf(application)}`,
    ...redirectUris.map((uri, index) => `  ${index === 0 ? 'redirects to ' : '             '} ${uri}`),
    ...oauthLines(registration.oauth),
    `  registered    ${times.registeredAt.toISOString()}`,
    ...(times.changedAt > times.registeredAt ? [`  changed       ${times.changedAt.toISOString()}`] : []),
    ...(times.retiredAt === undefined ? [] : [`  retired       ${times.retiredAt.toISOString()}`]),
  ]
    .map((line) => printable(line))
    .join('\n');
}

function kindOf({ confidential, registration }: Application): string {
  const authentication = registration.oauth?.authentication;
  if (authentication === undefined) {
    return confidential ? 'confidential, client_secret_basic' : 'public, PKCE alone';
  }
  const { method } = authentication;
  return `confidential, ${method}${method === 'tls_client_auth' ? ` for ${authentication.dnsName}` : ''}`;
}

function oauthLines(oauth: ClientOAuthOptions = {}): readonly string[] {
  const { authorizationDetailsTypes = [], clientCredentials, exchange, profile, senderConstraint } = oauth;
  const depth = exchange?.depth === undefined ? '' : `, to a depth of ${exchange.depth}`;
  return [
    ...(profile === undefined ? [] : ['  profile       FAPI 2.0']),
    ...(senderConstraint === undefined ? [] : [`  tokens bound  by ${senderConstraint}`]),
    ...(oauth.requirePushedRequests === true ? ['  requests      pushed only'] : []),
    ...(authorizationDetailsTypes.length === 0
      ? []
      : [`  details       ${authorizationDetailsTypes.join(' ')}`]),
    ...(clientCredentials === undefined ? [] : [`  for itself    ${clientCredentials.scopes.join(' ')}`]),
    ...(exchange === undefined ? [] : [`  exchanges     tokens of ${exchange.from.join(' ')}${depth}`]),
    ...(oauth.introspection === true ? ['  introspects   tokens that others present'] : []),
  ];
}
