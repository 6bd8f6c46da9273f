export { type BankDatabase, DEFAULT_SEED, prepareBank, type SeedOptions } from './data/index.js';
export {
  type ExampleSubgraphOptions,
  type ExampleSubgraphsOptions,
  type RunningExampleSubgraphs,
  startExampleSubgraph,
  startExampleSubgraphs,
  SUBGRAPH_NAMES,
  type SubgraphName,
} from './start-subgraphs.js';
