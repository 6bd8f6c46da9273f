import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { projectPath } from '../../subgraphs/bank/shared/project-path.js';

/** A fenced block of code, in a document or a docblock. */
export interface Fence {
  /** For whoever has to correct it. */
  readonly place: string;
  /** All that follows the opening marks, such as `ts`. */
  readonly info: string;
  readonly text: string;
}

const FENCE = /^( *)```([^\n`]*)\n([\s\S]*?)^ *```$/gm;
/** Decision records show what was weighed then. */
const SKIPPED = new Set(['node_modules', 'dist', '.git', '.behalf', 'decisions']);

export function fencesIn(place: string, text: string): Fence[] {
  return [...text.matchAll(FENCE)].map(([, indent = '', info = '', code = ''], index) => ({
    place: `${place}, block ${index + 1}`,
    info: info.trim(),
    text: code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }));
}

/** The fences of every Markdown document. */
export async function documentedFences(folder = projectPath()): Promise<Fence[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = entries
    .filter(({ name }) => !SKIPPED.has(name))
    .map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return documentedFences(path);
      if (!entry.name.endsWith('.md')) return [];
      return fencesIn(relative(projectPath(), path), await readFile(path, 'utf8'));
    });
  return (await Promise.all(found)).flat();
}
