import type { Delegation } from '@behalf/directives';

/** A policy's inputs, besides the delegation. */
export interface PolicyRequest {
  readonly operationName: string | undefined;
  /** Aborts when the answer would come too late to count. */
  readonly signal: AbortSignal;
}

/** Answers one policy. Anything but exactly `true` denies; so does throwing, and taking too long. */
export type PolicyFunction = (delegation: Delegation, request: PolicyRequest) => boolean | Promise<boolean>;

/** A source of answers. Policies without an evaluator are left to the token. */
export interface PolicyEvaluator {
  /** For messages: `functions`, `cedar`, or a name of yours. */
  readonly name: string;
  /**
   * Called for each version of the supergraph, before it is served.
   *
   * @param policies Every policy that a rule of it can ask for.
   * @returns A function for each policy that is answered here, whatever the token says. Each is asked at most once for a
   *   request, with the delegation as the token gave it.
   * @throws {ConfigurationError} when it cannot answer what it should: the version is then not served.
   */
  prepare(policies: ReadonlySet<string>): ReadonlyMap<string, PolicyFunction>;
}

/** Policies that are functions of the program. */
export function functionEvaluator(functions: Readonly<Record<string, PolicyFunction>>): PolicyEvaluator {
  const answers = new Map(Object.entries(functions));
  return { name: 'functions', prepare: () => answers };
}
