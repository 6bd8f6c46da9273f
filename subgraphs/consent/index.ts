export { type ConsentSubgraphOptions, DEFAULT_CONSENT_PORT, startConsentSubgraph } from './start.js';
export type { RunningSubgraph } from './server.js';
