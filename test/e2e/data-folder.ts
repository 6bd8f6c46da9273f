import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A data folder for the example in a database of the tests' server. Roles of PostgreSQL belong to the server, not to a
 * database, so tests that run at the same time share the passwords of the audit’s roles: each start sets them.
 */
export async function exampleDataFolder(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `behalf-${name}-`));
  const password = 'shared-by-the-tests-of-the-example';
  const secrets = { auditWriterPassword: password, auditReaderPassword: password };
  await writeFile(join(folder, 'secrets.json'), JSON.stringify(secrets), { mode: 0o600 });
  return folder;
}
