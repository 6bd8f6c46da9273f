import { readEnvironment } from './environment.js';
import { startConsentSubgraph } from './start.js';

/** Runs the consent subgraph as its own process until SIGINT or SIGTERM; see `readEnvironment` for its variables. */
const subgraph = await startConsentSubgraph({ ...readEnvironment(process.env), log: console });
console.log(`consent: ${subgraph.url}`);
let isClosing = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (isClosing) return;
    isClosing = true;
    subgraph.close().catch((error: unknown) => {
      console.error(error instanceof Error ? error.message : 'The subgraph did not close');
      process.exitCode = 1;
    });
  });
}
