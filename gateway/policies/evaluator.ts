import type { Delegation } from '@behalf/directives';

/** A policy's inputs, besides the delegation. */
export interface PolicyRequest {
  readonly operationName: string | undefined;
  /** The gateway's time, in milliseconds since the epoch. */
  readonly nowMs: number;
  /** Aborts when the answer would be too late to count. */
  readonly signal: AbortSignal;
}

/** Answers one policy. Anything but exactly `true` denies; so do throwing and timing out. */
export type PolicyFunction = (delegation: Delegation, request: PolicyRequest) => boolean | Promise<boolean>;

/** A source of answers. Policies without an evaluator are left to the token. */
export interface PolicyEvaluator {
  /** For messages: `functions`, `cedar`, or a name of yours. */
  readonly name: string;
  /**
   * Called for each version of the supergraph, before it is served.
   *
   * @param policies every policy in its rules
   * @returns a function per policy that this evaluator answers, whatever the token says. Each is called at most once per
   * request, with the token's delegation.
   * @throws {ConfigurationError} if it cannot answer a policy that it should; the version is then not served
   */
  prepare(policies: ReadonlySet<string>): ReadonlyMap<string, PolicyFunction>;
}

/** Policies as functions of the program. */
export function functionEvaluator(functions: Readonly<Record<string, PolicyFunction>>): PolicyEvaluator {
  const answers = new Map(Object.entries(functions));
  return { name: 'functions', prepare: () => answers };
}
