import { userInfo } from 'node:os';

import type { Kysely } from 'kysely';

// Not the whole authority: these commands do not load the authorization server.
import { type Application, ApplicationRegister, type ClientOAuthOptions } from '@behalf/authority/clients';
import { type AuthoritySchema, migrateAuthority } from '@behalf/authority/consent';
import { printable } from '@behalf/gateway/printable';
import { type Environment, findDatabaseUrl } from './data-dir.js';
import { withDatabase } from './database.js';

/** How the `clients` and `consents` commands find the authority's database. */
export interface StoreOptions {
  /** Data folder of a running Behalf, whose database is used when DATABASE_URL is not set. */
  readonly data: string;
  readonly env: Environment;
}

/** Opens the authority's database, migrates it to the newest version, and closes it afterwards. @throws CommandError `NO_DATABASE` */
export async function withAuthorityStore<Result>(
  { data, env }: StoreOptions,
  work: (db: Kysely<AuthoritySchema>) => Promise<Result>,
): Promise<Result> {
  const databaseUrl = await findDatabaseUrl(data, env);
  const options = { max: 2, applicationName: 'behalf-clients' };
  return withDatabase<AuthoritySchema, Result>(databaseUrl, options, async (db) => {
    await migrateAuthority(db);
    return work(db);
  });
}

/** Like `withAuthorityStore`, with the register of applications. */
export async function withApplications<Result>(
  options: StoreOptions,
  work: (applications: ApplicationRegister) => Promise<Result>,
): Promise<Result> {
  return withAuthorityStore(options, (db) => work(new ApplicationRegister(db)));
}

/** Recorded as the author of what a command does. */
export function whoRunsThis(): string {
  return `command-line:${userInfo().username}`;
}

/** A secret is shown only once, when it is created. */
export function printSecret(secret: string | undefined, print: (line: string) => void): void {
  if (secret === undefined) return;
  print(`secret: ${secret}`);
  print('Keep it now: only its digest is stored.');
}

/** One application as lines for people. */
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
