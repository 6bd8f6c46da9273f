const MAX_REASON_LENGTH = 500;

/** A reason is free text from outside, kept forever and sent to every gateway. */
export function truncateReason(reason: string | undefined): string | undefined {
  return reason?.slice(0, MAX_REASON_LENGTH);
}
