/** A part of the code that is mutated together, and the tests that have to notice. */
export interface Area {
  /** Files whose code is mutated, and folders of such files. Paths from the root of the repository. */
  readonly mutate: readonly string[];
  /**
   * Test files that run for each mutant that they reach, the quick and specific ones first. Seconds matter here, so none that
   * starts processes.
   */
  readonly tests: readonly string[];
  /** Whether the tests need PostgreSQL: one is started for the area. */
  readonly needsDatabase?: true;
  /**
   * Whether each test file needs a module registry of its own, because one of them replaces a module. Otherwise they share one,
   * for the run of one mutant: most of the time goes into loading modules.
   */
  readonly isolate?: true;
  /**
   * Where the tests run; by default where the command does. Stryker's runners are threads, in which a test cannot set `TZ`.
   */
  readonly timeZone?: string;
}

/** The code that decides. */
export const AREAS: Readonly<Record<string, Area>> = {
  decide: {
    mutate: ['directives/src/decide'],
    tests: [
      'test/directives/requirement.test.ts',
      'test/directives/rule-table.test.ts',
      'test/directives/unknown-meaning.test.ts',
      'test/directives/filter-table.test.ts',
      'test/directives/filter-values.test.ts',
      'test/directives/filters.test.ts',
      'test/directives/levels.test.ts',
    ],
    isolate: true,
  },
  enforce: {
    mutate: ['directives/src/enforce'],
    tests: [
      'test/directives/options.test.ts',
      'test/directives/values.test.ts',
      'test/directives/default-resolver.test.ts',
      'test/directives/loader.test.ts',
      'test/directives/denial.test.ts',
      'test/directives/request-headers.test.ts',
      'test/directives/request-state.test.ts',
      'test/directives/own-rows.test.ts',
      'test/directives/ending-stream.test.ts',
      'test/directives/own-events.test.ts',
      'test/directives/apollo-plugin.test.ts',
      'test/directives/misuse.test.ts',
      'test/directives/exchange-in-request.test.ts',
      'test/directives/txn-token-claims.test.ts',
      'test/directives/entities-rejection.test.ts',
      'test/directives/shadow.test.ts',
      'test/directives/protected-subgraph.test.ts',
      'test/directives/protect-schema.test.ts',
      'test/directives/subscriptions.test.ts',
      'test/directives/foreign-rows.test.ts',
      'test/directives/minimize-shift.test.ts',
      'test/directives/minimize-noise-shapes.test.ts',
      'test/directives/filters.test.ts',
    ],
  },
  minimize: {
    mutate: ['directives/src/minimize'],
    tests: [
      'test/directives/minimize-strategies.test.ts',
      'test/directives/minimize-serialized.test.ts',
      'test/directives/minimize-numbers.test.ts',
      'test/directives/minimize-dates.test.ts',
      'test/directives/minimize-local-dates.test.ts',
      'test/directives/minimize-characters.test.ts',
      'test/directives/minimize-generalize.test.ts',
      'test/directives/minimize-hierarchy.test.ts',
      'test/directives/aggregate.test.ts',
      'test/directives/aggregate-types.test.ts',
      'test/directives/aggregate-properties.test.ts',
      'test/directives/minimize-mask.test.ts',
      'test/directives/minimize-compare.test.ts',
      'test/directives/check-minimizations.test.ts',
      'test/directives/pseudonyms.test.ts',
      'test/directives/minimize-shift.test.ts',
      'test/directives/minimize-noise.test.ts',
      'test/directives/minimize-noise-shapes.test.ts',
      'test/gateway/supergraph/minimization.test.ts',
    ],
    timeZone: 'Europe/London',
  },
  steps: {
    mutate: ['gateway/steps'],
    tests: ['test/gateway/steps/*.test.ts'],
  },
  supergraph: {
    mutate: ['gateway/supergraph'],
    tests: ['test/gateway/supergraph/*.test.ts'],
  },
  authorize: {
    // Not here: explanations and introspection, which decide nothing.
    mutate: [
      'gateway/authorize/ceiling.ts',
      'gateway/authorize/chosen-operation.ts',
      'gateway/authorize/conditions.ts',
      'gateway/authorize/decisions.ts',
      'gateway/authorize/filter-refusals.ts',
      'gateway/authorize/filter-uses.ts',
      'gateway/authorize/filter.ts',
      'gateway/authorize/filtered-document.ts',
      'gateway/authorize/removals.ts',
      'gateway/authorize/selection-filter.ts',
    ],
    tests: [
      'test/gateway/authorize/decisions.test.ts',
      'test/gateway/authorize/filter.test.ts',
      'test/gateway/authorize/filters.test.ts',
      'test/gateway/authorize/removals.test.ts',
      'test/gateway/authorize/conditions.test.ts',
      'test/gateway/authorize/chosen-operation.test.ts',
      'test/gateway/authorize/ceiling.test.ts',
      'test/gateway/authorize.test.ts',
      'test/gateway/selection-filter.test.ts',
      'test/gateway/chosen-operation.test.ts',
      'test/gateway/policy-ceiling.test.ts',
      'test/conformance/advisories.test.ts',
      'test/conformance/conditions.test.ts',
      'test/conformance/federation-directives.test.ts',
      'test/conformance/response-keys.test.ts',
      'test/conformance/router-semantics.test.ts',
    ],
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
