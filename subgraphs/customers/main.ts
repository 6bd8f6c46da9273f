import { runSubgraph } from '../main.js';

await runSubgraph('customers', 4011);
