/** How much a line of the {@link Log} matters. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * Receives what the parts report while they run. A line has a stable code and facts; neither ever holds a secret, a token or
 * personal data.
 */
export interface Log {
  log(level: LogLevel, code: string, facts?: Readonly<Record<string, string | number | boolean>>): void;
}

export const silentLog: Log = Object.freeze({ log: () => undefined });

/**
 * Every code that the store logs.
 *
 * @example
 * ```ts
 * import { openDatabaseServer, storeLogCodes } from '@behalf/store';
 *
 * const server = await openDatabaseServer({
 *   dataDir: '.behalf',
 *   log: {
 *     log(level, code) {
 *       if (level === 'error' && code in storeLogCodes) console.error(code);
 *     },
 *   },
 * });
 * ```
 */
export const storeLogCodes = Object.freeze({
  DATABASE_CONNECTION_LOST: {
    description: 'An idle database connection broke; the next query opens another.',
    since: '0.1.0',
  },
  DATABASE_FOLDER_MOVED: {
    description:
      'The account that PostgreSQL runs under cannot enter the data folder, so its files are elsewhere.',
    since: '0.1.0',
  },
  POSTGRES_MESSAGE: { description: 'A warning or an error of the embedded PostgreSQL.', since: '0.1.0' },
});
