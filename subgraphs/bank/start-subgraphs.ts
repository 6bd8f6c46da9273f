import type { GatewayTrust, SubgraphLog } from '@behalf/directives';
import type { Kysely } from 'kysely';

import type { DatabaseOptions, Log } from '@behalf/store';
import { databaseReadiness, needsAnswers } from '@behalf/authority/internal';
import { openDatabase } from '@behalf/store';
import { buildAccountsSchema } from './accounts/schema.js';
import { startConsentSubgraph } from '@behalf/consent-subgraph';
import type { BankContext } from './shared/context.js';
import { buildCustomersSchema } from './customers/schema.js';
import { buildPaymentsSchema } from './payments/schema.js';
import type { ConsentSubgraphOptions, RunningSubgraph } from '@behalf/consent-subgraph';
import { startSubgraph } from '@behalf/consent-subgraph/internal';

export const SUBGRAPH_NAMES = ['customers', 'accounts', 'payments', 'consent'] as const;
export type SubgraphName = (typeof SUBGRAPH_NAMES)[number];

/** @see startExampleSubgraph */
export interface ExampleSubgraphOptions {
  /** Holds the bank's tables (see `prepareBank`) and the authority's (see `migrateAuthority`). */
  readonly databaseUrl: string;
  /** The audit log, under the reader's role. Default: the consent subgraph has none. */
  readonly auditDatabaseUrl?: string | undefined;
  /** The gateway whose transaction tokens are accepted. */
  readonly gateway: GatewayTrust;
  /** The accounts subgraph derives pseudonyms from it: at least 32 bytes, the same on every instance. */
  readonly pseudonymKey: Uint8Array;
  readonly host: string;
  readonly port: number;
  readonly introspection?: boolean | undefined;
  /** How `drain()` ends it. */
  readonly shutdown?: ConsentSubgraphOptions['shutdown'];
  readonly log?: Log | undefined;
}

const MAX_CONNECTIONS = 10;

const BANK_SCHEMAS = {
  customers: buildCustomersSchema,
  accounts: buildAccountsSchema,
  payments: buildPaymentsSchema,
};
type BankSubgraphName = keyof typeof BANK_SCHEMAS;

/** Starts one subgraph of the example, with its own pool of connections. */
export async function startExampleSubgraph(
  name: SubgraphName,
  options: ExampleSubgraphOptions,
): Promise<RunningSubgraph> {
  if (name !== 'consent') return startBankSubgraph(name, options);
  const { pseudonymKey: _ofTheBank, ...consent } = options;
  return startConsentSubgraph(consent);
}

async function startBankSubgraph(
  name: BankSubgraphName,
  options: ExampleSubgraphOptions,
): Promise<RunningSubgraph> {
  return withDatabase(openDatabase<unknown>(...poolOf(name, options)), (db) =>
    startSubgraph<BankContext>({
      ...addressOf(name, options),
      schema: BANK_SCHEMAS[name]({ ...options, ruleLog: ruleLogOf(options) }),
      makeContext: (base) => ({ ...base, db }),
      readiness: databaseReadiness(db, needsAnswers),
      async closeWith(closeServer) {
        await closeServer();
        await db.destroy();
      },
    }),
  );
}

function addressOf(
  name: BankSubgraphName,
  { host, port, introspection, log, shutdown }: ExampleSubgraphOptions,
) {
  return { name, host, port, introspection, log, shutdown };
}

/** The directives' warnings go to the same log as everything else; without a log, to stderr. */
function ruleLogOf({ log }: ExampleSubgraphOptions): SubgraphLog | undefined {
  if (log === undefined) return undefined;
  return (code, facts) => {
    log.log('warn', code, { ...facts });
  };
}

function poolOf(
  name: BankSubgraphName,
  { databaseUrl, log }: ExampleSubgraphOptions,
): [string, DatabaseOptions] {
  const options = { max: MAX_CONNECTIONS, applicationName: `behalf ${name}` };
  return [databaseUrl, log === undefined ? options : { ...options, log }];
}

/** Closes the pool at once when the server does not start. */
async function withDatabase<Schema>(
  db: Kysely<Schema>,
  start: (db: Kysely<Schema>) => Promise<RunningSubgraph>,
): Promise<RunningSubgraph> {
  try {
    return await start(db);
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

export interface ExampleSubgraphsOptions extends Omit<ExampleSubgraphOptions, 'port'> {
  readonly ports: Readonly<Record<SubgraphName, number>>;
}

export interface RunningExampleSubgraphs {
  readonly urls: Readonly<Record<SubgraphName, string>>;
  close(): Promise<void>;
}

/**
 * Starts all subgraphs of the example in this process.
 *
 * @throws Error when one cannot be started; the others are closed again
 */
export async function startExampleSubgraphs({
  ports,
  ...options
}: ExampleSubgraphsOptions): Promise<RunningExampleSubgraphs> {
  const outcomes = await Promise.allSettled(
    SUBGRAPH_NAMES.map((name) => startExampleSubgraph(name, { ...options, port: ports[name] })),
  );
  const running = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const close = async (): Promise<void> => {
    await Promise.all(running.map((subgraph) => subgraph.close()));
  };
  const [customers, accounts, payments, consent] = running;
  if (customers === undefined || accounts === undefined || payments === undefined || consent === undefined) {
    await close();
    throw outcomes.find((outcome) => outcome.status === 'rejected')?.reason;
  }
  return {
    urls: { customers: customers.url, accounts: accounts.url, payments: payments.url, consent: consent.url },
    close,
  };
}
