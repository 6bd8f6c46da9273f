import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Longest time that one npm command may take. */
const NPM_TIMEOUT_MS = 180_000;

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly license?: string;
  readonly workspaces?: readonly string[];
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

export interface PackedPackage {
  readonly manifest: Manifest;
  readonly folder: string;
  readonly tarball: string;
  /** Paths in the tarball. */
  readonly files: readonly string[];
}

export async function readManifest(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
}

/**
 * Packs every published package as `npm publish` would. The build must be up to date.
 *
 * @param root The folder of the workspace.
 */
export async function packAll(root: string, destination: string): Promise<readonly PackedPackage[]> {
  const { workspaces = [] } = await readManifest(root);
  const published: Omit<PackedPackage, 'tarball' | 'files'>[] = [];
  for (const workspace of workspaces) {
    const folder = join(root, workspace);
    const manifest = await readManifest(folder);
    if (manifest.private !== true) published.push({ manifest, folder });
  }
  // One npm for all of them: starting it takes longer than packing.
  const { stdout } = await npm(
    [
      'pack',
      '--json',
      '--ignore-scripts',
      '--pack-destination',
      destination,
      ...published.map(({ manifest }) => `--workspace=${manifest.name}`),
    ],
    root,
  );
  const results = JSON.parse(stdout) as { name: string; filename: string; files: { path: string }[] }[];
  return published.map((one) => {
    const result = results.find(({ name }) => name === one.manifest.name);
    if (result === undefined) throw new Error(`npm pack of ${one.manifest.name} gave nothing`);
    return {
      ...one,
      tarball: join(destination, result.filename),
      files: result.files.map(({ path }) => path),
    };
  });
}

/** Built files whose source is gone, because `tsc -b` does not remove them. */
export function staleFiles({ files, folder }: Pick<PackedPackage, 'files' | 'folder'>): readonly string[] {
  return files.filter((file) => {
    const built = /^dist\/(.+)\.js$/.exec(file)?.[1];
    if (built === undefined) return false;
    return ![`${built}.ts`, `src/${built}.ts`, `${built}.js`].some((source) =>
      existsSync(join(folder, source)),
    );
  });
}

/** The package and those of its siblings that it depends on, directly or not. */
export function withSiblings(name: string, packed: readonly PackedPackage[]): readonly PackedPackage[] {
  const found = new Map<string, PackedPackage>();
  const visit = (wanted: string): void => {
    const one = packed.find(({ manifest }) => manifest.name === wanted);
    if (one === undefined || found.has(wanted)) return;
    found.set(wanted, one);
    Object.keys(one.manifest.dependencies ?? {}).forEach(visit);
  };
  visit(name);
  return [...found.values()];
}

/**
 * Makes a folder its own project and installs packages from their tarballs, siblings included, as from the registry.
 *
 * @param others further packages, as for `npm install`: `graphql@16`
 */
export async function installPacked(
  project: string,
  names: readonly string[],
  packed: readonly PackedPackage[],
  others: readonly string[] = [],
): Promise<void> {
  const needed = new Set(names.flatMap((name) => withSiblings(name, packed)));
  await writeFile(
    join(project, 'package.json'),
    JSON.stringify({ name: 'project', version: '1.0.0', private: true, type: 'module' }),
  );
  await npm(
    [
      'install',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      ...[...needed].map(({ tarball }) => tarball),
      ...others,
    ],
    project,
  );
}

export function npm(args: readonly string[], cwd: string): Promise<{ stdout: string; stderr: string }> {
  return run('npm', [...args], { cwd, timeout: NPM_TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 });
}
