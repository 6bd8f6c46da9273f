import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where a Behalf that runs in one process can be reached: other commands find it through the same data folder. */
export interface RunFile {
  readonly pid: number;
  readonly databaseUrl: string;
  readonly gateway: string;
  readonly authority: string;
  readonly audience: string;
  readonly consoleSecret: string;
}

/** Writes `run.json`, readable by its owner only: it holds a secret. */
export async function writeRunFile(dataDir: string, run: RunFile): Promise<void> {
  await writeFile(pathIn(dataDir), `${JSON.stringify(run, null, 2)}\n`, { mode: 0o600 });
}

export async function removeRunFile(dataDir: string): Promise<void> {
  await rm(pathIn(dataDir), { force: true });
}

/** Reads `run.json`; undefined when there is none, or its process has ended. */
export async function readRunFile(dataDir: string): Promise<RunFile | undefined> {
  try {
    const run = JSON.parse(await readFile(pathIn(dataDir), 'utf8')) as RunFile;
    // A killed process leaves its file behind. Signal 0 only asks whether the process is alive.
    process.kill(run.pid, 0);
    return run;
  } catch {
    return undefined;
  }
}

function pathIn(dataDir: string): string {
  return join(dataDir, 'run.json');
}
