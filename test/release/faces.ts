import { readFile } from 'node:fs/promises';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import type { PackedPackage } from './pack.js';

/** The packages are ESM only with an exports map: CommonJS and Node 10 resolution are not supported. */
const RESOLUTIONS: ReadonlySet<string> = new Set(['node16-esm', 'bundler']);

/** Problems of a package's entries, one line each: missing files, wrong types. */
export async function checkFaces({ manifest, tarball, files }: PackedPackage): Promise<readonly string[]> {
  const archive = await readFile(tarball);
  const lines: string[] = [];
  const { messages, pkg } = await publint({
    pack: { tarball: archive.buffer.slice(archive.byteOffset, archive.byteOffset + archive.byteLength) },
    level: 'warning',
  });
  for (const message of messages)
    lines.push(`publint: ${formatMessage(message, pkg, { color: false }) ?? message.code}`);
  const { problems } = { problems: [], ...(await checkPackage(createPackageFromTarballData(archive))) };
  for (const problem of problems) {
    if ('resolutionKind' in problem && !RESOLUTIONS.has(problem.resolutionKind)) continue;
    // A GraphQL document is read, not imported.
    if ('entrypoint' in problem && problem.entrypoint.endsWith('.graphql')) continue;
    if (problem.kind === 'CJSResolvesToESM' || problem.kind === 'FalseESM') continue;
    lines.push(`attw: ${problem.kind} ${'entrypoint' in problem ? problem.entrypoint : ''}`.trimEnd());
  }
  for (const needed of ['README.md', 'LICENSE', 'package.json']) {
    if (!files.includes(needed)) lines.push(`files: ${needed} is missing`);
  }
  for (const file of files) {
    if (/\.(?:map|tsbuildinfo)$|(?<!\.d)\.ts$|(?:^|\/)test\//.test(file) && !file.startsWith('templates/'))
      lines.push(`files: ${file} should not be published`);
  }
  if (manifest.license !== 'Apache-2.0') lines.push('license is not Apache-2.0');
  return lines;
}
