/** Every code of a {@link DirectiveError}. Stable: programs may compare them. */
export type DirectiveErrorCode =
  /** A schema links a version of a specification that this library does not know. */
  | 'UNSUPPORTED_SPECIFICATION'
  /** A schema imports or applies an element that its specification does not have. */
  | 'UNKNOWN_DIRECTIVE'
  /** A schema uses an authorization directive without linking its specification, so it would protect nothing. */
  | 'UNLINKED_DIRECTIVE'
  /** A directive's arguments cannot be read, or do not fit the place where it stands. */
  | 'INVALID_RULE'
  /** A strategy needs a key and none was given. */
  | 'MISSING_PSEUDONYM_KEY'
  /** A function was handed a schema that `buildProtectedSubgraph` did not make. */
  | 'NOT_PROTECTED';

/** A mistake in a schema or in the use of the library: thrown at start, never while a request is served. */
export class DirectiveError extends Error {
  override readonly name = 'DirectiveError';

  constructor(
    readonly code: DirectiveErrorCode,
    message: string,
    /** Schema coordinate, where there is one. */
    readonly coordinate?: string,
  ) {
    super(coordinate === undefined ? message : `${coordinate}: ${message}`);
  }
}
