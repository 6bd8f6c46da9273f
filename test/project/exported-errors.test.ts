import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as directives from '../../directives/src/index.js';
import * as gateway from '../../gateway/index.js';
import * as tools from '../../gateway/tools.js';
import { projectPath } from '../../subgraphs/bank/shared/project-path.js';

/** Errors that their package catches itself, so that no caller meets them. */
const INTERNAL: Readonly<Record<string, readonly string[]>> = {
  gateway: [
    'DeadlineError',
    'InexactLiteralError',
    'InexactVariableError',
    'InvalidVariablesError',
    'RejectedError',
    'StoreTimeoutError',
    'SubgraphError',
    'UnansweredError',
    'UnreadableAnswerError',
    'UnsendableHeaderError',
  ],
  directives: ['NotCanonicalError'],
};

/** Errors of other packages that a user of this one can catch. */
const OF_OTHERS: Readonly<Record<string, readonly string[]>> = {
  gateway: ['AuditError', 'ListenError', 'PolicyError'],
  directives: [],
};

function sources(folder: string): string[] {
  return readdirSync(projectPath(folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ['dist', 'node_modules'].includes(entry.name) ? [] : sources(path);
    return entry.name.endsWith('.ts') ? [readFileSync(projectPath(path), 'utf8')] : [];
  });
}

function errorClasses(folder: string): string[] {
  return sources(folder).flatMap((text) =>
    [...text.matchAll(/class (\w+) extends (?:GraphQL|Type)?Error\b/g)].map(([, name = '']) => name),
  );
}

describe.each([
  ['gateway', { ...gateway, ...tools }],
  ['directives', directives],
] as const)('every error that %s throws', (folder, exported: Readonly<Record<string, unknown>>) => {
  it('is exported, or never leaves the package', () => {
    const internal = INTERNAL[folder] ?? [];
    const missing = errorClasses(folder).filter((name) => !internal.includes(name) && !(name in exported));
    expect(missing).toEqual([]);
  });

  it('is exported if it is another package’s', () => {
    expect((OF_OTHERS[folder] ?? []).filter((name) => !(name in exported))).toEqual([]);
  });

  it('is not both exported and internal', () => {
    const classes = errorClasses(folder);
    expect((INTERNAL[folder] ?? []).filter((name) => name in exported || !classes.includes(name))).toEqual(
      [],
    );
  });
});
