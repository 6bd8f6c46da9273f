import { readFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { expect, it } from 'vitest';
import { references } from '../reference/index.js';
import { projectPath } from '@behalf/example/internal';

it.each(Object.keys(references))(
  'docs/reference/%s is fresh: `npm run docs` would write the same',
  async (name) => {
    const file = projectPath('docs/reference', name);
    const made = await format((await references[name]?.()) ?? '', {
      ...(await resolveConfig(file)),
      parser: 'markdown',
    });
    expect(await readFile(file, 'utf8')).toBe(made);
  },
);

it('every key of the configuration has a description', async () => {
  const undescribed: string[] = [];
  const walk = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return;
    const { properties = {} } = node as { properties?: Record<string, { description?: string }> };
    for (const [key, property] of Object.entries(properties)) {
      if (property.description === undefined) undescribed.push(`${path}/${key}`);
    }
    for (const [key, child] of Object.entries(node)) walk(child, `${path}/${key}`);
  };
  walk(JSON.parse(await readFile(projectPath('gateway/options/schema.json'), 'utf8')), '');
  expect(undescribed).toEqual([]);
});
