import { Stryker } from '@stryker-mutator/core';
import type { Area } from './areas.js';
import { readMutants } from './mutant.js';
import type { Mutant } from './mutant.js';

export interface RunOptions {
  /** Only these files of the area, for work on one of them. */
  readonly files: readonly string[] | undefined;
  /** Tests every mutant again, also where neither the code nor a test has changed since the last run. */
  readonly force: boolean;
  /** Test runners at a time; undefined: Stryker's choice, from the number of cores. */
  readonly concurrency: number | undefined;
}

/** Everything that a run writes, out of git. */
export const OUTPUT = '.mutation';

/**
 * Mutates the files of an area, and runs its tests against each mutant. The working directory has to be the root of the repository.
 *
 * Code that runs while modules are loaded is mutated too, because limits are constants there. All tests of the area run for each
 * such mutant, which takes long. So mutants that a test reaches by itself come first, with the tests that reach them, and only the
 * others get all tests.
 */
export async function runArea(name: string, area: Area, options: RunOptions): Promise<readonly Mutant[]> {
  const { TZ } = process.env;
  if (area.timeZone !== undefined) process.env['TZ'] = area.timeZone;
  try {
    await runStryker(name, area, options, true);
    const first = await readResults(name, options);
    if (!first.some(({ status }) => status === 'Ignored')) return first;
    await runStryker(name, area, { ...options, force: false }, false);
    return await readResults(name, options);
  } finally {
    if (TZ === undefined) delete process.env['TZ'];
    else process.env['TZ'] = TZ;
  }
}

async function readResults(name: string, { files }: RunOptions): Promise<readonly Mutant[]> {
  const mutants = await readMutants(reportOf(name));
  return files === undefined ? mutants : mutants.filter(({ file }) => files.includes(file));
}

function reportOf(area: string): string {
  return `${OUTPUT}/${area}.json`;
}

async function runStryker(
  name: string,
  area: Area,
  { files, force, concurrency }: RunOptions,
  ignoreStatic: boolean,
): Promise<void> {
  // Stryker's runners are child processes: the configuration of vitest finds the area here.
  process.env['BEHALF_MUTATION_AREA'] = name;
  const stryker = new Stryker({
    mutate: [...(files ?? area.mutate.map((path) => (path.endsWith('.ts') ? path : `${path}/**/*.ts`)))],
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
    vitest: { configFile: 'test/mutation/vitest.config.js', related: false },
    coverageAnalysis: 'perTest',
    ignoreStatic,
    ignorePatterns: ['dist', 'docs', OUTPUT, '.release', '.behalf'],
    tempDirName: `${OUTPUT}/sandbox`,
    cleanTempDir: 'always',
    disableTypeChecks: false,
    incremental: true,
    incrementalFile: reportOf(name),
    force,
    ...(concurrency === undefined ? {} : { concurrency }),
    // A mutant in an endless loop is mostly found by counting; what waits for something that never comes is found by these. On a
    // machine that is busy with other things a run may take several times as long as the first.
    timeoutMS: 15_000,
    timeoutFactor: 3,
    dryRunTimeoutMinutes: 10,
    reporters: [process.stdout.isTTY ? 'progress' : 'progress-append-only', 'html'],
    htmlReporter: { fileName: `${OUTPUT}/${name}.html` },
    thresholds: { high: 90, low: 90, break: null },
    allowConsoleColors: process.stdout.isTTY,
  });
  await stryker.runMutationTest();
}
