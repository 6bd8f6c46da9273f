export { type BankDatabase, DEFAULT_SEED, prepareBank, type SeedOptions } from './bank/index.js';
export {
  type ExampleSubgraphOptions,
  type ExampleSubgraphsOptions,
  type RunningExampleSubgraphs,
  startExampleSubgraph,
  startExampleSubgraphs,
  SUBGRAPH_NAMES,
  type SubgraphName,
} from './example.js';
export { type RunningSubgraph, startSubgraph, type SubgraphServerOptions } from './server.js';
