import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';

const file = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Each entry of each package, and its source. */
const SOURCES = {
  '@behalf/directives': 'directives/src/index.ts',
  '@behalf/directives/internal': 'directives/src/internal.ts',
  '@behalf/directives/kysely': 'directives/src/kysely.ts',
  '@behalf/directives/knex': 'directives/src/knex.ts',
  '@behalf/policy': 'policy/index.ts',
  '@behalf/store': 'store/index.ts',
  '@behalf/http': 'http/index.ts',
  '@behalf/http/internal': 'http/internal.ts',
  '@behalf/revocation': 'revocation/index.ts',
  '@behalf/revocation/internal': 'revocation/internal.ts',
  '@behalf/audit': 'audit/index.ts',
  '@behalf/witness': 'witness/index.ts',
  '@behalf/audit-verify': 'audit-verify/index.ts',
  '@behalf/audit-verify/internal': 'audit-verify/internal.ts',
  '@behalf/authority': 'authority/index.ts',
  '@behalf/gateway': 'gateway/index.ts',
  '@behalf/gateway/tools': 'gateway/tools.ts',
  '@behalf/consent-subgraph': 'subgraphs/consent/index.ts',
  '@behalf/consent-subgraph/internal': 'subgraphs/consent/internal.ts',
  '@behalf/example': 'subgraphs/bank/index.ts',
  '@behalf/policy/internal': 'policy/internal.ts',
  '@behalf/store/internal': 'store/internal.ts',
  '@behalf/audit/postgres': 'audit/postgres.ts',
  '@behalf/audit/internal/log': 'audit/log/index.ts',
  '@behalf/audit/internal': 'audit/internal.ts',
  '@behalf/authority/consent': 'authority/consent/index.ts',
  '@behalf/authority/clients': 'authority/clients/index.ts',
  '@behalf/authority/internal': 'authority/internal.ts',
  '@behalf/gateway/printable': 'gateway/printable.ts',
  '@behalf/gateway/internal': 'gateway/internal.ts',
  '@behalf/gateway/internal/apollo': 'gateway/apollo.ts',
  '@behalf/example/internal': 'subgraphs/bank/internal.ts',
  'behalf/internal': 'cli/internal.ts',
};

/** They install the packages with npm, as users do: `npm run test:installed`. */
const INSTALLED = [
  'test/adoption/**/*.test.ts',
  'test/cli/init.test.ts',
  'test/directives/graphql17.test.ts',
  'test/project/packed-install.test.ts',
  'test/project/tutorial.test.ts',
];

/** They replace a module, or set what a whole process shares, so each needs a process of its own. */
const ALONE = [
  'test/directives/unknown-meaning.test.ts',
  'test/gateway/no-values-on-record.test.ts',
  'test/e2e/tracing.test.ts',
];

/** They take longest, so they begin first: at the end, one process would work on them alone. */
const LONG = ['e2e/runbooks', 'drills/drills', 'e2e/start', 'audit/log/sequencer', 'authority/key-rotation'];

class LongFirst extends BaseSequencer {
  async sort(files) {
    const isShort = ({ moduleId }) => Number(!LONG.some((name) => moduleId.endsWith(`/${name}.test.ts`)));
    return (await super.sort(files)).sort((one, other) => isShort(one) - isShort(other));
  }
}

export default defineConfig({
  resolve: {
    alias: [
      // Tests in this process run the sources, so that a stack trace points at them.
      ...Object.entries(SOURCES).map(([name, source]) => ({
        find: new RegExp(`^${name}$`),
        replacement: file(source),
      })),
      // Node gives everybody the CommonJS build; two builds of graphql in one process do not know each other's types.
      { find: /^graphql$/, replacement: file('node_modules/graphql/index.js') },
    ],
  },
  test: {
    projects: [
      // Loading the modules takes longer than many a test, so files share them.
      {
        extends: true,
        test: {
          name: 'shared',
          include: ['test/**/*.test.ts'],
          exclude: [...ALONE, ...INSTALLED],
          isolate: false,
        },
      },
      { extends: true, test: { name: 'alone', include: ALONE } },
      { extends: true, test: { name: 'installed', include: INSTALLED, isolate: false } },
    ],
    globalSetup: ['test/support/database-server.ts', 'test/support/run-folder.ts'],
    reporters: ['default', './test/reporter.ts'],
    // Only what hangs takes so long, also on a machine that does other work.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    sequence: { sequencer: LongFirst },
    pool: 'forks',
    // More than there are processor cores: many tests wait for processes, timers and the database.
    maxWorkers: 4,
  },
});
