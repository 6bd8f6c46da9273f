import { isUnnoticed } from './equivalent.js';
import type { Mutant } from './mutant.js';

export const MIN_KILLED_PERCENT = 90;
export const MAX_EQUIVALENT_PERCENT = 5;

/** The numbers of mutants of one area. */
export interface Score {
  readonly area: string;
  readonly mutants: number;
  /** A test failed, or never ended. */
  readonly killed: number;
  readonly survived: number;
  readonly noCoverage: number;
  readonly equivalent: number;
}

/** Mutants that could not be run (a runner that crashed, a mutant that is ignored by a comment) count as not killed. */
export function scoreOf(area: string, mutants: readonly Mutant[], equivalent: ReadonlySet<Mutant>): Score {
  const count = (matches: (mutant: Mutant) => boolean): number => mutants.filter(matches).length;
  return {
    area,
    mutants: mutants.length,
    killed: count(({ status }) => status === 'Killed' || status === 'Timeout'),
    survived: count((mutant) => mutant.status === 'Survived' && !equivalent.has(mutant)),
    noCoverage: count((mutant) => mutant.status === 'NoCoverage' && !equivalent.has(mutant)),
    equivalent: equivalent.size,
  };
}

/** What is wrong with a score, in words; empty where it is good enough. */
export function shortfalls({ area, mutants, killed, equivalent }: Score): readonly string[] {
  if (mutants === 0) return [`${area}: no mutants; does test/mutation/areas.ts name files that exist?`];
  const problems: string[] = [];
  if (killed * 100 < MIN_KILLED_PERCENT * mutants)
    problems.push(`${area}: ${percent(killed, mutants)} killed, less than ${MIN_KILLED_PERCENT} %`);
  if (equivalent * 100 > MAX_EQUIVALENT_PERCENT * mutants)
    problems.push(
      `${area}: ${percent(equivalent, mutants)} listed as equivalent, more than ${MAX_EQUIVALENT_PERCENT} %`,
    );
  return problems;
}

const COLUMNS = ['area', 'mutants', 'killed', 'survived', 'no coverage', 'equivalent'] as const;

export function scoreTable(scores: readonly Score[]): string {
  const rows = scores.map((score) => [
    score.area,
    String(score.mutants),
    `${score.killed} (${percent(score.killed, score.mutants)})`,
    String(score.survived),
    String(score.noCoverage),
    `${score.equivalent} (${percent(score.equivalent, score.mutants)})`,
  ]);
  const widths = COLUMNS.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  return [COLUMNS, ...rows]
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  '),
    )
    .join('\n');
}

/** The mutants that a test is missing for, one line each. */
export function unnoticedLines(mutants: readonly Mutant[], equivalent: ReadonlySet<Mutant>): string[] {
  return mutants
    .filter((mutant) => isUnnoticed(mutant) && !equivalent.has(mutant))
    .map(
      ({ file, line, column, mutator, original, replacement, status }) =>
        `${file}:${line}:${column} ${mutator}${status === 'NoCoverage' ? ', no coverage' : ''}: ${shorten(original)} → ${shorten(replacement)}`,
    );
}

function shorten(text: string): string {
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}

/** Rounded down, so that 89.96 % does not look like enough. */
function percent(part: number, whole: number): string {
  return whole === 0 ? '-' : `${(Math.floor((part * 1_000) / whole) / 10).toFixed(1)} %`;
}
