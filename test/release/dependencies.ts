import { readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join, relative } from 'node:path';
import ts from 'typescript';
import type { Manifest } from './pack.js';

/** What the published code of a package refers to. */
export interface References {
  /** Packages that are imported, statically or on use, for values or for types. */
  readonly imported: ReadonlySet<string>;
  /** Packages that are only looked up (`require.resolve`). Other functions have that name, so these are no proof of an import. */
  readonly lookedUp: ReadonlySet<string>;
}

const LOOK_UP = /\.resolve\('([^'\n]+)'\)/g;

/** `@scope/name/entry` → `@scope/name` */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function isPackage(specifier: string): boolean {
  return !/^[./]/.test(specifier) && !isBuiltin(specifier);
}

function specifiersIn(text: string): readonly string[] {
  const { importedFiles, typeReferenceDirectives } = ts.preProcessFile(text, true, true);
  return [...importedFiles, ...typeReferenceDirectives].map(({ fileName }) => fileName);
}

/** @param files paths in the folder; of these, code and declarations are read, and starters for projects of others are not */
export async function referencesOf(folder: string, files: readonly string[]): Promise<References> {
  const imported = new Set<string>();
  const lookedUp = new Set<string>();
  for (const file of files) {
    if (!/\.(?:js|d\.ts)$/.test(file) || file.startsWith('templates/')) continue;
    const text = await readFile(join(folder, file), 'utf8');
    for (const specifier of specifiersIn(text).filter(isPackage)) imported.add(packageOf(specifier));
    for (const [, specifier = ''] of text.matchAll(LOOK_UP)) lookedUp.add(packageOf(specifier));
  }
  return { imported, lookedUp };
}

/**
 * Packages that are imported but not declared, and declared but not imported. A peer of a declared package may be declared without
 * an import, because npm gives it to that package only then: a required peer always, an optional one if `provided` names it.
 *
 * @param siblings the manifests of our packages, by name
 */
export function dependencyProblems(
  { name, dependencies = {}, peerDependencies = {} }: Manifest,
  { imported, lookedUp }: References,
  siblings: ReadonlyMap<string, Manifest>,
  provided: readonly string[] = [],
): readonly string[] {
  const declared = Object.keys({ ...dependencies, ...peerDependencies });
  const required = new Set(
    declared.flatMap((each) => {
      const { peerDependencies: peers = {}, peerDependenciesMeta: meta = {} } = siblings.get(each) ?? {};
      return Object.keys(peers).filter((peer) => meta[peer]?.optional !== true);
    }),
  );
  const isUsed = (each: string): boolean =>
    imported.has(each) || lookedUp.has(each) || required.has(each) || provided.includes(each);
  return [
    ...[...imported]
      .filter((each) => each !== name && !declared.includes(each))
      .map((each) => `${each} is imported, but not declared`),
    ...declared.filter((each) => !isUsed(each)).map((each) => `${each} is declared, but not imported`),
  ];
}

const RESOLUTION: ts.CompilerOptions = {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
};

/** What the declarations that an entry needs import, whose types nothing that is declared brings: they are elsewhere, or in `@types`. */
export async function missingTypes(
  folder: string,
  manifest: Manifest,
  optionalEntries: readonly string[] = [],
): Promise<readonly string[]> {
  const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
  const isOptional = (specifier: string): boolean =>
    manifest.peerDependenciesMeta?.[packageOf(specifier)]?.optional === true;
  const missing = new Set<string>();
  const files = new Set(declarationEntries(manifest, optionalEntries).map((file) => join(folder, file)));
  for (const file of files) {
    for (const specifier of specifiersIn(await readFile(file, 'utf8'))) {
      if (specifier.startsWith('.')) files.add(join(file, '..', specifier.replace(/\.js$/, '.d.ts')));
      else if (isPackage(specifier) && (isOptional(specifier) || !bringsTypes(specifier, file, declared)))
        missing.add(`${specifier} brings no types, and ${relative(folder, file)} needs them`);
    }
  }
  return [...missing];
}

/** Entries that need optional peers are left out: their types may need these, too. */
function declarationEntries({ name, exports = {} }: Manifest, without: readonly string[]): readonly string[] {
  const entries = Object.entries(exports).filter(([key]) => !without.includes(name + key.slice(1)));
  return entries.flatMap(([, entry]) => {
    const types = typeof entry === 'object' && entry !== null && 'types' in entry ? entry.types : undefined;
    return typeof types === 'string' ? [types] : [];
  });
}

function bringsTypes(specifier: string, file: string, declared: readonly string[]): boolean {
  const asModule = ts.ModuleKind.ESNext;
  const { resolvedModule } = ts.resolveModuleName(
    specifier,
    file,
    RESOLUTION,
    ts.sys,
    undefined,
    undefined,
    asModule,
  );
  const found = resolvedModule?.resolvedFileName ?? '';
  const [, typesPackage] = /\/node_modules\/(@types\/[^/]+)\//.exec(found) ?? [];
  return /\.d\.[cm]?ts$/.test(found) && (typesPackage === undefined || declared.includes(typesPackage));
}
