import type { ExecutionOutcome } from '../authorize/index.js';
import type { Recorder } from '../seal/recorder.js';
import type { Completed } from '../stages/stages.js';

/**
 * The last step: the audit record of an operation that ran. An operation that did not come this far is sealed by `refuse`.
 *
 * @throws {RefusedError} see `Recorder.seal`
 */
export async function seal(completed: Completed, recorder: Recorder): Promise<ExecutionOutcome> {
  const { answer } = completed;
  // Every reason that a client could give for having no data was refused before.
  if (answer.data === undefined) await recorder.seal(completed, 'failed', 'INTERNAL_SERVER_ERROR');
  else await recorder.seal(completed, 'answered', undefined);
  return answer;
}
