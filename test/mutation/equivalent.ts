import { readFile } from 'node:fs/promises';
import type { Mutant } from './mutant.js';
import { oneLine } from './mutant.js';

/** A mutant that no test can tell from the code, matched by text so that edits elsewhere in the file do not matter. */
export interface EquivalentMutant {
  readonly file: string;
  /** The line on which it begins. */
  readonly line: string;
  readonly mutator: string;
  readonly original: string;
  readonly replacement: string;
  /** Why no test could notice it. */
  readonly reason: string;
}

const KEYS = ['file', 'line', 'mutator', 'original', 'replacement', 'reason'] as const;

/** @throws where an entry lacks a text, or has a key that is none of these */
export async function readEquivalent(path: string): Promise<readonly EquivalentMutant[]> {
  const entries: unknown = JSON.parse(await readFile(path, 'utf8'));
  if (!Array.isArray(entries)) throw new Error(`${path} is not a list`);
  return entries.map((entry: unknown, index) => {
    const texts = Object.entries(entry ?? {}) as readonly (readonly [string, unknown])[];
    const isComplete =
      texts.length === KEYS.length &&
      KEYS.every((key) => texts.some(([name, text]) => name === key && typeof text === 'string'));
    if (!isComplete) throw new Error(`${path}: entry ${index} needs the texts ${KEYS.join(', ')}`);
    return entry as EquivalentMutant;
  });
}

export interface Matched {
  readonly equivalent: ReadonlySet<Mutant>;
  /** Entries that the list must lose. */
  readonly problems: readonly string[];
}

/**
 * Finds the mutants that are listed as equivalent. An entry that matches nothing is a problem, and so is one whose mutant a test
 * noticed: it is not equivalent.
 */
export function matchEquivalent(
  mutants: readonly Mutant[],
  entries: readonly EquivalentMutant[],
  isCovered: (file: string) => boolean,
): Matched {
  const equivalent = new Set<Mutant>();
  const problems: string[] = [];
  for (const entry of entries) {
    if (!isCovered(entry.file)) continue;
    const matches = mutants.filter((mutant) => isListed(mutant, entry));
    if (matches.length === 0) problems.push(`no such mutant: ${describe(entry)}`);
    for (const mutant of matches) {
      if (isUnnoticed(mutant)) equivalent.add(mutant);
      else problems.push(`not equivalent, a test notices it: ${describe(entry)}`);
    }
  }
  return { equivalent, problems };
}

export function isUnnoticed({ status }: Mutant): boolean {
  return status === 'Survived' || status === 'NoCoverage';
}

function isListed(mutant: Mutant, entry: EquivalentMutant): boolean {
  return (
    mutant.file === entry.file &&
    mutant.mutator === entry.mutator &&
    oneLine(mutant.lineText) === oneLine(entry.line) &&
    mutant.original === oneLine(entry.original) &&
    mutant.replacement === oneLine(entry.replacement)
  );
}

function describe({ file, mutator, original, replacement }: EquivalentMutant): string {
  return `${file}: ${mutator}: ${original} → ${replacement}`;
}
