import type { GatewayErrorCode } from '../errors.js';

export type SubrequestErrorCode = Extract<
  GatewayErrorCode,
  'SUBREQUEST_HTTP_ERROR' | 'SUBREQUEST_MALFORMED_RESPONSE'
>;

/** A subgraph's answer that is not used. The client gets the code, and the log the reason. */
export class UnreadableAnswerError extends Error {
  /** @param reason a constant that says nothing of the content */
  constructor(
    readonly code: SubrequestErrorCode,
    readonly reason: string,
  ) {
    super(reason);
  }
}
