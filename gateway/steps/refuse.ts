import type { GraphQLError } from 'graphql';
import type { AuditOutcome } from '@behalf/audit';
import { InvalidVariablesError } from '../authorize/variables.js';
import { internalError } from '../client-error.js';
import { RefusedError } from '../errors.js';
import type { Challenges } from '../authenticate/present-challenge.js';
import type { GatewayLog } from '../log.js';
import type { Recorder } from '../seal/recorder.js';
import { failureFacts } from '../stack-frames.js';
import { RejectedError } from './reject.js';
import type { Stage } from '../stages/stages.js';

export interface RefusalParts {
  readonly recorder: Recorder;
  readonly challenges: Challenges;
  readonly log: GatewayLog;
}

interface Refused {
  readonly outcome: AuditOutcome;
  readonly reason: string;
  readonly errors: readonly GraphQLError[];
}

/**
 * Ends an operation at its current stage, for any reason: records it, completes the challenges, and returns the errors for the
 * client. This is the only place that refuses requests.
 *
 * If the record cannot be made durable in audit mode `required`, the answer becomes that of `Recorder.seal`.
 */
export async function refuse(
  error: unknown,
  stage: Stage,
  { recorder, challenges, log }: RefusalParts,
): Promise<readonly [GraphQLError, ...GraphQLError[]]> {
  const refused = describe(error, stage, log);
  const { namedClient, refusal } = error instanceof RefusedError ? error : {};
  const unsealed = await sealed({ ...stage, namedClient, cause: refusal?.cause }, refused, recorder);
  const { errors } = unsealed === undefined ? refused : describe(unsealed, stage, log);
  challenges.complete(errors, stage.exchange.incoming);
  const [first = internalError(), ...others] = errors;
  return [first, ...others];
}

/** @returns why there is no record, if there is none */
async function sealed(stage: Stage, { outcome, reason }: Refused, recorder: Recorder): Promise<unknown> {
  // An operation has one record, and making it may be what failed.
  if (recorder.hasSealed(stage.exchange)) return undefined;
  try {
    await recorder.seal(stage, outcome, reason);
    return undefined;
  } catch (error) {
    return error;
  }
}

function describe(error: unknown, stage: Stage, log: GatewayLog): Refused {
  if (error instanceof RejectedError)
    return { outcome: 'refused', reason: 'UNAUTHORIZED_FIELD_OR_TYPE', errors: error.errors };
  if (error instanceof InvalidVariablesError)
    return { outcome: 'refused', reason: 'OPERATION_INVALID', errors: error.errors };
  // Only Behalf's own refusals reach the client: another library's GraphQLError can contain anything.
  if (error instanceof RefusedError) {
    const { code, reason } = error.refusal;
    const outcome = stage.isAuthenticated ? 'refused' : 'authentication-failed';
    return { outcome, reason: reason ?? code, errors: [error] };
  }
  log.log('error', 'INTERNAL_SERVER_ERROR', {
    transaction: stage.exchange.transactionId,
    ...failureFacts(error),
  });
  return { outcome: 'failed', reason: 'INTERNAL_SERVER_ERROR', errors: [internalError()] };
}
