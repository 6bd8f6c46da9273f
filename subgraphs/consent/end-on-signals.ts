import type { RunningSubgraph } from './server.js';

/**
 * Drains the subgraph at SIGTERM. SIGINT, also during the wait, closes it: a person at a terminal has no load balancer. To be called
 * before the program says that it runs, because whoever reads that may end it at once.
 */
export function endOnSignals(subgraph: RunningSubgraph): void {
  const failed = (error: unknown): void => {
    console.error(error instanceof Error ? error.message : 'The subgraph did not close');
    process.exitCode = 1;
  };
  process.on('SIGTERM', () => void subgraph.drain().catch(failed));
  process.on('SIGINT', () => void subgraph.close().catch(failed));
}
