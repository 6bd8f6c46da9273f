import { migrateAuthority } from '../../../authority/internal.js';
import { openDatabase } from '../../../store/index.js';
import { prepareBank, startExampleSubgraphs } from '../../../subgraphs/bank/index.js';
import type { SubgraphName } from '../../../subgraphs/bank/index.js';
import type { AuthoritySchema } from '../../../authority/internal.js';
import { createTestDatabase, ensureTemplate, type TestDatabase } from '../../support/database.js';
import { type Caller, createTestGateway } from './gateway.js';

export const SIZES = { customers: 30, accounts: 80, transactions: 4_000 };
export const ALMA = 'c-000001';
export const NOOR = 'c-000002';

export interface GraphQLAnswer {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions: Record<string, unknown>;
  }[];
  readonly extensions?: { readonly behalf?: { readonly fields?: readonly unknown[] } };
}

export interface Example extends AsyncDisposable {
  readonly database: TestDatabase<AuthoritySchema>;
  readonly urls: Readonly<Record<SubgraphName, string>>;
  readonly logged: readonly string[];
  /** Over HTTP, with a transaction token for the caller, or without one. */
  ask(
    subgraph: SubgraphName,
    caller: Caller | undefined,
    query: string,
    variables?: Record<string, unknown>,
  ): Promise<GraphQLAnswer>;
}

/** Fills an empty database with a bank and an authority. */
export async function fillExample(url: string): Promise<void> {
  const db = openDatabase<AuthoritySchema>(url);
  await prepareBank(db, SIZES);
  await migrateAuthority(db);
  await db.destroy();
}

/** All subgraphs over HTTP with their own bank. */
export async function startExample(): Promise<Example> {
  const template = await ensureTemplate('example_bank', fillExample);
  const database = await createTestDatabase<AuthoritySchema>({ template });
  return { database, ...(await startOn(database.url, () => database.drop())) };
}

/** The same on a database with a bank. @param dispose afterwards */
export async function startOn(
  databaseUrl: string,
  dispose: () => Promise<void>,
): Promise<Omit<Example, 'database'>> {
  const gateway = await createTestGateway();
  const logged: string[] = [];
  const subgraphs = await startExampleSubgraphs({
    databaseUrl,
    gateway: gateway.trust,
    pseudonymKey: new Uint8Array(32).fill(7),
    host: '127.0.0.1',
    ports: { customers: 0, accounts: 0, payments: 0, consent: 0 },
    log: { log: (_level, code, facts) => void logged.push(`${code} ${JSON.stringify(facts ?? {})}`) },
  });
  return {
    urls: subgraphs.urls,
    logged,
    async ask(subgraph, caller, query, variables) {
      const token = caller === undefined ? {} : { 'txn-token': await gateway.mint(subgraph, caller) };
      const response = await fetch(subgraphs.urls[subgraph], {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...token },
        body: JSON.stringify({ query, variables }),
      });
      return (await response.json()) as GraphQLAnswer;
    },
    async [Symbol.asyncDispose]() {
      await subgraphs.close();
      await dispose();
    },
  };
}

export { errorCodes as denials } from '../../support/error-codes.js';
