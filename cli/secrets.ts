import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the parts of one installation share and nobody else may know; made at the first start. */
export interface Secrets {
  /** Bearer secret of the change stream. */
  readonly stream: string;
  /** Base64url: pseudonyms that subgraphs give to clients. */
  readonly pseudonymKey: string;
  /** Base64url: pseudonyms of subjects in the audit record. */
  readonly auditPseudonymKey: string;
  /** Password of the role that appends to the audit log. */
  readonly auditWriterPassword: string;
  /** Secret of the demo's confidential client. */
  readonly console: string;
}

const NAMES = ['stream', 'pseudonymKey', 'auditPseudonymKey', 'auditWriterPassword', 'console'] as const;

/** Reads the secrets of a data folder; those that are missing are made and kept, for nobody else's eyes (mode 0600). */
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
    // Only a first start may make new ones: new secrets over unreadable old ones would part what is stored from them.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
}
