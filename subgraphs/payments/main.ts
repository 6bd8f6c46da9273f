import { runSubgraph } from '../main.js';

await runSubgraph('payments', 4013);
