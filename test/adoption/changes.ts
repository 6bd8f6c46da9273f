import { readFile } from 'node:fs/promises';
import { parse, print } from 'graphql';
import ts from 'typescript';
import { projectPath } from '../../subgraphs/bank/shared/project-path.js';

// The changes that docs/how-to/adopt.md describes, one step for each of its headings. A line with a file name in backquotes
// says which file the ```diff fences after it change.

export interface Change {
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

export interface Step {
  readonly title: string;
  readonly changes: readonly Change[];
  /** The ```json fence that says what is answered after the step. */
  readonly answer: unknown;
}

export const GUIDE = projectPath('docs/how-to/adopt.md');

/** The steps that change something, in their order. */
export async function documentedSteps(): Promise<readonly Step[]> {
  const [, ...sections] = (await readFile(GUIDE, 'utf8')).split(/^## /m);
  return sections.map(stepOf).filter(({ changes }) => changes.length > 0);
}

function stepOf(section: string): Step {
  const changes: Change[] = [];
  let file: string | undefined;
  for (const [, name, diff] of section.matchAll(/^`([\w.]+)`:$|^```diff\n([\s\S]*?)^```$/gm)) {
    if (name !== undefined) file = name;
    else if (file === undefined || diff === undefined) throw new Error(`a change of no file: ${section}`);
    else changes.push({ file, before: side(diff, '-'), after: side(diff, '+') });
  }
  const answer = /^```json\n([\s\S]*?)^```$/m.exec(section)?.[1];
  return {
    title: section.split('\n')[0] ?? '',
    changes,
    answer: answer === undefined ? undefined : JSON.parse(answer),
  };
}

/** The lines of a diff that are in the file before it (`-`) or after it (`+`). An empty line is in both. */
function side(diff: string, mark: '-' | '+'): string {
  return diff
    .replace(/\n$/, '')
    .split('\n')
    .filter((line) => line === '' || line.startsWith(' ') || line.startsWith(mark))
    .map((line) => `${line.slice(1)}\n`)
    .join('');
}

/** @throws where the file does not have the lines that are changed, or has them twice. */
export function applyChange(text: string, { file, before, after }: Change): string {
  const parts = text.split(before);
  if (parts.length !== 2)
    throw new Error(`${file} has these lines ${parts.length - 1} times, not once:\n${before}`);
  return parts.join(after);
}

/**
 * How many statements were written, changed or taken out: imports count, and so do statements within statements. Of a GraphQL
 * schema it counts definitions.
 */
export function changedStatements(file: string, before: string, after: string): number {
  const partsOf = file.endsWith('.graphql') ? definitionsOf : statementsOf;
  const [old, now] = [partsOf(before), partsOf(after)];
  // What was changed is missing on both sides, and counts once.
  return Math.max(without(old, now).length, without(now, old).length);
}

function definitionsOf(sdl: string): readonly string[] {
  return parse(sdl).definitions.map((definition) => print(definition));
}

/** The text of each statement, less the statements within it, which count for themselves. */
function statementsOf(code: string): readonly string[] {
  const source = ts.createSourceFile('file.js', code, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (isCounted(node)) found.push(ownText(node, source));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function isCounted(node: ts.Node): boolean {
  return ts.isStatement(node) && !ts.isBlock(node);
}

function ownText(statement: ts.Node, source: ts.SourceFile): string {
  let text = statement.getText(source);
  const cut = (node: ts.Node): void => {
    if (isCounted(node)) text = text.replace(node.getText(source), ';');
    else ts.forEachChild(node, cut);
  };
  ts.forEachChild(statement, cut);
  return text.replaceAll(/\s+/g, ' ');
}

/** The entries of one list that another does not have, as often as it has them more. */
function without(list: readonly string[], other: readonly string[]): readonly string[] {
  const left = [...other];
  return list.filter((entry) => {
    const at = left.indexOf(entry);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
