import { readdir, readFile } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** Folder of each package, and which of Behalf's packages it may import. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  directives: [],
  policy: ['@behalf/directives'],
  store: [],
  http: [],
  revocation: ['@behalf/directives', '@behalf/http'],
  audit: ['@behalf/store', '@behalf/directives'],
  // Whoever verifies a log must not run the code that wrote it.
  'audit-verify': [],
  witness: ['@behalf/audit-verify', '@behalf/http'],
  authority: ['@behalf/audit', '@behalf/store', '@behalf/http', '@behalf/directives', '@behalf/policy'],
  gateway: [
    '@behalf/audit',
    '@behalf/directives',
    '@behalf/http',
    '@behalf/policy',
    '@behalf/revocation',
    '@behalf/store',
  ],
  'subgraphs/consent': [
    '@behalf/store',
    '@behalf/http',
    '@behalf/directives',
    '@behalf/authority',
    '@behalf/audit',
  ],
  'subgraphs/bank': [
    '@behalf/audit',
    '@behalf/audit-verify',
    '@behalf/authority',
    '@behalf/consent-subgraph',
    '@behalf/directives',
    '@behalf/gateway',
    '@behalf/policy',
    '@behalf/store',
    'behalf',
  ],
  cli: [
    '@behalf/audit',
    '@behalf/audit-verify',
    '@behalf/authority',
    '@behalf/directives',
    '@behalf/gateway',
    '@behalf/policy',
    '@behalf/store',
    '@behalf/witness',
  ],
};
async function manifestOf(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8')) as Manifest;
}

/** Folder of each package, by name. */
const FOLDERS: Readonly<Record<string, string>> = Object.fromEntries(
  await Promise.all(
    Object.keys(MAY_IMPORT).map(async (folder): Promise<[string, string]> => [
      (await manifestOf(folder)).name,
      folder,
    ]),
  ),
);
/** Packages whose folders have layers. The example's folders are programs, which its root starts. */
const LAYERED = Object.keys(MAY_IMPORT).filter(
  (folder) => !['directives', 'subgraphs/bank'].includes(folder),
);

const IMPORT = /(?:^(?:import|export|\}).*\bfrom\s+|^import\s+|\bimport\(\s*)'([^'\n]+)'/gm;

async function sources(folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes(`${sep}node_modules${sep}`) && !file.includes(`${sep}dist${sep}`));
}

async function imports(file: string): Promise<string[]> {
  // An @example in a docblock may import what its reader has.
  const code = (await readFile(file, 'utf8')).replace(/\/\*\*[\s\S]*?\*\//g, '');
  return [...code.matchAll(IMPORT)].map(([, specifier = '']) => specifier);
}

/** `@scope/name/entry` → `@scope/name` */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

it.each(Object.keys(MAY_IMPORT))('%s imports only itself and what its manifest declares', async (folder) => {
  const { name, dependencies = {}, peerDependencies = {} } = await manifestOf(folder);
  const declared = new Set([name, ...Object.keys(dependencies), ...Object.keys(peerDependencies)]);
  const files = await sources(folder);
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) {
    for (const specifier of await imports(file)) {
      const where = `${relative(root, file)} imports ${specifier}`;
      if (specifier.startsWith('node:')) continue;
      if (specifier.startsWith('.')) {
        const target = relative(join(root, folder), resolve(file, '..', specifier));
        expect(target.startsWith('..'), where).toBe(false);
      } else expect(declared.has(packageOf(specifier)), where).toBe(true);
    }
  }
});

it.each(Object.entries(MAY_IMPORT))(
  '%s declares only the siblings that it may use',
  async (folder, allowed) => {
    const { name, dependencies = {}, peerDependencies = {} } = await manifestOf(folder);
    const siblings = Object.keys({ ...dependencies, ...peerDependencies }).filter(
      (declared) => declared.startsWith('@behalf/') || declared === 'behalf',
    );
    for (const sibling of siblings) expect(allowed, `${name} declares ${sibling}`).toContain(sibling);
  },
);

/** npm gives a package the peers of its dependencies only if it declares them itself, or something above it does. */
it.each(Object.keys(MAY_IMPORT))('%s brings or requires the peers of its siblings', async (folder) => {
  const own = await manifestOf(folder);
  const declared = Object.keys({ ...own.dependencies, ...own.peerDependencies });
  const siblings = Object.keys(own.dependencies ?? {}).filter((name) => FOLDERS[name] !== undefined);
  for (const sibling of siblings) {
    const { peerDependencies = {}, peerDependenciesMeta = {} } = await manifestOf(FOLDERS[sibling] ?? '');
    const needed = Object.keys(peerDependencies).filter(
      (peer) => peerDependenciesMeta[peer]?.optional !== true,
    );
    expect(declared, `${folder} depends on ${sibling}`).toEqual(expect.arrayContaining(needed));
  }
});

