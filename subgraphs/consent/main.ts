import { endOnSignals } from './end-on-signals.js';
import { readEnvironment } from './environment.js';
import { startConsentSubgraph } from './start.js';

/** Runs the consent subgraph as its own process until SIGINT or SIGTERM; see `readEnvironment` for its variables. */
const subgraph = await startConsentSubgraph({ ...readEnvironment(process.env), log: console });
endOnSignals(subgraph);
console.log(`consent: ${subgraph.url}`);
