import { runSubgraph } from '../run-subgraph.js';

await runSubgraph('payments', 4013);
