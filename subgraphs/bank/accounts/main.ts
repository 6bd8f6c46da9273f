import { runSubgraph } from '../run-subgraph.js';

await runSubgraph('accounts', 4012);
