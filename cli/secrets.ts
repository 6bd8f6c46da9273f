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
}

const NAMES = ['stream', 'pseudonymKey', 'auditPseudonymKey', 'auditWriterPassword'] as const;

/** Reads the secrets of a data folder; those that are missing are made and kept, for nobody else's eyes (mode 0600). */
export async function loadSecrets(dataDir: string): Promise<Secrets> {
  await mkdir(dataDir, { recursive: true });
  const file = join(dataDir, 'secrets.json');
  const known = await readFile(file, 'utf8').then(
    (text) => JSON.parse(text) as Partial<Secrets>,
    () => ({}),
  );
  const missing = NAMES.filter((name) => known[name] === undefined);
  const secrets = {
    ...Object.fromEntries(missing.map((name) => [name, randomBytes(32).toString('base64url')])),
    ...known,
  } as Secrets;
  if (missing.length > 0) await writeFile(file, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  return secrets;
}
