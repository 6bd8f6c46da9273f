import { authorityDown } from './authority-down.js';
import { clientRogue } from './client-rogue.js';
import { clockSkew } from './clock-skew.js';
import type { Drill } from './drill.js';
import { exhaustion } from './exhaustion.js';
import { forgedHost } from './forged-host.js';
import { forgedTxnToken } from './forged-txn-token.js';
import { hostileSubgraph } from './hostile-subgraph.js';
import { logDeleted, logEdited, logTruncated } from './log-tampered.js';
import { replayedProof } from './replayed-proof.js';
import { keyLeaked } from './key-leaked.js';
import { revokedInUse } from './revoked-in-use.js';
import { stolenBearer } from './stolen-bearer.js';
import { stolenDatabasePassword } from './stolen-database-password.js';
import { stolenDpopToken } from './stolen-dpop-token.js';
import { streamCut } from './stream-cut.js';
import { subgraphReached } from './subgraph-reached.js';

/** All drills, in the order in which they run on one system. */
export const drills: readonly Drill[] = Object.freeze([
  stolenBearer,
  stolenDpopToken,
  replayedProof,
  forgedTxnToken,
  forgedHost,
  subgraphReached,
  hostileSubgraph,
  exhaustion,
  stolenDatabasePassword,
  logEdited,
  logTruncated,
  logDeleted,
  revokedInUse,
  clientRogue,
  keyLeaked,
  streamCut,
  authorityDown,
  clockSkew,
]);
