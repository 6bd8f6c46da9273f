import type { GatewayTrust, SubgraphLog } from '@behalf/directives';
import type { Kysely } from 'kysely';

import {
  type AuthoritySchema,
  ConsentRegister,
  GatewayAcknowledgements,
  SuspensionRegister,
} from '@behalf/authority/consent';
import type { ShutdownOptions } from '@behalf/http';
import { databaseReadiness, needsConsents } from '@behalf/authority/internal';
import { checkDatabase, type Log, openDatabase } from '@behalf/store';
import type { AuditDatabase } from '@behalf/audit/postgres';
import type { ConsentContext } from './context.js';
import { checkOptions } from './check-options.js';
import { buildConsentSchema } from './schema.js';
import { type RunningSubgraph, startSubgraph } from './server.js';

/** The options of {@link startConsentSubgraph}. */
export interface ConsentSubgraphOptions {
  /** PostgreSQL holding the authority's tables (`migrateAuthority` of `@behalf/authority` makes them). */
  readonly databaseUrl: string;
  /**
   * PostgreSQL with the audit log, under the role that `createReaderRole` of `@behalf/audit/postgres` makes. Default: none, and
   * `accessHistory` and `auditEvents` answer `NO_AUDIT_LOG`.
   */
  readonly auditDatabaseUrl?: string | undefined;
  /** The gateway whose transaction tokens are accepted: its issuer, and where its keys are. */
  readonly gateway: GatewayTrust;
  /** The address to listen on; default `127.0.0.1`. */
  readonly host?: string | undefined;
  /** The port to listen on, 0 for any free one; default 4014. */
  readonly port?: number | undefined;
  /** Whether the schema can be read by introspection; default false. */
  readonly introspection?: boolean | undefined;
  /** How {@link RunningSubgraph.drain} ends it. Default: `notReadyMs` 5,000 and `drainMs` 3,000. */
  readonly shutdown?: ShutdownOptions | undefined;
  /** Default: nothing is logged but the directives' warnings, which go to stderr. */
  readonly log?: Log | undefined;
}

/**
 * The port that {@link startConsentSubgraph} listens on unless it is given another.
 *
 * @example
 * ```ts
 * import { DEFAULT_CONSENT_PORT } from '@behalf/consent-subgraph';
 *
 * console.log(`routing_url: http://127.0.0.1:${DEFAULT_CONSENT_PORT}/`);
 * ```
 */
export const DEFAULT_CONSENT_PORT = 4014;
const NAME = 'consent';
const MAX_CONNECTIONS = 10;
/** Searches must not take every connection of the reader's role from other instances. */
const MAX_AUDIT_CONNECTIONS = 4;
const SILENT: Log = { log: () => undefined };

/**
 * Starts the subgraph in which people see, narrow and end their consents, and administrators revoke and suspend.
 *
 * It answers the gateway only: a request without a valid transaction token is denied every field but the schema. It
 * opens a pool of at most 10 connections, one more that waits for gateways' acknowledgements (`waitFor: ALL_GATEWAYS`), and at most 4
 * to the audit log.
 *
 * It also answers `/health/live` and `/health/ready`.
 *
 * @returns the running subgraph; `close()` answers pending requests first, then closes the database connections
 * @throws {DirectiveError} `INVALID_OPTIONS` naming an option that is unknown, missing or cannot be used
 * @throws Error when the address cannot be listened on
 * @throws StoreError `DATABASE_UNREACHABLE`, `DATABASE_VERSION` when the database cannot be used
 *
 * @example
 * ```ts
 * import { startConsentSubgraph } from '@behalf/consent-subgraph';
 *
 * const subgraph = await startConsentSubgraph({
 *   databaseUrl: 'postgres://consent@db.example/behalf',
 *   gateway: {
 *     issuer: 'https://gateway.example',
 *     jwksUri: 'https://gateway.example/.well-known/jwks.json',
 *   },
 * });
 * console.log(subgraph.url);
 * process.once('SIGTERM', () => void subgraph.drain());
 * ```
 */
export async function startConsentSubgraph(options: ConsentSubgraphOptions): Promise<RunningSubgraph> {
  checkOptions(options);
  const { auditDatabaseUrl, databaseUrl, log = SILENT } = options;
  await checkDatabase(databaseUrl);
  const applicationName = `behalf ${NAME}`;
  const db = openDatabase<AuthoritySchema>(databaseUrl, { max: MAX_CONNECTIONS, applicationName, log });
  // Not checked: revocations must work while the audit log is down.
  const audit =
    auditDatabaseUrl === undefined
      ? undefined
      : openDatabase<AuditDatabase>(auditDatabaseUrl, { max: MAX_AUDIT_CONNECTIONS, applicationName, log });
  const closeDatabases = async (): Promise<void> => {
    await Promise.all([db.destroy(), audit?.destroy()]);
  };
  try {
    const acknowledgements = await GatewayAcknowledgements.open({ databaseUrl, db, log });
    try {
      return await serve(options, { acknowledgements, audit, db, closeDatabases });
    } catch (error) {
      await acknowledgements.close();
      throw error;
    }
  } catch (error) {
    await closeDatabases();
    throw error;
  }
}

interface Resources {
  readonly acknowledgements: GatewayAcknowledgements;
  readonly audit: Kysely<AuditDatabase> | undefined;
  readonly db: Kysely<AuthoritySchema>;
  readonly closeDatabases: () => Promise<void>;
}

async function serve(
  {
    gateway,
    host = '127.0.0.1',
    port = DEFAULT_CONSENT_PORT,
    introspection,
    log,
    shutdown,
  }: ConsentSubgraphOptions,
  { acknowledgements, audit, closeDatabases, db }: Resources,
): Promise<RunningSubgraph> {
  const register = new ConsentRegister(db);
  const suspensions = new SuspensionRegister(db);
  return startSubgraph<ConsentContext>({
    name: NAME,
    host,
    port,
    introspection,
    log,
    shutdown,
    readiness: databaseReadiness(db, needsConsents),
    async closeWith(closeServer) {
      // Mutations that wait for gateways are answered now, so that the server can close.
      await acknowledgements.close();
      await closeServer();
      await closeDatabases();
    },
    schema: buildConsentSchema({ gateway, ruleLog: ruleLogOf(log) }),
    makeContext: (base) => ({ ...base, register, suspensions, acknowledgements, audit }),
  });
}

/** The directives' warnings go to the same log as everything else. */
function ruleLogOf(log: Log | undefined): SubgraphLog | undefined {
  if (log === undefined) return undefined;
  return (code, facts) => {
    log.log('warn', code, { ...facts });
  };
}
