import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { checkConfig } from '../../gateway/index.js';
import { projectPath } from '@behalf/example/internal';

async function examples(file: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(projectPath(file), 'utf8');
  return [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(
    ([, example = '']) =>
      parseYaml(example.replaceAll(/\$\{[A-Z_]+\}/g, 'x'.repeat(64))) as Record<string, unknown>,
  );
}

it('the configurations in docs/how-to/issuers.md are valid, alone and together', async () => {
  const found = await examples('docs/how-to/issuers.md');
  expect(found).toHaveLength(5);
  for (const example of found) expect(checkConfig({ supergraph: 'x', ...example }).issuers).toHaveLength(1);
  const all = found.slice(0, 4).flatMap(({ issuers }) => issuers as unknown[]);
  expect(checkConfig({ supergraph: 'x', issuers: all }).issuers).toHaveLength(4);
});

it('the configurations in docs/how-to/transaction-tokens.md are valid', async () => {
  const issuers = [{ issuer: 'https://login.example', audience: 'a' }];
  const found = await examples('docs/how-to/transaction-tokens.md');
  expect(found).toHaveLength(2);
  for (const example of found)
    expect(checkConfig({ supergraph: 'x', issuers, ...example }).propagation).toBeDefined();
});