it('CONTRIBUTING lists what each package may import', async () => {
  const text = await readFile(join(root, 'CONTRIBUTING.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `([\w/-]+)`\s*\| (.*?)\s*\|$/gm)];
  const listed = rows.map(([, folder = '', imported = '']) => [
    folder,
    [...imported.matchAll(/`([^`]+)`/g)].map(([, name]) => name).sort(),
  ]);
  expect(Object.fromEntries(listed)).toEqual(
    Object.fromEntries(Object.entries(MAY_IMPORT).map(([folder, names]) => [folder, [...names].sort()])),
  );
});

/** Type-only imports count: files that need each other's types cannot be read one after the other either. */
async function importGraph(folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const files = await sources(folder);
  const edges = files.map(async (file): Promise<[string, string[]]> => {
    const specifiers = (await imports(file)).filter((specifier) => specifier.startsWith('.'));
    return [file, specifiers.map((specifier) => resolve(file, '..', specifier.replace(/\.js$/, '.ts')))];
  });
  return new Map(await Promise.all(edges));
}

/** The first circle that is found, as the files on it; visits every file and import once. */
function circleIn(graph: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const path: string[] = [];
  const visited = new Set<string>();

  function visit(node: string): readonly string[] | undefined {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (visited.has(node)) return undefined;
    visited.add(node);
    path.push(node);
    for (const next of graph.get(node) ?? []) {
      const circle = visit(next);
      if (circle !== undefined) return circle;
    }
    path.pop();
    return undefined;
  }

  for (const node of graph.keys()) {
    const circle = visit(node);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

it.each([...Object.keys(MAY_IMPORT), 'bench', 'test'])('no files of %s import each other', async (folder) => {
  const graph = await importGraph(folder);
  expect([...graph.values()].flat().length).toBeGreaterThan(0);
  expect(circleIn(graph)?.map((file) => relative(root, file))).toBeUndefined();
});

/** `steps/authorize.ts` → `steps`; a file at the package's root stands for itself. */
function folderOf(folder: string, file: string): string {
  const [first = ''] = relative(join(root, folder), file).split(sep);
  return first;
}

/** The import graph of a package's top folders and of the files beside them. */
async function folderGraph(folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const folders = new Map<string, Set<string>>();
  for (const [file, imported] of await importGraph(folder)) {
    const from = folderOf(folder, file);
    const to = folders.get(from) ?? new Set();
    folders.set(from, to);
    for (const each of imported) if (folderOf(folder, each) !== from) to.add(folderOf(folder, each));
  }
  return new Map([...folders].map(([from, to]) => [from, [...to]]));
}

/** The folders that a file at the root imports, directly or through other such files. */
function foldersBehind(graph: ReadonlyMap<string, readonly string[]>, rootFile: string): readonly string[] {
  const found = new Set([rootFile]);
  for (const node of found) {
    if (isFile(node)) for (const next of graph.get(node) ?? []) found.add(next);
  }
  return [...found].filter((node) => !isFile(node));
}

function isFile(node: string): boolean {
  return /\.\w+$/.test(node);
}

/** The root composes the folders: a folder may import a file there only if that file imports no folder. */
function upwardImports(graph: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const found: string[] = [];
  for (const [from, imported] of graph) {
    if (isFile(from)) continue;
    for (const to of imported.filter(isFile)) {
      const behind = foldersBehind(graph, to);
      if (behind.length > 0) found.push(`${from} imports ${to}, which imports ${behind.join(', ')}`);
    }
  }
  return found;
}

it.each(LAYERED)('no folders of %s import each other', async (folder) => {
  const graph = await folderGraph(folder);
  expect(upwardImports(graph)).toEqual([]);
  const folders = [...graph].filter(([from]) => !isFile(from));
  const circle = circleIn(new Map(folders.map(([from, to]) => [from, to.filter((node) => !isFile(node))])));
  expect(circle).toBeUndefined();
});

it('finds a folder that imports the root upward, also through another file', () => {
  const graph = new Map([
    ['steps', ['errors.ts', 'server.ts']],
    ['errors.ts', ['log.ts']],
    ['log.ts', []],
    ['server.ts', ['start.ts']],
    ['start.ts', ['options']],
    ['options', []],
  ]);
  expect(upwardImports(graph)).toEqual(['steps imports server.ts, which imports options']);
});

it('no packages import each other', () => {
  const names = Object.entries(FOLDERS);
  const graph = new Map(names.map(([name, folder]) => [name, MAY_IMPORT[folder] ?? []]));
  expect(circleIn(graph)).toBeUndefined();
});

it('finds a circle', () => {
  expect(
    circleIn(
      new Map([
        ['a', ['b', 'c']],
        ['b', ['c']],
        ['c', ['d']],
        ['d', ['b']],
      ]),
    ),
  ).toEqual(['b', 'c', 'd', 'b']);
});

it('all packages share one version, and require each other at it', async () => {
  const manifests = await Promise.all(Object.keys(MAY_IMPORT).map(manifestOf));
  const published = manifests.filter((manifest) => manifest.private !== true);
  const [version] = new Set(published.map((manifest) => manifest.version));
  for (const { name, version: own, dependencies = {}, peerDependencies = {} } of published) {
    expect(own, name).toBe(version);
    for (const [dependency, range] of Object.entries({ ...dependencies, ...peerDependencies })) {
      if (dependency.startsWith('@behalf/'))
        expect(range, `${name} → ${dependency}`).toBe(`^${version ?? ''}`);
      else expect(range, `${name} → ${dependency}`).toMatch(/^[\^>]/);
    }
  }
});

it('the root has no runtime dependency', async () => {
  expect((await manifestOf('.')).dependencies).toBeUndefined();
});
