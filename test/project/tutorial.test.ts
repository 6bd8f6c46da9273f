import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { projectPath } from '@behalf/example/internal';
import { freePort, until } from '../gateway/support.js';
import { sharedProject, useModulesOf } from '../support/packed.js';

// Runs docs/tutorial.md from top to bottom, as a reader would. Its conventions:
// - a line with a file name in backquotes and a colon: the fenced block after it is that file
// - ```sh: a command in the first terminal; ```sh background: in another one, where it stays
// - ```json and ```text after a command: what it prints, or what its output has in it

interface Step {
  readonly kind: 'file' | 'run' | 'background';
  /** The file's text, or the command. */
  readonly name: string;
  readonly text: string;
  readonly expected: { readonly kind: string; readonly text: string } | undefined;
}

const PORTS = ['4000', '4001', '4002', '4003'];
let folder: string;
const started: ChildProcess[] = [];
/** What the programs in other terminals printed. */
let printed = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-tutorial-'));
});
afterAll(async () => {
  for (const { pid } of started) {
    // The whole process group, because npx starts a child.
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

function stepsOf(tutorial: string): Step[] {
  const steps: Step[] = [];
  const blocks = tutorial.matchAll(/(?:^`([^`\n]+)`:\n\n)?^```(\w+)([^\n]*)\n([\s\S]*?)^```$/gm);
  for (const [, file, language = '', info = '', text = ''] of blocks) {
    if (file !== undefined) steps.push({ kind: 'file', name: file, text, expected: undefined });
    else if (language === 'sh') {
      const kind = info.trim() === 'background' ? 'background' : 'run';
      steps.push({ kind, name: text.split('\n')[0] ?? '', text, expected: undefined });
    } else {
      const before = steps.pop();
      if (before === undefined) throw new Error(`output of nothing: ${text}`);
      steps.push({ ...before, expected: { kind: language, text } });
    }
  }
  return steps;
}

interface Shell {
  /**
   * Runs a block of commands.
   * @returns their output
   */
  run(commands: string): Promise<string>;
}

/** One terminal: the next block keeps the environment of the previous one. */
function openShell(): Shell {
  const shell = spawn('bash', ['-e'], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'], detached: true });
  started.push(shell);
  let written = '';
  shell.stdout.on('data', (chunk: Buffer) => (written += chunk.toString()));
  const END = 'end-of-block';
  return {
    async run(commands) {
      written = '';
      shell.stdin.write(`${commands}\necho; echo ${END}\n`);
      await until(() => written.includes(END) || shell.exitCode !== null, commands, 60_000);
      expect(shell.exitCode, `${commands}\n${written}`).toBeNull();
      return written.slice(0, written.indexOf(END));
    },
  };
}

async function runInBackground({ text, expected }: Step): Promise<void> {
  const child = spawn('bash', ['-c', text], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let written = '';
  const keep = (chunk: Buffer): void => {
    written += chunk.toString();
    printed += chunk.toString();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const lines = (expected?.text ?? '').trim().split('\n');
  await until(
    () => {
      if (child.exitCode !== null) throw new Error(`${text} ended:\n${written}`);
      return lines.every((line) => written.includes(line));
    },
    `${text} prints ${lines.join(', ')}`,
    60_000,
  );
}

it('the tutorial works as written, from the published packages', { timeout: 480_000 }, async () => {
  let tutorial = await readFile(projectPath('docs/tutorial.md'), 'utf8');
  for (const port of PORTS) tutorial = tutorial.replaceAll(port, String(await freePort()));
  const steps = stepsOf(tutorial);
  expect(steps.filter(({ kind }) => kind === 'background')).toHaveLength(3);
  const shell = openShell();
  for (const step of steps) {
    if (step.kind === 'file') await writeFile(join(folder, step.name), step.text);
    else if (step.kind === 'background') await runInBackground(step);
    else {
      const install = /^npm install (.+)$/m.exec(step.text);
      const output = await shell.run(step.text.replace(install?.[0] ?? '', ''));
      // What this command installs is installed from tarballs, once for all tests that need it.
      if (install !== null) await useModulesOf(await sharedProject(), folder);
      if (step.expected?.kind === 'json')
        expect(JSON.parse(output), step.name).toEqual(JSON.parse(step.expected.text));
      else if (step.expected !== undefined) expect(output, step.name).toContain(step.expected.text.trim());
    }
  }
  // Only what the tutorial leaves out.
  const warned = [...printed.matchAll(/"level":"(?:warn|error)","code":"(\w+)"/g)].map(([, code]) => code);
  expect(warned).toEqual(['REVOCATION_OFF']);
});
