import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Secrets that the parts of one installation share; generated at the first start. */
export interface Secrets {
  /** Bearer secret of the change stream. */
  readonly stream: string;
  /** Base64url key of the pseudonyms that subgraphs give to clients. */
  readonly pseudonymKey: string;
  /** Base64url key of the subjects' pseudonyms in the audit record. */
  readonly auditPseudonymKey: string;
  /** Password of the role that appends to the audit log. */
  readonly auditWriterPassword: string;
  /** Password of the role that searches the audit log. */
  readonly auditReaderPassword: string;
  /** Secret of the demo's confidential client. */
  readonly console: string;
}

const NAMES = [
  'stream',
  'pseudonymKey',
  'auditPseudonymKey',
  'auditWriterPassword',
  'auditReaderPassword',
  'console',
] as const;

/** Reads the secrets of a data folder. Missing ones are generated and stored, readable by the owner only (mode 0600). */
export async function loadSecrets(dataDir: string): Promise<Secrets> {
  await mkdir(dataDir, { recursive: true });
  const file = join(dataDir, 'secrets.json');
  const known: Partial<Secrets> = await readSecrets(file);
  const missing = NAMES.filter((name) => known[name] === undefined);
  const secrets = {
    ...Object.fromEntries(missing.map((name) => [name, randomBytes(32).toString('base64url')])),
    ...known,
  } as Secrets;
  if (missing.length > 0) await writeFile(file, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  return secrets;
}

async function readSecrets(file: string): Promise<Partial<Secrets>> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Partial<Secrets>;
  } catch (error) {
    // Generate secrets only when there are none: replacing unreadable ones would orphan what is stored under them.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
}
