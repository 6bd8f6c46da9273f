import { AuditError } from './errors.js';

/** The state of the log, as a writer learns it with each append. Null where the row is gone. */
export interface SeenLog {
  readonly origin: string | null;
  readonly size: number;
  readonly root: Uint8Array | null;
  /** Whether its newest entry and record are there. */
  readonly isWhole: boolean | null;
}

/**
 * Notices that the log was truncated, deleted or replaced under a running writer. The log only grows, so a writer that once saw
 * something else never trusts it again: somebody has to look.
 */
export class LogWatch {
  #last: SeenLog | undefined;
  #isBroken = false;

  /** @throws {AuditError} `AUDIT_LOG_BROKEN` once the log was broken */
  refuseBroken(): void {
    if (this.#isBroken) throw new AuditError('AUDIT_LOG_BROKEN');
  }

  /** @throws {AuditError} `AUDIT_LOG_BROKEN` */
  see(seen: SeenLog): void {
    if (!isSuccessor(seen, this.#last)) this.#isBroken = true;
    this.refuseBroken();
    this.#last = seen;
  }
}

function isSuccessor(seen: SeenLog, last: SeenLog | undefined): boolean {
  if (seen.root === null || seen.isWhole !== true) return false;
  if (last?.root === undefined || last.root === null) return true;
  // A log gets its origin once, when its first sequencer starts.
  if (last.origin !== null && seen.origin !== last.origin) return false;
  if (seen.size !== last.size) return seen.size > last.size;
  return Buffer.compare(seen.root, last.root) === 0;
}
