import { readFile } from 'node:fs/promises';

/** One change of the code, and whether a test noticed it. */
export interface Mutant {
  /** Path from the root of the repository. */
  readonly file: string;
  /** Of its first character, counted from 1. */
  readonly line: number;
  readonly column: number;
  /** The line on which it begins, without the space around it. */
  readonly lineText: string;
  /** Stryker's name of the kind of change. */
  readonly mutator: string;
  /** The code that is replaced, with every run of white space as one space. */
  readonly original: string;
  readonly replacement: string;
  readonly status: MutantStatus;
}

export type MutantStatus =
  'Killed' | 'Timeout' | 'Survived' | 'NoCoverage' | 'RuntimeError' | 'CompileError' | 'Ignored' | 'Pending';

interface Position {
  readonly line: number;
  readonly column: number;
}

/** The parts of Stryker's report that are read: https://github.com/stryker-mutator/mutation-testing-elements */
interface Report {
  readonly files: Readonly<
    Record<
      string,
      {
        readonly source: string;
        readonly mutants: readonly {
          readonly mutatorName: string;
          readonly replacement?: string;
          readonly status: MutantStatus;
          readonly location: { readonly start: Position; readonly end: Position };
        }[];
      }
    >
  >;
}

/** Every mutant of a report, in the order of files and lines. */
export async function readMutants(path: string): Promise<readonly Mutant[]> {
  const { files } = JSON.parse(await readFile(path, 'utf8')) as Report;
  return Object.entries(files).flatMap(([file, { source, mutants }]) => {
    const lines = source.split('\n');
    return mutants
      .map(({ mutatorName, replacement = '', status, location: { start, end } }) => ({
        file,
        line: start.line,
        column: start.column,
        lineText: (lines[start.line - 1] ?? '').trim(),
        mutator: mutatorName,
        original: oneLine(textBetween(lines, start, end)),
        replacement: oneLine(replacement),
        status,
      }))
      .sort((one, other) => one.line - other.line || one.column - other.column);
  });
}

function textBetween(lines: readonly string[], start: Position, end: Position): string {
  const text = lines.slice(start.line - 1, end.line);
  text[text.length - 1] = (text[text.length - 1] ?? '').slice(0, end.column - 1);
  text[0] = (text[0] ?? '').slice(start.column - 1);
  return text.join('\n');
}

export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
