import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { errorRegistries } from '../../cli/actions/error-reference.js';
import { program } from '../../cli/program.js';
import { checkConfig, checkPolicy } from '../../gateway/index.js';
import { projectPath } from '@behalf/example/internal';

it('the configuration in docs/how-to/gateway.md is valid', async () => {
  const text = await readFile(projectPath('docs/how-to/gateway.md'), 'utf8');
  const example = /```yaml\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  const filled = example.replaceAll(/\$\{[A-Z_]+\}/g, 'x'.repeat(64));
  expect(checkConfig(parseYaml(filled)).issuers).toHaveLength(1);
});

it('the policy in docs/reference/policy.md is valid', async () => {
  const text = await readFile(projectPath('docs/reference/policy.md'), 'utf8');
  const example = /```yaml\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  expect(checkPolicy(parseYaml(example)).clients.size).toBe(2);
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

it('every code has a sentence and a version', () => {
  for (const { title, codes } of errorRegistries) {
    for (const [code, { description, since }] of Object.entries(codes)) {
      expect(description, `${title} ${code}`).toMatch(/^[A-Z`].*\.$/s);
      expect(since).toMatch(/^\d+\.\d+\.\d+$/);
    }
  }
});
