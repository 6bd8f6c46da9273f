import { runSubgraph } from '../run-subgraph.js';

await runSubgraph('customers', 4011);
