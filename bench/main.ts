import { pin } from './harness/child.js';
import { benchGateway } from './gateway/run.js';

// Load and subgraphs on one processor, what is measured on the other.
pin(process.pid, 1);
await benchGateway();
process.exit(0);
