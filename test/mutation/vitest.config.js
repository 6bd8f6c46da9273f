import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';
import workspace from '../../vitest.config.js';
import { AREAS } from './areas.ts';

const area = AREAS[process.env.BEHALF_MUTATION_AREA];
if (area === undefined) throw new Error('BEHALF_MUTATION_AREA names no area of test/mutation/areas.ts');

/** A mutant is done with at the first test that fails, so the quick and specific files come first: as the area lists them. */
class ListedOrder extends BaseSequencer {
  async sort(files) {
    const rank = ({ moduleId }) => area.tests.findIndex((path) => moduleId.endsWith(`/${path}`));
    return [...files].sort((one, other) => rank(one) - rank(other));
  }
}

export default defineConfig({
  resolve: workspace.resolve,
  test: {
    include: [...area.tests],
    globalSetup: area.needsDatabase === true ? workspace.test.globalSetup : [],
    isolate: area.isolate === true,
    sequence: { sequencer: ListedOrder },
    reporters: [],
    // A mutant that leaves a test waiting is noticed when this has passed.
    testTimeout: 10_000,
    hookTimeout: 20_000,
  },
});
