import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectPath } from '@behalf/example/internal';
import { ConsentRegister } from '../../authority/internal.js';
import type { AuthorityDatabase } from '../../authority/schema.js';
import { jsonLog } from '../../gateway/index.js';
import { openDatabase } from '../../store/index.js';
import { consentTerms } from '../support/consent-terms.js';
import { freePorts } from '../../subgraphs/bank/start/ports.js';
import { startExample } from '../../subgraphs/bank/start/start.js';
import type { RunningExample } from '../../subgraphs/bank/start/start.js';
import { Narrator } from '../../subgraphs/bank/walkthrough/narrator.js';
import { signIn } from '../../subgraphs/bank/walkthrough/sign-in.js';
import { createTestDatabase } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { Programs } from '../support/programs.js';
import { until } from '../support/wait.js';
import { exampleDataFolder } from './data-folder.js';

const FOLDER = projectPath('docs/runbooks');
const programs = new Programs();
let database: TestDatabase<unknown>;
let emptyDatabase: TestDatabase<unknown>;
let dataDir: string;
let example: RunningExample;
let environment: Record<string, string>;

beforeAll(async () => {
  database = await createTestDatabase();
  emptyDatabase = await createTestDatabase();
  dataDir = await exampleDataFolder('runbooks');
  example = await startExample({
    dataDir,
    databaseUrl: database.url,
    ports: await freePorts(),
    log: jsonLog('error', () => undefined),
  });
  environment = { ...(await caseOf()), PATH: `${await commandFolder()}:${process.env['PATH'] ?? ''}` };
});
afterAll(async () => {
  await programs.stopAll();
  await example.close();
  await database.drop();
  await emptyDatabase.drop();
  await rm(dataDir, { recursive: true, force: true });
});

/** A folder with an `npx` that runs this repository's own command. */
async function commandFolder(): Promise<string> {
  const folder = join(dataDir, 'bin');
  await mkdir(folder);
  const file = join(folder, 'npx');
  await writeFile(file, `#!/bin/sh\nshift\nexec '${process.execPath}' '${projectPath('cli/bin.js')}' "$@"\n`);
  await chmod(file, 0o755);
  return folder;
}

/** An application with a secret, to which somebody has consented. */
async function registerPartner(databaseUrl: string): Promise<void> {
  const policy = join(dataDir, 'policy.yaml');
  const known = await readFile(projectPath('policy.yaml'), 'utf8');
  await writeFile(
    policy,
    known.replace(
      '\nclients:\n',
      '\nclients:\n  partner: { scopes: [accounts:read], purposes: [budgeting] }\n',
    ),
  );
  const who = ['--name', 'Partner', '--owner', 'Partner Ltd', '--contact', 'it@partner.example'];
  const where = ['--redirect-uri', 'https://partner.example/callback', '--policy', policy];
  const args = [projectPath('cli/bin.js'), 'clients', 'add', 'partner', ...who, ...where];
  const program = programs.run(process.execPath, args, dataDir, { DATABASE_URL: databaseUrl });
  expect(await program.ended, program.output()).toBe(0);
  const db: AuthorityDatabase = openDatabase(databaseUrl);
  await new ConsentRegister(db).grant(consentTerms('c-000002', { clientId: 'partner' }));
  await db.destroy();
}

/** What the runbooks' names in capitals stand for: Alma gave budget-app access, and it has read something. */
async function caseOf(): Promise<Record<string, string>> {
  const { audience, authorityUrl: authority, consoleSecret, databaseUrl, gatewayUrl: gateway } = example;
  const run = { pid: process.pid, databaseUrl, gateway, authority, audience, consoleSecret };
  const { tokens } = await signIn(run, new Narrator(() => undefined));
  const response = await fetch(`${gateway}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${tokens.access_token}` },
    body: '{"query":"{ me { name } }"}',
  });
  const transaction = response.headers.get('behalf-transaction') ?? '';
  await registerPartner(databaseUrl);
  const seen = join(dataDir, 'seen');
  const folder = join(dataDir, 'first-export');
  const env = { DATABASE_URL: databaseUrl };
  await until(async () => {
    const bin = projectPath('cli/bin.js');
    const program = programs.run(process.execPath, [bin, 'audit', 'export', folder], dataDir, env);
    return (await program.ended) === 0;
  }, 'the log has a checkpoint');
  await writeFile(seen, await readFile(join(folder, 'checkpoint')));
  const { consent, sub = '' } = decodeJwt<{ consent: { id: string } }>(tokens.access_token);
  const { kid = '' } = decodeProtectedHeader(tokens.access_token);
  return {
    ...env,
    ...{ TICKET: '4711', CONSENT: consent.id, SUBJECT: sub, CLIENT: 'budget-app', SCOPE: 'accounts:read' },
    ...{ CONFIDENTIAL_CLIENT: 'partner', KEY_ID: kid, TRANSACTION: transaction },
    LOG_POLICY: join(dataDir, 'audit-log.policy'),
    LOG_ORIGIN: 'audit.bank.example',
    LOG_KEY: join(dataDir, 'audit-log-key.pem'),
    NEXT_LOG_KEY: join(dataDir, 'next.pem'),
    SEEN_CHECKPOINT: seen,
    EXPORT_FOLDER: join(dataDir, 'export'),
    PROOF_FILE: join(dataDir, 'read.tlog-proof'),
    NEW_DATABASE_URL: emptyDatabase.url,
    NEW_LOG_ORIGIN: 'audit2.bank.example',
    NEW_LOG_KEY: join(dataDir, 'new-log.pem'),
  };
}

/** The shell commands of a page, in their order. */
function commandsOf(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^ *```sh\n(.*?)^ *```/gms)].flatMap(([, block = '']) =>
    block
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== ''),
  );
}

async function run(command: string): Promise<void> {
  const program = programs.run('bash', ['-euc', command], dataDir, environment);
  if (command.includes(' audit sequencer ')) {
    await programs.ready(program, /^log /m);
    await programs.stop(program);
    return;
  }
  const code = await program.ended;
  expect(code, `${command}\n${program.output()}`).toBe(0);
}

const pages = (await readdir(FOLDER)).filter((name) => name.endsWith('.md') && name !== 'README.md');
/** The page on erasure needs the person to be known; it comes last, as it makes them unknown. */
const ordered = [...pages.filter((name) => name !== 'erasure.md').sort(), 'erasure.md'];

describe('the commands of the runbook', () => {
  it.each(ordered)('%s run as written', async (name) => {
    const commands = commandsOf(await readFile(join(FOLDER, name), 'utf8'));
    for (const command of commands) await run(command);
  });

  it('are all of those that the folder lists', async () => {
    const list = await readFile(join(FOLDER, 'README.md'), 'utf8');
    expect([...list.matchAll(/\]\(([a-z-]+\.md)\)/g)].map(([, name]) => name).sort()).toEqual(pages.sort());
  });
});
