/**
 * `npm run release:check`: packs every package, installs each alone into an empty project, checks its entries, size, licences
 * and dependencies, and writes a software bill of materials for each into `.release/`.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectPath } from '@behalf/example/internal';
import { EXPECTATIONS } from './expectations.js';
import type { Expectation } from './expectations.js';
import { checkFaces } from './faces.js';
import { exportedNames, importableEntries, installedPackages } from './installed.js';
import { installPacked, npm, packAll, staleFiles } from './pack.js';
import type { PackedPackage } from './pack.js';

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
  for (const specifier of importableEntries(manifest)) {
    if (optional?.entries.includes(specifier) === true) continue;
    problems.push(...(await importProblems(project, specifier)));
  }
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

/** Installs the optional peers as well, and imports the entries that need them. */
async function checkOptional(
  project: string,
  { manifest }: PackedPackage,
  { with: peers, optional }: Expectation,
  packed: readonly PackedPackage[],
): Promise<readonly string[]> {
  if (optional === undefined) return [];
  const problems: string[] = [];
  await installPacked(project, [manifest.name, ...optional.siblings], packed, [
    ...peers,
    ...optional.packages,
  ]);
  for (const specifier of optional.entries) problems.push(...(await importProblems(project, specifier)));
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
    ];
    let summary = 'not installed';
    try {
      await installPacked(project, [name], packed, expectation.with);
      const installed = await checkInstalled(project, one, expectation);
      problems.push(...installed.problems);
      ({ summary } = installed);
      await writeBillOfMaterials(project, one);
      problems.push(...(await checkOptional(project, one, expectation, packed)));
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
