import { systemClock } from '@behalf/directives/internal';
import { lint, ComposeError, composeSupergraph, readSupergraphConfig } from '@behalf/gateway/tools';
import type { Finding, LintInput, LintTranslation, SubgraphSource } from '@behalf/gateway/tools';
import { readPolicy, readTranslation } from '@behalf/policy';
import { CommandError } from '../command-error.js';
import { printable } from '@behalf/gateway/printable';
import { quantity } from '../quantity.js';
import { readText } from '../read-text.js';

export interface LintOptions {
  /** rover's `supergraph.yaml`. */
  readonly config?: string | undefined;
  /** A composed supergraph, instead of `config`. */
  readonly supergraph?: string | undefined;
  readonly policy?: string | undefined;
  /** Translations of `policy`. */
  readonly translation?: readonly string[] | undefined;
  readonly format: 'human' | 'json';
}

const DEFAULT_CONFIG = 'supergraph.yaml';

/**
 * `behalf lint`: prints the findings.
 *
 * @returns 0 without errors, 1 with at least one
 * @throws CommandError `USAGE`, `FILE_UNREADABLE`
 * @throws ComposeError when a schema or the configuration cannot be read
 */
export async function lintSchemas(options: LintOptions, print: (line: string) => void): Promise<0 | 1> {
  const { config, supergraph, policy, translation } = options;
  if (config !== undefined && supergraph !== undefined) {
    throw new CommandError('USAGE', 'give --config or --supergraph, not both');
  }
  if (translation !== undefined && policy === undefined)
    throw new CommandError('USAGE', 'give --policy as well: --translation is one of it');
  const findings = lint({
    ...(supergraph === undefined
      ? await readSubgraphs(config ?? DEFAULT_CONFIG)
      : { subgraphs: [], supergraph: await readText(supergraph) }),
    policy: policy === undefined ? undefined : await readPolicy(policy),
    translations: translation && (await Promise.all(translation.map(readLintTranslation))),
    today: new Date(systemClock.now()).toISOString().slice(0, 10),
  });
  if (options.format === 'json') print(JSON.stringify({ findings }, undefined, 2));
  else for (const line of findingLines(findings)) print(printable(line));
  return findings.some(({ severity }) => severity === 'error') ? 1 : 0;
}

async function readLintTranslation(file: string): Promise<LintTranslation> {
  return { file, translation: await readTranslation(file) };
}

async function readSubgraphs(configFile: string): Promise<Pick<LintInput, 'subgraphs' | 'supergraph'>> {
  const subgraphs = await readSupergraphConfig(configFile);
  return { subgraphs, supergraph: composeOrFail(subgraphs) };
}

/** Subgraphs that do not compose are reported as a finding: the rules of each can still be checked. */
function composeOrFail(subgraphs: readonly SubgraphSource[]): LintInput['supergraph'] {
  try {
    return composeSupergraph(subgraphs);
  } catch (error) {
    if (!(error instanceof ComposeError) || error.code !== 'COMPOSE_FAILED') throw error;
    // A supergraph that was composed but refused is checked like any other: the same checks say why, with file and line.
    return error.refusedSdl ?? { failures: error.details };
  }
}

function findingLines(findings: readonly Finding[]): string[] {
  if (findings.length === 0) return ['Nothing found.'];
  const lines: string[] = [];
  let place: string | undefined;
  for (const finding of findings) {
    const { file, subgraph, line, severity, coordinate, message, hint, code } = finding;
    const here = file ?? (subgraph === undefined ? 'the supergraph' : `subgraph ${subgraph}`);
    if (here !== place) lines.push(...(place === undefined ? [] : ['']), here);
    place = here;
    const where = line === undefined ? '' : `:${line}`;
    lines.push(
      `  ${`${severity}${where}`.padEnd(13)}${coordinate === undefined ? '' : `${coordinate}  `}${code}`,
    );
    lines.push(`${' '.repeat(15)}${message}.`, `${' '.repeat(15)}${hint}`);
  }
  const count = (severity: Finding['severity'], word: string): string =>
    quantity(findings.filter((finding) => finding.severity === severity).length, word);
  lines.push('', [count('error', 'error'), count('warning', 'warning'), count('info', 'note')].join(', '));
  return lines;
}
