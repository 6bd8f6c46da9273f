import { readdir, readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { format, resolveConfig } from 'prettier';
import { errorReference, errorRegistries } from '../../cli/actions/error-reference.js';
import { cliReference } from '../../cli/actions/cli-reference.js';
import { program } from '../../cli/program.js';
import { checkConfig, checkPolicy } from '../../gateway/index.js';
import { projectPath } from '../../store/index.js';

async function documents(): Promise<string[]> {
  const roots = (await readdir(projectPath())).filter((name) => name.endsWith('.md'));
  const docs = await readdir(projectPath('docs'), { recursive: true });
  return [
    ...roots.map((name) => projectPath(name)),
    ...docs.filter((name) => name.endsWith('.md')).map((name) => projectPath('docs', name)),
    projectPath('directives/README.md'),
  ];
}

it('the configuration in docs/gateway.md is valid', async () => {
  const text = await readFile(projectPath('docs/gateway.md'), 'utf8');
  const example = /```yaml\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  const filled = example.replaceAll(/\$\{[A-Z_]+\}/g, 'x'.repeat(64));
  expect(checkConfig(parseYaml(filled)).issuers).toHaveLength(1);
});

it('the policy in docs/policy.md is valid', async () => {
  const text = await readFile(projectPath('docs/policy.md'), 'utf8');
  const example = /```yaml\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  expect(checkPolicy(parseYaml(example)).clients.size).toBe(2);
});

it('links between documents lead somewhere', async () => {
  for (const file of await documents()) {
    const text = await readFile(file, 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      expect(existsSync(resolve(dirname(file), target)), `${file} links to ${target}`).toBe(true);
    }
  }
});

it('every script and command in the README exists', async () => {
  const readme = await readFile(projectPath('README.md'), 'utf8');
  const { scripts } = JSON.parse(await readFile(projectPath('package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  for (const [, script = ''] of readme.matchAll(/npm run ([\w:]+)/g))
    expect(Object.keys(scripts)).toContain(script);
  const commands = program.commands.map((command) => command.name());
  for (const [, command = ''] of readme.matchAll(/npx behalf ([\w-]+)/g)) expect(commands).toContain(command);
});

it('docs/errors.md is what `npm run docs` would write', async () => {
  const file = projectPath('docs/errors.md');
  const made = await format(errorReference(), { ...(await resolveConfig(file)), parser: 'markdown' });
  expect(await readFile(file, 'utf8')).toBe(made);
});

it('docs/reference/cli.md is what `npm run docs` would write', async () => {
  const file = projectPath('docs/reference/cli.md');
  const made = await format(cliReference(program), { ...(await resolveConfig(file)), parser: 'markdown' });
  expect(await readFile(file, 'utf8')).toBe(made);
});

it('every code has a sentence and a version', () => {
  for (const { title, codes } of errorRegistries) {
    for (const [code, { description, since }] of Object.entries(codes)) {
      expect(description, `${title} ${code}`).toMatch(/^[A-Z`].*\.$/s);
      expect(since).toMatch(/^\d+\.\d+\.\d+$/);
    }
  }
});
