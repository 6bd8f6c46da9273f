// @ts-check
// JavaScript, because a worker is loaded by Node itself, from the sources as well as from the build. The compiler checks it.
import { readlinkSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { operationFromDocument, Supergraph } from '@apollo/federation-internals';
import { QueryPlanner } from '@apollo/query-planner';
import { parse } from 'graphql';

/** @import { PlanRequest, PlannerData, PlannerMessage } from './planner-messages.js' */

// eslint-disable-next-line @typescript-eslint/no-unsafe-assignment -- the linter does not see a cast of JSDoc
const { supergraphSdl, config } = /** @type {PlannerData} */ (workerData);
// As @apollo/gateway makes them.
const supergraph = Supergraph.build(supergraphSdl);
const apiSchema = supergraph.apiSchema();
const planner = new QueryPlanner(supergraph, config);

/** Where Linux tells the processor time of this thread. @returns {string | undefined} */
function threadId() {
  try {
    return readlinkSync('/proc/thread-self').split('/').pop();
  } catch {
    return undefined;
  }
}

/** @param {PlannerMessage} message */
function tell(message) {
  parentPort?.postMessage(message);
}

parentPort?.on('message', (/** @type {PlanRequest} */ { text, operationName }) => {
  try {
    const document = parse(text, { noLocation: true });
    const operation = operationFromDocument(
      apiSchema,
      document,
      operationName === undefined ? {} : { operationName },
    );
    tell({ kind: 'planned', plan: JSON.stringify(planner.buildQueryPlan(operation)) });
  } catch (error) {
    tell({ kind: 'failed', message: error instanceof Error ? error.message : '' });
  }
});
tell({ kind: 'ready', threadId: threadId() });
