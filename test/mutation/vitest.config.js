import { defineConfig } from 'vitest/config';
import workspace from '../../vitest.config.js';
import { AREAS } from './areas.ts';

const area = AREAS[process.env.BEHALF_MUTATION_AREA];
if (area === undefined) throw new Error('BEHALF_MUTATION_AREA names no area of test/mutation/areas.ts');

export default defineConfig({
  resolve: workspace.resolve,
  test: {
    include: [...area.tests],
    globalSetup: area.needsDatabase === true ? workspace.test.globalSetup : [],
    isolate: area.isolate === true,
    reporters: [],
    // A mutant that leaves a test waiting is noticed when this has passed.
    testTimeout: 10_000,
    hookTimeout: 20_000,
  },
});
