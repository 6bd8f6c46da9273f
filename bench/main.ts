import { benchAnalysis } from './analysis/run.js';
import { benchAudit } from './audit/run.js';
import { benchGateway } from './gateway/run.js';
import { pin } from './harness/child.js';
import { benchLimits } from './limits/run.js';
import { benchMinimize } from './minimize/run.js';
import { benchRevocation } from './revocation/run.js';
import { benchSearch } from './search/run.js';
import { benchSubgraph } from './subgraph/run.js';

const benchmarks: Readonly<Record<string, () => Promise<void>>> = {
  analysis: benchAnalysis,
  subgraph: benchSubgraph,
  minimize: benchMinimize,
  limits: benchLimits,
  audit: benchAudit,
  // Runs before the others, which pin this process and its children to one processor.
  revocation: benchRevocation,
  gateway: () => {
    // Load and subgraphs share one processor; the measured program has the other.
    pin(process.pid, 1);
    return benchGateway();
  },
  search: benchSearch,
};
/** They run only if they are named: they take long, and show no times. */
const ONLY_NAMED = ['search'];

const named = process.argv.slice(2);
const unknown = named.filter((name) => !Object.hasOwn(benchmarks, name));
if (unknown.length > 0) {
  console.error(`no such benchmark: ${unknown.join(', ')}; there are ${Object.keys(benchmarks).join(', ')}`);
  process.exit(2);
}
for (const [name, run] of Object.entries(benchmarks)) {
  if (named.length === 0 ? !ONLY_NAMED.includes(name) : named.includes(name)) await run();
}
// Keeps an exit code that a benchmark has set.
process.exit();
