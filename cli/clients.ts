import { userInfo } from 'node:os';
import { resolve } from 'node:path';

// Not the whole authority: these commands need no authorization server.
import { type Application, ApplicationRegister } from '../authority/clients/index.js';
import { type AuthoritySchema, migrateAuthority } from '../authority/consent/index.js';
import { openDatabase } from '../store/index.js';
import { CommandError } from './command-error.js';
import { readRunFile } from './run-file.js';

/** Where the `clients` and `consents` commands find the authority's store. */
export interface StoreOptions {
  /** The data folder of a running start, when DATABASE_URL is not set. */
  readonly data: string;
}

/** Works on the authority's store, brought to the newest version, and closes it. @throws CommandError `NO_DATABASE` */
export async function withAuthorityStore<Result>(
  { data }: StoreOptions,
  work: (db: ReturnType<typeof openDatabase<AuthoritySchema>>) => Promise<Result>,
): Promise<Result> {
  const databaseUrl = process.env.DATABASE_URL ?? (await readRunFile(resolve(data)))?.databaseUrl;
  if (databaseUrl === undefined) {
    throw new CommandError('NO_DATABASE', `no start runs on ${data}, and DATABASE_URL is not set`);
  }
  const db = openDatabase<AuthoritySchema>(databaseUrl, { max: 2, applicationName: 'behalf-clients' });
  try {
    await migrateAuthority(db);
    return await work(db);
  } finally {
    await db.destroy();
  }
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

/** One application in lines for people. */
export function describeApplication({ clientId, confidential, registration, ...times }: Application): string {
  const { contact, displayName, homePage, owner, redirectUris } = registration;
  return [
    `${clientId}  ${displayName}`,
    `  owner         ${owner}`,
    `  contact       ${contact}`,
    ...(homePage === undefined ? [] : [`  home page     ${homePage}`]),
    `  kind          ${confidential ? 'confidential, client_secret_basic' : 'public, PKCE alone'}`,
    ...redirectUris.map((uri, index) => `  ${index === 0 ? 'redirects to ' : '             '} ${uri}`),
    `  registered    ${times.registeredAt.toISOString()}`,
    ...(times.changedAt > times.registeredAt ? [`  changed       ${times.changedAt.toISOString()}`] : []),
    ...(times.retiredAt === undefined ? [] : [`  retired       ${times.retiredAt.toISOString()}`]),
  ].join('\n');
}
