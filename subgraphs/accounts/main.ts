import { runSubgraph } from '../main.js';

await runSubgraph('accounts', 4012);
