import { DEMO_ACCOUNTS } from '@behalf/example/internal';
import { printError, printLine } from 'behalf/internal';
import { partsLog } from './log.js';
import { startExample } from './start.js';
import type { RunningExample, StartOptions } from './start.js';

/**
 * Runs the example until SIGINT or SIGTERM, or until its database dies.
 *
 * @returns the exit code: 0 after a signal, 1 when the database died
 */
export async function startCommand(options: Omit<StartOptions, 'log' | 'progress'>): Promise<0 | 1> {
  const began = performance.now();
  const stop = stopSignal();
  printLine('Behalf is starting');
  const running = await startExample({
    ...options,
    log: partsLog('warn'),
    progress: (phase) => printLine(`  … ${phase}`),
  });
  printLine(describe(running, (performance.now() - began) / 1000));

  const died = await Promise.race([stop.then(() => undefined), running.databaseDied]);
  if (died === undefined) printLine('\nStopping');
  else printError(`\n${died.code}: ${died.message}`);
  await running.close();
  return died === undefined ? 0 : 1;
}

/** Settles at the first signal. A second one ends the process at once; the database's watchdog then stops the database. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(1));
        resolve();
      });
    }
  });
}

function describe(running: RunningExample, seconds: number): string {
  const people = DEMO_ACCOUNTS.map(({ username, password, displayName, roles }) => {
    const role = roles.includes('administrator') ? ', administrator' : '';
    return `    ${username.padEnd(6)} password ${password.padEnd(10)}  ${displayName}${role}`;
  });
  const subgraphs = Object.entries(running.subgraphUrls).map(
    ([name, url]) => `    ${name.padEnd(10)} ${url}`,
  );
  return [
    '',
    `Behalf is ready (${seconds.toFixed(1)} s). It listens on this machine only, because its passwords are public.`,
    '',
    `  gateway      ${running.gatewayUrl}/graphql`,
    `  authority    ${running.authorityUrl}`,
    `  database     ${running.embeddedDatabase ? 'embedded PostgreSQL, kept in the data folder' : 'yours (DATABASE_URL)'}`,
    '  subgraphs (they answer the gateway only)',
    ...subgraphs,
    '',
    '  people to sign in as',
    ...people,
    '',
    '  applications',
    '    budget-app     public, PKCE, redirect to http://127.0.0.1:<any port>/callback',
    `    bank-console   confidential, secret ${running.consoleSecret}`,
    '',
    '  try',
    '    npm run walkthrough            an application gets less than it asked for, then loses access',
    '    npx behalf audit tail          the audit records of that',
    `    curl -s ${running.gatewayUrl}/graphql -H 'content-type: application/json' \\`,
    `      -d '{"query":"{ accountProducts myAccounts { balance } }"}'`,
    '',
    'Ctrl-C stops everything; consents and records are kept.',
  ].join('\n');
}
