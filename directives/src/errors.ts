/** The description of one code. `docs/reference/errors.md` is generated from these. */
export interface ErrorDescription {
  /** One or two sentences for the developer who sees the code. */
  readonly description: string;
  /** Version in which it first appeared. */
  readonly since: string;
  /** Its HTTP status, if it determines one. */
  readonly status?: number;
}

/** Codes of mistakes in a schema or in the use of the library. Stable: programs may compare them. */
export const directiveErrors = Object.freeze({
  UNSUPPORTED_SPECIFICATION: {
    description: 'A schema links an unknown version of a specification, or an unknown security feature.',
    since: '0.1.0',
  },
  UNKNOWN_DIRECTIVE: {
    description: 'A schema imports or applies an element that its specification does not have.',
    since: '0.1.0',
  },
  UNLINKED_DIRECTIVE: {
    description:
      'A schema uses an authorization directive without linking its specification, or links another one for it, so it would protect nothing.',
    since: '0.1.0',
  },
  INVALID_RULE: {
    description: "A directive's arguments are invalid, or do not fit its place.",
    since: '0.1.0',
  },
  MISSING_PSEUDONYM_KEY: {
    description: 'A minimization strategy needs a key, and none was given.',
    since: '0.1.0',
  },
  NO_PSEUDONYMS: {
    description:
      '`pseudonymsOf` or `readPseudonym` was given a field without `@minimize(to: PSEUDONYMIZE)`, or one whose pseudonyms nobody can read.',
    since: '0.1.0',
  },
  MISSING_APOLLO_SUBGRAPH: {
    description: '`buildProtectedSubgraph` needs the package `@apollo/subgraph`, which is not installed.',
    since: '0.1.0',
  },
  FEDERATION_NOT_LINKED: {
    description:
      'A subgraph has rules but does not link the federation specification, so composition would drop the rules.',
    since: '0.1.0',
  },
  UNREADABLE_SCHEMA: {
    description:
      '`protectSchema` was given something that is not a GraphQLSchema of the installed `graphql` package.',
    since: '0.1.0',
  },
  INVALID_OPTIONS: {
    description:
      'An option of `protectSchema` or `buildProtectedSubgraph` is missing, unknown or invalid; the message names it.',
    since: '0.1.0',
  },
  ALREADY_PROTECTED: {
    description: 'The schema is already protected.',
    since: '0.1.0',
  },
  NOT_PROTECTED: {
    description:
      'A function was given a schema that neither `buildProtectedSubgraph` nor `protectSchema` returned.',
    since: '0.1.0',
  },
  INVALID_COLUMNS: {
    description:
      '`requestedColumns` was given a mapping that does not fit the schema, or not the field that is resolved. The message names the field or type, and says what to write.',
    since: '0.1.0',
  },
  UNREADABLE_HEADERS: {
    description: '`protectedContext` was given something without headers of Node or of the Fetch standard.',
    since: '0.1.0',
  },
} satisfies Record<string, ErrorDescription>);

/** Every code of a {@link DirectiveError}. The codes are stable. */
export type DirectiveErrorCode = keyof typeof directiveErrors;

/** Codes of denials, at the gateway and in the subgraphs. */
export const denialErrors = Object.freeze({
  UNAUTHORIZED_FIELD_OR_TYPE: {
    description:
      'The path, or a field above it, is null because a rule denies it; `coordinate` names the field, and `requires` what is needed.',
    since: '0.1.0',
  },
} satisfies Record<string, ErrorDescription>);

/** Codes of requests that a subgraph does not execute at all. */
export const requestErrors = Object.freeze({
  TXN_TOKEN_ELSEWHERE: {
    description: 'The transaction token is bound to another request than the one to be executed.',
    since: '0.1.0',
  },
} satisfies Record<string, ErrorDescription>);

/** Codes of single entities that cannot be resolved. */
export const entityErrors = Object.freeze({
  ENTITY_TYPE_UNKNOWN: {
    description:
      'A representation in `_entities` does not name an object type or an interface of the subgraph in `__typename`. It is null; the others are resolved.',
    since: '0.1.0',
  },
} satisfies Record<string, ErrorDescription>);

