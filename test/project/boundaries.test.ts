import { readdir, readFile } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The folders that a folder may import, besides itself. Only the example and the tests may import the example. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  directives: [],
  policy: ['directives'],
  store: [],
  http: [],
  audit: ['store', 'directives'],
  authority: ['store', 'http', 'directives', 'policy'],
  gateway: ['audit', 'http', 'directives', 'policy'],
  inspect: ['gateway', 'policy', 'directives'],
  'subgraphs/consent': ['store', 'directives', 'authority/consent'],
  cli: ['audit', 'authority', 'directives', 'gateway', 'inspect', 'policy', 'store'],
  'subgraphs/bank': [
    'audit',
    'authority',
    'cli',
    'directives',
    'gateway',
    'policy',
    'store',
    'subgraphs/consent',
  ],
};
/** Folders of this repository; imports of anything else are packages. */
const OWN_FOLDERS = new Set([
  ...Object.keys(MAY_IMPORT).map((folder) => folder.split('/')[0]),
  'bench',
  'test',
  '..',
]);
const IMPORT = /(?:\bfrom\s+|(?<!')\bimport\s*\(?\s*)'([^'\n]+)'/g;

async function sources(folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes(`${sep}node_modules${sep}`) && !file.includes(`${sep}dist${sep}`));
}

async function imports(file: string): Promise<string[]> {
  return [...(await readFile(file, 'utf8')).matchAll(IMPORT)].map(([, specifier = '']) => {
    if (specifier === '@behalf/directives') return 'directives';
    return specifier.startsWith('.') ? relative(root, resolve(file, '..', specifier)) : specifier;
  });
}

it.each(Object.keys(MAY_IMPORT))('%s imports only the folders it may import', async (folder) => {
  const files = await sources(folder);
  expect(files.length).toBeGreaterThan(0);
  const allowed = [folder, ...(MAY_IMPORT[folder] ?? [])];
  for (const file of files) {
    for (const target of await imports(file)) {
      if (!OWN_FOLDERS.has(target.split(sep)[0])) continue;
      const isAllowed = allowed.some((place) => target === place || target.startsWith(`${place}${sep}`));
      expect(isAllowed, `${relative(root, file)} imports ${target}`).toBe(true);
    }
  }
});

it('no subgraph imports @apollo/gateway, and the library little else', async () => {
  const subgraphs = [
    'subgraphs/consent',
    'subgraphs/bank/customers',
    'subgraphs/bank/accounts',
    'subgraphs/bank/payments',
  ];
  for (const file of (await Promise.all(subgraphs.map(sources))).flat()) {
    expect(await imports(file), file).not.toContain('@apollo/gateway');
  }
  const manifest = JSON.parse(await readFile(join(root, 'directives/package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
    peerDependencies: Record<string, string>;
  };
  const declared = new Set([
    ...Object.keys(manifest.dependencies),
    ...Object.keys(manifest.peerDependencies),
  ]);
  expect([...declared].sort()).toEqual([
    '@apollo/subgraph',
    '@opentelemetry/api',
    'dataloader',
    'graphql',
    'jose',
  ]);
  for (const file of await sources('directives/src')) {
    for (const target of await imports(file)) {
      if (target.startsWith('node:') || target.startsWith('directives')) continue;
      expect(declared.has(target), `${relative(root, file)} imports ${target}`).toBe(true);
    }
  }
});
