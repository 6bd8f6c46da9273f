import { authorityDown } from './authority-down.js';
import type { Drill } from './drill.js';
import { forgedTxnToken } from './forged-txn-token.js';
import { revokedInUse } from './revoked-in-use.js';
import { streamCut } from './stream-cut.js';
import { subgraphReached } from './subgraph-reached.js';

/** All of them, in the order in which they run over one system. */
export const drills: readonly Drill[] = Object.freeze([
  forgedTxnToken,
  subgraphReached,
  revokedInUse,
  streamCut,
  authorityDown,
]);