/** Codes of fields with `@minimize(to: AGGREGATE)`. */
export const statisticErrors = Object.freeze({
  STATISTIC_ROW_FAILED: {
    description:
      'A row behind a field with `@minimize(to: AGGREGATE)` is an error, so the field has no numbers. The original error is for the subgraph itself.',
    since: '0.1.0',
  },
  STATISTIC_TOO_LARGE: {
    description:
      'The rows behind a field with `@minimize(to: AGGREGATE)` have more than 10,000 groups, or more than a million subjects in all groups.',
    since: '0.1.0',
  },
} satisfies Record<string, ErrorDescription>);

/** Codes with which a subscription ends. */
export const subscriptionErrors = Object.freeze({
  DELEGATION_ENDED: {
    description:
      'The token or the consent behind the subscription expired or was revoked. Subscribe again with a new token.',
    since: '0.1.0',
  },
} satisfies Record<string, ErrorDescription>);

/** The code of every line in a subgraph's log. */
export const subgraphLogCodes = Object.freeze({
  FOREIGN_ROWS: {
    description:
      'A resolver returned rows of other subjects. They were omitted; its query should not read them.',
    since: '0.1.0',
  },
  TXN_TOKEN_REFUSED: {
    description: 'A transaction token was refused, so its request counts as anonymous. The reason is a code.',
    since: '0.1.0',
  },
  VALUE_NOT_MINIMIZED: {
    description:
      "A value could not be serialized by its field's type, or its `@minimize` cannot read it. The caller gets null; a row of a statistic (`AGGREGATE`) is not counted.",
    since: '0.1.0',
  },
} satisfies Record<string, ErrorDescription>);

/** Codes of a {@link PassOnError}. */
export const passOnErrors = Object.freeze({
  TXN_TOKEN_NOTHING_TO_PASS_ON: {
    description: 'The request came without a transaction token, so there is none to exchange.',
    since: '0.1.0',
  },
  TXN_TOKEN_EXCHANGE_NOT_CONFIGURED: {
    description: 'The subgraph was built without `passOn`, or without a credential in it.',
    since: '0.1.0',
  },
  TXN_TOKEN_EXCHANGE_REFUSED: {
    description: 'The gateway refused this subgraph a token for that audience; the reason is in its log.',
    since: '0.1.0',
  },
  TXN_TOKEN_EXCHANGE_UNAVAILABLE: {
    description: 'The gateway did not respond with a transaction token.',
    since: '0.1.0',
  },
} satisfies Record<string, ErrorDescription>);

/**
 * A transaction cannot be passed on to another service. The error does not contain a token.
 *
 * @example
 * ```ts
 * import { PassOnError, txnTokenHeaders } from '@behalf/directives';
 *
 * export async function headersOrNone(context: unknown): Promise<Readonly<Record<string, string>>> {
 *   try {
 *     return await txnTokenHeaders(context, { audience: 'ledger' });
 *   } catch (error) {
 *     if (error instanceof PassOnError && error.code === 'TXN_TOKEN_EXCHANGE_UNAVAILABLE') return {};
 *     throw error;
 *   }
 * }
 * ```
 */
export class PassOnError extends Error {
  override readonly name = 'PassOnError';

  constructor(readonly code: keyof typeof passOnErrors) {
    super(passOnErrors[code].description);
  }
}

/**
 * A mistake in a schema, thrown at the start; or in the use of the library, thrown by the misused function. Nothing that a
 * caller sends causes one.
 *
 * @example
 * ```ts
 * import { DirectiveError } from '@behalf/directives';
 *
 * export function explain(error: unknown): string {
 *   if (!(error instanceof DirectiveError)) throw error;
 *   return `${error.code} at ${error.coordinate ?? 'the schema'}: ${error.message}`;
 * }
 * ```
 */
export class DirectiveError extends Error {
  override readonly name = 'DirectiveError';

  constructor(
    readonly code: DirectiveErrorCode,
    message: string,
    /** Schema coordinate, if there is one. */
    readonly coordinate?: string,
  ) {
    super(coordinate === undefined ? message : `${coordinate}: ${message}`);
  }
}
