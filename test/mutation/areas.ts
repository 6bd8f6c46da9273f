/** A part of the code that is mutated together, and the tests that have to notice. */
export interface Area {
  /** Files whose code is mutated, and folders of such files. Paths from the root of the repository. */
  readonly mutate: readonly string[];
  /** Test files that run for each mutant that they reach: globs. Seconds matter here, so no test that starts processes. */
  readonly tests: readonly string[];
  /** Whether the tests need PostgreSQL: one is started for the area. */
  readonly needsDatabase?: true;
}

/** The code that decides. */
export const AREAS: Readonly<Record<string, Area>> = {
  decide: {
    mutate: ['directives/src/decide'],
    tests: [
      'test/directives/requirement.test.ts',
      'test/directives/rule-table.test.ts',
      'test/directives/unknown-meaning.test.ts',
    ],
  },
  enforce: {
    mutate: ['directives/src/enforce'],
    tests: ['test/directives/*.test.ts'],
  },
  minimize: {
    mutate: ['directives/src/minimize'],
    tests: ['test/directives/minimize-*.test.ts'],
  },
  steps: {
    mutate: ['gateway/steps'],
    tests: ['test/gateway/steps/*.test.ts'],
  },
  supergraph: {
    mutate: ['gateway/supergraph'],
    tests: ['test/gateway/supergraph/*.test.ts'],
  },
  consent: {
    // Not here: the export, which decides nothing, and suspensions, which are not consents.
    mutate: [
      'authority/consent/end-tokens.ts',
      'authority/consent/expire.ts',
      'authority/consent/grant.ts',
      'authority/consent/in-force.ts',
      'authority/consent/narrow.ts',
      'authority/consent/register.ts',
      'authority/consent/replace.ts',
      'authority/consent/replay.ts',
      'authority/consent/revoke.ts',
      'authority/consent/rows.ts',
      'authority/consent/token.ts',
      'authority/consent/verify.ts',
    ],
    tests: ['test/authority/consent/*.test.ts'],
    needsDatabase: true,
  },
};

/** Whether a file is one of those that the area mutates. */
export function isInArea({ mutate }: Area, file: string): boolean {
  return mutate.some((path) => file === path || file.startsWith(`${path}/`));
}
