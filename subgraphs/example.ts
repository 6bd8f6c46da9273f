import type { GatewayTrust, SubgraphLog } from '@behalf/directives';

import type { Kysely } from 'kysely';

import type { AuthoritySchema } from '@behalf/authority/consent';
import { ConsentRegister, GatewayAcknowledgements, SuspensionRegister } from '@behalf/authority/consent';
import type { DatabaseOptions, Log } from '@behalf/store';
import { openDatabase } from '@behalf/store';
import { buildAccountsSchema } from './accounts/schema.js';
import type { ConsentContext } from './consent/context.js';
import { buildConsentSchema } from './consent/schema.js';
import type { BankContext } from './context.js';
import { buildCustomersSchema } from './customers/schema.js';
import { buildPaymentsSchema } from './payments/schema.js';
import { type RunningSubgraph, startSubgraph } from './server.js';

export const SUBGRAPH_NAMES = ['customers', 'accounts', 'payments', 'consent'] as const;
export type SubgraphName = (typeof SUBGRAPH_NAMES)[number];

/** @see startExampleSubgraph */
export interface ExampleSubgraphOptions {
  /** Holds the bank's tables (see `prepareBank`) and the authority's (see `migrateAuthority`). */
  readonly databaseUrl: string;
  /** Whose transaction tokens are believed. */
  readonly gateway: GatewayTrust;
  /** At least 32 bytes, the same on every instance. */
  readonly pseudonymKey: Uint8Array;
  readonly host: string;
  readonly port: number;
  readonly introspection?: boolean | undefined;
  readonly log?: Log | undefined;
}

const CONNECTIONS_AT_MOST = 10;
const SILENT: Log = { log: () => undefined };

const BANK_SCHEMAS = {
  customers: buildCustomersSchema,
  accounts: buildAccountsSchema,
  payments: buildPaymentsSchema,
};

/** Starts one subgraph of the example, with its own pool of connections. */
export async function startExampleSubgraph(
  name: SubgraphName,
  options: ExampleSubgraphOptions,
): Promise<RunningSubgraph> {
  return name === 'consent' ? startConsent(options) : startBankSubgraph(name, options);
}

async function startConsent(options: ExampleSubgraphOptions): Promise<RunningSubgraph> {
  const name = 'consent';
  const { databaseUrl, log = SILENT } = options;
  return withDatabase(openDatabase<AuthoritySchema>(...poolOf(name, options)), async (db) => {
    const register = new ConsentRegister(db);
    const suspensions = new SuspensionRegister(db);
    const acknowledgements = await GatewayAcknowledgements.open({ databaseUrl, db, log });
    try {
      const running = await startSubgraph<ConsentContext>({
        ...addressOf(name, options),
        schema: buildConsentSchema({ ...options, ruleLog: ruleLogOf(options) }),
        makeContext: (base) => ({ ...base, register, suspensions, acknowledgements }),
      });
      return {
        url: running.url,
        async close() {
          await acknowledgements.close();
          await running.close();
        },
      };
    } catch (error) {
      await acknowledgements.close();
      throw error;
    }
  });
}

async function startBankSubgraph(
  name: keyof typeof BANK_SCHEMAS,
  options: ExampleSubgraphOptions,
): Promise<RunningSubgraph> {
  return withDatabase(openDatabase<unknown>(...poolOf(name, options)), (db) =>
    startSubgraph<BankContext>({
      ...addressOf(name, options),
      schema: BANK_SCHEMAS[name]({ ...options, ruleLog: ruleLogOf(options) }),
      makeContext: (base) => ({ ...base, db }),
    }),
  );
}

function addressOf(name: SubgraphName, { host, port, introspection, log }: ExampleSubgraphOptions) {
  return { name, host, port, introspection, log };
}

/** What the directives tell the team goes where everything else goes; without a log, to stderr. */
function ruleLogOf({ log }: ExampleSubgraphOptions): SubgraphLog | undefined {
  if (log === undefined) return undefined;
  return (code, { subgraph, coordinate, count }) => {
    log.log('warn', code, { subgraph, coordinate, count });
  };
}

function poolOf(name: SubgraphName, { databaseUrl, log }: ExampleSubgraphOptions): [string, DatabaseOptions] {
  const options = { max: CONNECTIONS_AT_MOST, applicationName: `behalf ${name}` };
  return [databaseUrl, log === undefined ? options : { ...options, log }];
}

/** Closes the pool with the server, or at once when it does not start. */
async function withDatabase<Schema>(
  db: Kysely<Schema>,
  start: (db: Kysely<Schema>) => Promise<RunningSubgraph>,
): Promise<RunningSubgraph> {
  try {
    const running = await start(db);
    return {
      url: running.url,
      async close() {
        await running.close();
        await db.destroy();
      },
    };
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
 * @throws Error when one cannot be started; those that could are closed again
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
