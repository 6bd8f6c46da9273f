import { printable } from '@behalf/gateway/printable';
import { diffSupergraphs, inspectSupergraph } from '@behalf/gateway/tools';
import type { Change, ChangeKind, Coverage } from '@behalf/gateway/tools';
import { readSupergraphSdl } from '../read-supergraph.js';

export interface DiffOptions {
  /** SDL, or a `supergraph.yaml` to compose. */
  readonly before: string;
  readonly after: string;
  readonly coverage: Coverage;
  readonly format: 'human' | 'json';
}

/**
 * `behalf diff`: prints which fields a change of the supergraph opens or closes.
 *
 * @returns 0 when it opens nothing, 1 when it opens something
 * @throws CommandError `FILE_UNREADABLE`
 * @throws SupergraphError, ComposeError when a supergraph cannot be used
 */
export async function diffFiles(options: DiffOptions, print: (line: string) => void): Promise<0 | 1> {
  const [before, after] = await Promise.all([options.before, options.after].map(readSupergraphSdl));
  const changes = diffSupergraphs(
    inspectSupergraph(before ?? '', options.coverage),
    inspectSupergraph(after ?? '', options.coverage),
  );
  const opens = changes.some((change) => change.opens);
  if (options.format === 'json') print(JSON.stringify({ opens, changes }, undefined, 2));
  else for (const line of diffLines(changes)) print(printable(line));
  return opens ? 1 : 0;
}

const WORDS: Readonly<Record<ChangeKind, string>> = {
  opened: 'opened',
  'added-open': 'new, open',
  changed: 'changed: opens it for some, closes it for others',
  'minimization-weakened': 'more detail',
  'minimization-changed': 'different detail',
  'subject-lost': 'rows of every subject',
  'subject-changed': 'the owner is found, or passed over, in another way',
  'subject-weakened': 'rows of every subject for more callers',
  'filter-lost': 'filters by a field outside its rules',
  bypassed: 'a rule can be bypassed',
  'added-protected': 'new, protected',
  closed: 'closed',
  'minimization-strengthened': 'less detail',
  'subject-strengthened': 'rows of every subject for fewer callers',
  'subject-gained': 'only rows of the caller’s own subject',
  'filter-gained': 'filters by a field under its rules',
  removed: 'removed',
};

function diffLines(changes: readonly Change[]): string[] {
  if (changes.length === 0) return ['No rule has changed.'];
  const lines: string[] = [];
  for (const [title, opens] of [
    ['Opens', true],
    ['Closes, or opens nothing', false],
  ] as const) {
    const listed = changes.filter((change) => change.opens === opens);
    if (listed.length === 0) continue;
    if (lines.length > 0) lines.push('');
    lines.push(`${title} (${listed.length})`);
    for (const { coordinate, kind, before, after } of listed) {
      lines.push(`  ${opens ? '!' : ' '} ${coordinate}  ${WORDS[kind]}`);
      if (before !== undefined) lines.push(`      - ${before === '' ? '(nothing)' : before}`);
      if (after !== undefined) lines.push(`      + ${after === '' ? '(nothing)' : after}`);
    }
  }
  return lines;
}
