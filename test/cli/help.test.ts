import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { exitCodesOf } from '../../cli/exit-codes.js';
import { CommandProcess } from '../../cli/command-process.js';
import { createProgram } from '../../cli/program.js';
import { projectPath } from '@behalf/example/internal';
import { behalf, spawnBehalf } from './support.js';

function leavesOf(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leavesOf);
}
const commands = leavesOf(createProgram(new CommandProcess(process))).map(
  (command) => [command.name(), command] as const,
);

describe('the command model', () => {
  it.each(commands)('%s describes itself, its arguments, options and exit codes', (_name, command) => {
    expect(command.description()).toMatch(/^[a-z].*[^.]$/);
    for (const argument of command.registeredArguments) expect(argument.description).not.toBe('');
    for (const { defaultValue, description, flags, mandatory } of command.options) {
      expect(description, flags).not.toBe('');
      const hasDefault = defaultValue !== undefined || description.includes('(default: ');
      expect(hasDefault || mandatory || description.includes('required'), `${flags} states its default`).toBe(
        true,
      );
    }
    expect(Object.keys(exitCodesOf(command)).length).toBeGreaterThan(1);
  });
});

describe('a mistyped command line', () => {
  it('exits with 1 for an unknown command, and suggests the nearest', async () => {
    const { code, stderr } = await behalf(['compos']);
    expect(code).toBe(1);
    expect(stderr).toContain("unknown command 'compos'");
    expect(stderr).toContain('Did you mean compose?');
  });

  it('exits with 2 for an unknown option of lint, and suggests the nearest', async () => {
    const { code, stderr } = await behalf(['lint', '--confg', 'x.yaml']);
    expect(code).toBe(2);
    expect(stderr).toContain('Did you mean --config?');
    expect(stderr).toContain('behalf lint --help');
  });

  it('prints no control characters of it', async () => {
    const { stderr } = await behalf(['\u001b[2Jevil']);
    expect(stderr).not.toContain('\u001b');
    expect(stderr).toContain('evil');
  });
});

describe('help', () => {
  it('lists the commands by purpose, without hidden ones', async () => {
    const { code, stdout } = await behalf(['--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('Check rules:');
    expect(stdout).not.toContain('reference');
  });

  it('of a command shows its exit codes', async () => {
    const { stdout } = await behalf(['help', 'diff']);
    expect(stdout).toMatch(/Exit codes:\n {2}0 {2}the change opens nothing/);
  });
});

describe('a process of its own', () => {
  it('exits with 0 for its version, 1 for an unknown command, 2 for a mistake', async () => {
    expect(await spawnBehalf(['--version'])).toMatchObject({ code: 0, stderr: '' });
    expect(await spawnBehalf(['\u001b[2Jevil'])).toMatchObject({ code: 1, stdout: '' });
    expect(await spawnBehalf(['lint', '--format', 'xml'])).toMatchObject({ code: 2, stdout: '' });
  });

  it('ends without a word when nobody reads its output any more', async () => {
    const command = `'${process.execPath}' '${projectPath('cli/bin.js')}' errors | true; echo "$PIPESTATUS"`;
    const { stderr, stdout } = await promisify(execFile)('bash', ['-c', command]);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^(?:0|141)\n$/);
  });

  it('reads standard input', async () => {
    const { code, stdout } = await spawnBehalf(['explain', '-', '--format', 'json'], '{ me { name } }');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ allowed: false });
  });

  it('reads the environment', async () => {
    const { code, stderr } = await spawnBehalf(['clients', 'list'], '', {
      DATABASE_URL: 'postgres://127.0.0.1:1/x',
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^DATABASE_UNREACHABLE: .*\n$/);
  });
});

it('lint loads neither a database driver nor a server', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-loaded-'));
  try {
    const probe = join(folder, 'probe.cjs');
    await writeFile(
      probe,
      'process.on("exit", () => console.error("LOADED " + Object.keys(require("node:module")._cache).join(" ")));',
    );
    const { code, stderr } = await spawnBehalf(['lint', '--config', 'supergraph.yaml'], '', {
      NODE_OPTIONS: `--require ${probe}`,
    });
    expect(code).toBe(0);
    expect(stderr).toContain('LOADED');
    expect(stderr).toContain('/graphql/');
    for (const heavy of ['pg', 'express', '@apollo/server', '@apollo/gateway', 'koa']) {
      expect(stderr, heavy).not.toContain(`/node_modules/${heavy}/`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
