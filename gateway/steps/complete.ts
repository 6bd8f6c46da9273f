import { joinOutcomes } from '../schema-introspection/index.js';
import type { GatewayLog } from '../log.js';
import { ErrorLog } from '../subgraph-errors/log-errors.js';
import { tellStepUps } from './reject.js';
import type { Completed, Executed } from '../stages/stages.js';

/** For one log line. The audit record has all of them. */
const MAX_LOGGED_COORDINATES = 20;

/** Nulls and denials, in the shape that the client requested. */
export function complete(executed: Executed, log: GatewayLog): Completed {
  const { authorization, exchange, isShadow, outcome, schemaIntrospection, schemaIntrospectionOutcome } =
    executed;
  const errorLog = new ErrorLog(log, exchange.transactionId);
  if (isShadow) logWouldDeny(executed, log);
  const data = isShadow
    ? authorization.observe(outcome, errorLog.add)
    : tellStepUps(executed, authorization.complete(outcome, errorLog.add));
  errorLog.end();
  const answer =
    schemaIntrospection === undefined || schemaIntrospectionOutcome === undefined
      ? data
      : joinOutcomes(schemaIntrospection.keys, schemaIntrospectionOutcome, data);
  return { ...executed, answer };
}

function logWouldDeny({ exchange, authorization: { denials } }: Executed, log: GatewayLog): void {
  if (denials.length === 0) return;
  const coordinates = denials.map(({ coordinate }) => coordinate);
  log.log('info', 'WOULD_DENY', {
    coordinates: coordinates.slice(0, MAX_LOGGED_COORDINATES).join(' '),
    denials: denials.reduce((sum, { selections }) => sum + selections, 0),
    transaction: exchange.transactionId,
  });
}
