/**
 * `npm run smoke -- 22 24`: imports every entry of the packed packages, starts the system and does the walkthrough on other versions of Node.
 * Node itself comes from npm, so nothing has to be installed beforehand.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectPath } from '@behalf/example/internal';
import { EXPECTATIONS } from './expectations.js';
import { exportedNames, importableEntries } from './installed.js';
import { installPacked, npm, packAll } from './pack.js';
import type { PackedPackage } from './pack.js';

const run = promisify(execFile);

/** Longest time that the end-to-end tests may take on one version. */
const TESTS_TIMEOUT_MS = 300_000;

/** @returns the path of that version's binary, installed into a folder of its own */
async function installNode(folder: string, major: string): Promise<string> {
  const project = join(folder, `node-${major}`);
  await mkdir(project);
  await writeFile(join(project, 'package.json'), '{ "private": true }');
  await npm(['install', '--prefer-offline', '--no-audit', '--no-fund', `node@${major}`], project);
  return join(project, 'node_modules/node/bin/node');
}

async function installAll(folder: string, packed: readonly PackedPackage[]): Promise<string> {
  const project = join(folder, 'project');
  await mkdir(project);
  const peers = Object.values(EXPECTATIONS).flatMap((one) => [
    ...one.with,
    ...(one.optional?.packages ?? []),
  ]);
  const names = packed.map(({ manifest }) => manifest.name);
  await installPacked(project, names, packed, [...new Set(peers)]);
  return project;
}

async function runOn(node: string, project: string, packed: readonly PackedPackage[]): Promise<void> {
  const { stdout: version } = await run(node, ['--version']);
  const entries = packed.flatMap(({ manifest }) => importableEntries(manifest));
  let started = performance.now();
  const seconds = (): string => `${((performance.now() - started) / 1_000).toFixed(1)} s`;
  await exportedNames(project, entries, node);
  console.log(`ok   ${version.trim()}: ${entries.length} entries of ${packed.length} packages, ${seconds()}`);
  started = performance.now();
  await run(
    node,
    [projectPath('node_modules/vitest/vitest.mjs'), 'run', 'test/e2e/start', 'test/e2e/walkthrough'],
    {
      cwd: projectPath(),
      timeout: TESTS_TIMEOUT_MS,
      maxBuffer: 16 * 1024 * 1024,
    },
  );
  console.log(`ok   ${version.trim()}: start and walkthrough, ${seconds()}`);
}

const majors = process.argv.slice(2).filter((argument) => /^\d+$/.test(argument));
if (majors.length === 0) throw new Error('Say which versions of Node: npm run smoke -- 22 24');
const folder = await mkdtemp(join(tmpdir(), 'behalf-smoke-'));
try {
  const packed = await packAll(projectPath(), folder);
  const project = await installAll(folder, packed);
  const nodes = await Promise.all(majors.map((major) => installNode(folder, major)));
  // All of them at once: each waits for processes that start for much of its time.
  await Promise.all(nodes.map((node) => runOn(node, project, packed)));
} catch (error) {
  // What the child wrote says what failed; the error's own message is only its command line.
  const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
  console.error(`FAIL ${error instanceof Error ? error.message : String(error)}\n${stdout}${stderr}`);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
