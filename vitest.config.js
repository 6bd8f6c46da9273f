import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const file = (path) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      // Tests in this process run the sources, so that a stack trace points at them.
      { find: '@behalf/directives/internal', replacement: file('directives/src/internal.ts') },
      { find: '@behalf/directives', replacement: file('directives/src/index.ts') },
      // Node gives everybody the CommonJS build; two builds of graphql in one process do not know each other's types.
      { find: /^graphql$/, replacement: file('node_modules/graphql/index.js') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/database-server.ts'],
    reporters: ['default', './test/reporter.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
