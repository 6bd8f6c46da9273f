/** Which words of subgraphs' errors reach a client or the log. Everything else is replaced. */
export interface SubgraphErrorOptions {
  /**
   * Codes whose messages reach the client, from a subgraph's root fields, at what the client selected and may read. List
   * only codes of which every subgraph writes messages about the client's own input. Default: `BAD_USER_INPUT`.
   */
  readonly passMessagesOf?: readonly string[];
  /**
   * Writes messages of subgraphs to the log. They hold whatever a resolver or a database put into them, values of people
   * included, so this is for debugging with invented data.
   *
   * @deprecated Insecure by design: marked so that editors strike it out.
   */
  readonly allowInsecureLogMessages?: boolean;
}

export type SubgraphErrorSettings = Required<SubgraphErrorOptions>;

export const DEFAULT_PASSED_CODES: readonly string[] = Object.freeze(['BAD_USER_INPUT']);
