import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { TestProject } from 'vitest/node';

import { openDatabaseServer } from '@behalf/store';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of one PostgreSQL for the whole run; `createTestDatabase` creates a separate database on it. */
    databaseUrl: string;
  }
}

/** One PostgreSQL for the whole run: that of TEST_DATABASE_URL or DATABASE_URL, or a temporary one. */
// eslint-disable-next-line no-restricted-syntax -- vitest loads the default export
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const databaseUrl = process.env['TEST_DATABASE_URL'] ?? process.env['DATABASE_URL'];
  const dataDir = await mkdtemp(join(tmpdir(), 'behalf-test-'));
  await chmod(dataDir, 0o711);
  const server = await openDatabaseServer({ databaseUrl, dataDir, unsafeNoDurability: true });
  project.provide('databaseUrl', server.url);
  return async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
}
