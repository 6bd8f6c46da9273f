/** Which text of subgraph errors reaches a client or the log. Everything else is replaced. */
export interface SubgraphErrorOptions {
  /**
   * Codes whose messages reach the client, from a subgraph's root fields, at positions that the client selected and may read.
   * List only codes whose messages concern the client's own input, in every subgraph. Default: `BAD_USER_INPUT`.
   */
  readonly passMessagesOf?: readonly string[];
  /**
   * Logs subgraph messages. They contain whatever a resolver or a database put into them, including personal data, so this is
   * for debugging with invented data.
   *
   * @deprecated Insecure by design: marked so that editors strike it out.
   */
  readonly allowInsecureLogMessages?: boolean;
}

export type SubgraphErrorSettings = Required<SubgraphErrorOptions>;

export const DEFAULT_PASSED_CODES: readonly string[] = Object.freeze(['BAD_USER_INPUT']);
