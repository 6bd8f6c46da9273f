/**
 * `npm run release:check`: packs every package, installs each alone into an empty project, checks its entries, size, licences
 * and dependencies, and writes a software bill of materials for each into `.release/`.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectPath } from '@behalf/example/internal';
import { compileProblems } from './compile.js';
import { dependencyProblems, referencesOf } from './dependencies.js';
import { EXPECTATIONS } from './expectations.js';
import type { Expectation } from './expectations.js';
import { checkFaces } from './faces.js';
import { exportedNames, importableEntries, installedPackages } from './installed.js';
import { installPacked, npm, packAll, staleFiles } from './pack.js';
import type { PackedPackage } from './pack.js';

/** All that a project of TypeScript must have for Node's own modules. */
const TYPES_OF_NODE = '@types/node@^20.19.0';

const OPEN_SOURCE =
  /^\(?(?:(?:MIT|MIT-0|ISC|BSD-[23]-Clause|0BSD|Apache-2\.0|BlueOak-1\.0\.0|CC0-1\.0|Python-2\.0|Unlicense|PostgreSQL)(?: (?:AND|OR) )?)+\)?$/;

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

async function checkInstalled(
  project: string,
  { manifest }: PackedPackage,
  { without, maxBytes, isOpenSourceOnly, optional }: Expectation,
): Promise<{ readonly problems: string[]; readonly summary: string }> {
  const problems: string[] = [];
  const installed = await installedPackages(project);
  const names = new Set(installed.map(({ name }) => name));
  for (const name of without) if (names.has(name)) problems.push(`installs ${name}`);
  if (installed.filter(({ name }) => name === 'graphql').length > 1) problems.push('installs graphql twice');
  const bytes = installed.filter(({ name }) => name !== 'graphql').reduce((sum, one) => sum + one.bytes, 0);
  if (maxBytes !== undefined && bytes > maxBytes)
    problems.push(`installs ${megabytes(bytes)} without graphql, more than ${megabytes(maxBytes)}`);
  if (isOpenSourceOnly === true) {
    for (const { name, license } of installed)
      if (!OPEN_SOURCE.test(license)) problems.push(`installs ${name} under ${license}`);
  }
  const entries = importableEntries(manifest).filter(
    (specifier) => optional?.entries.includes(specifier) !== true,
  );
  for (const specifier of entries) problems.push(...(await importProblems(project, specifier)));
  return { problems, summary: `${installed.length} packages, ${megabytes(bytes)} without graphql` };
}

async function importProblems(project: string, specifier: string): Promise<readonly string[]> {
  try {
    await exportedNames(project, [specifier]);
    return [];
  } catch (error) {
    return [`import '${specifier}' fails: ${firstLine(error)}`];
  }
}

/** Installs a package beside other versions of its peers, each time into an empty project. */
async function checkOtherPeers(
  { manifest }: PackedPackage,
  { alsoWith = [] }: Expectation,
  packed: readonly PackedPackage[],
): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const peers of alsoWith) {
    const project = await mkdtemp(join(tmpdir(), 'behalf-release-'));
    try {
      await installPacked(project, [manifest.name], packed, peers);
    } catch (error) {
      problems.push(`beside ${peers.join(' ')}: ${firstLine(error)}`);
    } finally {
      await rm(project, { recursive: true, force: true });
    }
  }
  return problems;
}

/** Compiles against every entry; installs the optional peers for those that need them, and imports these. */
async function checkOptional(
  project: string,
  { manifest }: PackedPackage,
  { with: peers, optional }: Expectation,
  packed: readonly PackedPackage[],
): Promise<readonly string[]> {
  const { entries = [], siblings = [], packages = [] } = optional ?? {};
  const always = importableEntries(manifest).filter((specifier) => !entries.includes(specifier));
  await installPacked(project, [manifest.name], packed, [...peers, TYPES_OF_NODE]);
  const problems = [...(await compileProblems(project, always))];
  if (entries.length === 0) return problems;
  await installPacked(project, [manifest.name, ...siblings], packed, [...peers, ...packages, TYPES_OF_NODE]);
  for (const specifier of entries) problems.push(...(await importProblems(project, specifier)));
  problems.push(...(await compileProblems(project, entries)));
  return problems;
}

function firstLine(error: unknown): string {
  const { stderr } = error as { stderr?: string };
  return (
    (stderr ?? String(error)).split('\n').find((line) => /error/i.test(line)) ??
    String(error).split('\n')[0] ??
    ''
  );
}

async function checkDependencies(
  { manifest, folder, files }: PackedPackage,
  { provides }: Expectation,
  packed: readonly PackedPackage[],
): Promise<readonly string[]> {
  const siblings = new Map(packed.map((one) => [one.manifest.name, one.manifest]));
  return dependencyProblems(manifest, await referencesOf(folder, files), siblings, provides);
}

async function writeBillOfMaterials(project: string, { manifest }: PackedPackage): Promise<void> {
  const { stdout } = await npm(['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'library'], project);
  const folder = projectPath('.release');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${manifest.name.replace('@', '').replace('/', '-')}.cdx.json`), stdout);
}

async function checkPackage(one: PackedPackage, packed: readonly PackedPackage[]): Promise<boolean> {
  const { name, version } = one.manifest;
  const expectation = EXPECTATIONS[name];
  const project = await mkdtemp(join(tmpdir(), 'behalf-release-'));
  try {
    if (expectation === undefined)
      throw new Error(`${name} has no expectation in test/release/expectations.ts`);
    const problems = [
      ...staleFiles(one).map((file) => `${file} has no source: delete the dist folders and build anew`),
      ...(await checkFaces(one)),
      ...(await checkDependencies(one, expectation, packed)),
    ];
    let summary = 'not installed';
    try {
      await installPacked(project, [name], packed, expectation.with);
      const installed = await checkInstalled(project, one, expectation);
      problems.push(...installed.problems);
      ({ summary } = installed);
      await writeBillOfMaterials(project, one);
      problems.push(...(await checkOptional(project, one, expectation, packed)));
      problems.push(...(await checkOtherPeers(one, expectation, packed)));
    } catch (error) {
      problems.push(firstLine(error));
    }
    console.log(
      `${problems.length === 0 ? 'ok  ' : 'FAIL'} ${name}@${version}: ${one.files.length} files; ${summary}`,
    );
    for (const problem of problems) console.log(`     ${problem}`);
    return problems.length === 0;
  } finally {
    await rm(project, { recursive: true, force: true });
  }
}

const tarballs = await mkdtemp(join(tmpdir(), 'behalf-packed-'));
try {
  const packed = await packAll(projectPath(), tarballs);
  let failed = 0;
  for (const one of packed) if (!(await checkPackage(one, packed))) failed += 1;
  console.log(
    `${packed.length - failed} of ${packed.length} packages can be released; bills of materials in .release/`,
  );
  if (failed > 0) process.exitCode = 1;
} finally {
  await rm(tarballs, { recursive: true, force: true });
}
