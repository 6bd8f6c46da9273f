import { runSubgraph } from '../main.js';

await runSubgraph('consent', 4014);
