import type { ErrorDescription } from '@behalf/directives/internal';
import { fileErrors } from '@behalf/policy/internal';

/**
 * Every reason why there is no supergraph. The codes are stable.
 *
 * @example
 * ```ts
 * import { type ComposeErrorCode, composeErrors } from '@behalf/gateway/tools';
 *
 * export function describe(code: ComposeErrorCode): string {
 *   return composeErrors[code].description;
 * }
 * ```
 */
export const composeErrors = Object.freeze({
  ...fileErrors,
  COMPOSE_CONFIGURATION: {
    description: "The configuration is not YAML, or has a key that is not rover's.",
    since: '0.1.0',
  },
  COMPOSE_SCHEMA_UNREADABLE: {
    description: "A subgraph's schema cannot be fetched from it.",
    since: '0.1.0',
  },
  COMPOSE_FAILED: {
    description: 'The subgraphs do not compose; `details` has one line for each reason.',
    since: '0.1.0',
  },
} satisfies Record<string, ErrorDescription>);

/** Every code of a {@link ComposeError}. */
export type ComposeErrorCode = keyof typeof composeErrors;

/**
 * There is no supergraph. `details` has one line for each reason.
 *
 * @example
 * ```ts
 * import { compose, ComposeError } from '@behalf/gateway/tools';
 *
 * try {
 *   await compose('supergraph.yaml', 'supergraph.graphql');
 * } catch (error) {
 *   if (!(error instanceof ComposeError)) throw error;
 *   console.error([`${error.code}: ${error.message}`, ...error.details].join('\n'));
 * }
 * ```
 */
export class ComposeError extends Error {
  override readonly name = 'ComposeError';

  constructor(
    readonly code: ComposeErrorCode,
    message: string,
    readonly details: readonly string[] = [],
    /** The composed supergraph that must not be served, for checking its rules. */
    readonly refusedSdl?: string,
  ) {
    super(message);
  }
}
