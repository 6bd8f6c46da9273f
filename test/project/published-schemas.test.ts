import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { projectPath } from '@behalf/example/internal';

const require = createRequire(import.meta.url);

it.each([
  '@behalf/gateway/schema.json',
  '@behalf/policy/schema.json',
  '@behalf/policy/translation-schema.json',
])('%s is published, the schema of a file', async (name) => {
  const schema: unknown = JSON.parse(await readFile(require.resolve(name), 'utf8'));
  expect(schema).toMatchObject({ type: 'object', additionalProperties: false });
});

/** They name a file of an installed project, whose packages are those of this one. */
it.each([
  'cli/templates/gateway/gateway.yaml',
  'docs/reference/policy.md',
  'docs/reference/configuration.md',
])('%s leads editors to a schema that is installed', async (file) => {
  const [, path = ''] =
    /\$schema=\.\/([\w@./-]+\.json)/.exec(await readFile(projectPath(file), 'utf8')) ?? [];
  expect(path).toMatch(/^node_modules\/@behalf\//);
  expect(existsSync(projectPath(path))).toBe(true);
});
