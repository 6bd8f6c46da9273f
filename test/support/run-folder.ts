import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** A folder for what test files share, such as packages that are packed and installed once. */
    runFolder: string;
  }
}

/** One folder for the whole run, outside the repository, that is gone afterwards. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const runFolder = await mkdtemp(join(tmpdir(), 'behalf-run-'));
  project.provide('runFolder', runFolder);
  return () => rm(runFolder, { recursive: true, force: true, maxRetries: 5 });
}
