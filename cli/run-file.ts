import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a running start tells the other commands of the same data folder. */
export interface RunFile {
  readonly pid: number;
  readonly databaseUrl: string;
  readonly gateway: string;
  readonly authority: string;
  readonly audience: string;
  readonly consoleSecret: string;
}

export async function writeRunFile(dataDir: string, run: RunFile): Promise<void> {
  await writeFile(pathIn(dataDir), `${JSON.stringify(run, null, 2)}\n`, { mode: 0o600 });
}

export async function removeRunFile(dataDir: string): Promise<void> {
  await rm(pathIn(dataDir), { force: true });
}

/** The start that runs on this data folder, or undefined when none does. */
export async function readRunFile(dataDir: string): Promise<RunFile | undefined> {
  try {
    const run = JSON.parse(await readFile(pathIn(dataDir), 'utf8')) as RunFile;
    // What a killed process left behind names a process that is not there.
    process.kill(run.pid, 0);
    return run;
  } catch {
    return undefined;
  }
}

function pathIn(dataDir: string): string {
  return join(dataDir, 'run.json');
}
