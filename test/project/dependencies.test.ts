import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectPath } from '@behalf/example/internal';
import { EXPECTATIONS } from '../release/expectations.js';
import { dependencyProblems, missingTypes, referencesOf } from '../release/dependencies.js';
import { readManifest, staleFiles } from '../release/pack.js';
import type { Manifest } from '../release/pack.js';

const { workspaces = [] } = await readManifest(projectPath());
const packages = await Promise.all(
  workspaces.map(async (workspace) => {
    const folder = projectPath(workspace);
    return { folder, manifest: await readManifest(folder) };
  }),
);
const manifests: ReadonlyMap<string, Manifest> = new Map(
  packages.map(({ manifest }) => [manifest.name, manifest]),
);

const published = packages.filter(({ manifest }) => manifest.private !== true);

/** What is published of a package's code: what is built, and its program. */
async function builtFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(join(folder, 'dist'), { recursive: true, withFileTypes: true });
  const built = entries
    .filter((entry) => entry.isFile() && /\.(?:js|d\.ts)$/.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  const stale = new Set(staleFiles({ files: built, folder }).map((file) => file.replace(/\.js$/, '')));
  const programs = (await readdir(folder)).filter((file) => file === 'bin.js');
  return [...built.filter((file) => !stale.has(file.replace(/(?:\.d)?\.[jt]s$/, ''))), ...programs];
}

describe.each(published)('$manifest.name', ({ folder, manifest }) => {
  it('declares what it imports, and nothing else', async () => {
    const references = await referencesOf(folder, await builtFiles(folder));
    const provided = EXPECTATIONS[manifest.name]?.provides;
    expect(dependencyProblems(manifest, references, manifests, provided)).toEqual([]);
  });

  it('exposes no types that its dependencies do not bring', async () => {
    const { entries } = EXPECTATIONS[manifest.name]?.optional ?? {};
    expect(await missingTypes(folder, manifest, entries)).toEqual([]);
  });
});

describe('the check of dependencies', () => {
  const manifest: Manifest = {
    name: 'a',
    version: '1.0.0',
    dependencies: { b: '1', c: '1', d: '1' },
    peerDependencies: { e: '1', f: '1' },
  };
  const b: Manifest = {
    name: 'b',
    version: '1.0.0',
    peerDependencies: { e: '1', f: '1' },
    peerDependenciesMeta: { f: { optional: true } },
  };
  const references = { imported: new Set(['a', 'b', 'x']), lookedUp: new Set(['c', 'y']) };

  it('finds both kinds of difference', () => {
    const siblings = new Map([['b', b]]);
    expect(dependencyProblems(manifest, references, siblings)).toEqual([
      'x is imported, but not declared',
      'd is declared, but not imported',
      'f is declared, but not imported',
    ]);
    expect(dependencyProblems(manifest, references, siblings, ['f'])).not.toContain(
      'f is declared, but not imported',
    );
  });
});

/** The range of a peer that a package's own code does not import is the one of the siblings for which it is declared. */
it.each(published)(
  '$manifest.name accepts every version of a peer that its siblings accept',
  async ({ folder, manifest }) => {
    const { imported } = await referencesOf(folder, await builtFiles(folder));
    const { dependencies = {}, peerDependencies = {} } = manifest;
    for (const [peer, range] of Object.entries(peerDependencies)) {
      if (imported.has(peer)) continue;
      const ranges = Object.keys(dependencies).flatMap(
        (sibling) => manifests.get(sibling)?.peerDependencies?.[peer] ?? [],
      );
      if (ranges.length > 0) expect(ranges, `${manifest.name} → ${peer}`).toContain(range);
    }
  },
);

it('release:check installs each package beside every major version of graphql that it accepts', () => {
  for (const { manifest } of published) {
    const majors = [...(manifest.peerDependencies?.graphql ?? '').matchAll(/\^(\d+)/g)].map(
      ([, major]) => major,
    );
    const { with: peers = [], alsoWith = [] } = EXPECTATIONS[manifest.name] ?? {};
    const installed = [peers, ...alsoWith].flat().join(' ');
    for (const major of majors)
      expect(installed, manifest.name).toMatch(new RegExp(`graphql@\\^${major ?? ''}\\.`));
  }
});
