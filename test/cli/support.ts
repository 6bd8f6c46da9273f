import { execFile } from 'node:child_process';
import { Readable } from 'node:stream';
import { projectPath } from '@behalf/example/internal';
import { CommandProcess } from '../../cli/command-process.js';
import { run } from '../../cli/run.js';

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

type Environment = Readonly<Record<string, string>>;

/** Runs a command in this process, with output, input and environment of its own. */
export async function behalf(args: readonly string[], input = '', env: Environment = {}): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  const host = new CommandProcess({
    env,
    stdin: Readable.from(input === '' ? [] : [input]),
    stdout: { write: (text) => void (stdout += text) },
    stderr: { write: (text) => void (stderr += text) },
  });
  const code = await run(args, host);
  return { code, stdout, stderr };
}

/** Runs the built command as a process of its own. It takes a second: use it for what only a process shows. */
export function spawnBehalf(args: readonly string[], input = '', env: Environment = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [projectPath('cli/bin.js'), ...args],
      { cwd: projectPath(), env: { ...process.env, ...env } },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}
