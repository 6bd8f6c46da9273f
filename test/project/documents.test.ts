import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { errorRegistries } from '../../cli/actions/error-reference.js';
import { CommandProcess } from '../../cli/command-process.js';
import { createProgram } from '../../cli/program.js';
import { projectPath } from '@behalf/example/internal';

it('every script and command in the README exists', async () => {
  const readme = await readFile(projectPath('README.md'), 'utf8');
  const { scripts } = JSON.parse(await readFile(projectPath('package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  for (const [, script = ''] of readme.matchAll(/npm run ([\w:]+)/g))
    expect(Object.keys(scripts)).toContain(script);
  const { commands: all } = createProgram(new CommandProcess(process));
  const commands = all.map((command) => command.name());
  for (const [, command = ''] of readme.matchAll(/npx behalf ([\w-]+)/g)) expect(commands).toContain(command);
});

it('the heading of each decision has the number of its file, which no other has', async () => {
  const folder = projectPath('docs/decisions');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.md'));
  expect(files.length).toBeGreaterThan(50);
  for (const name of files) {
    const number = /^(\d{4})-/.exec(name)?.[1];
    const [heading = ''] = (await readFile(join(folder, name), 'utf8')).split('\n');
    expect(heading, name).toMatch(new RegExp(`^# ${Number(number)}\\. \\S`));
  }
  expect(new Set(files.map((name) => name.slice(0, 4))).size).toBe(files.length);
});

it('every code has a sentence and a version', () => {
  for (const { title, codes } of errorRegistries) {
    for (const [code, { description, since }] of Object.entries(codes)) {
      expect(description, `${title} ${code}`).toMatch(/^[A-Z`].*\.$/s);
      expect(since).toMatch(/^\d+\.\d+\.\d+$/);
    }
  }
});
