import { GraphQLError } from 'graphql';
import type { GatewayErrorCode } from './errors.js';

/** An error that Behalf answers with. A subgraph may use the same code. */
export interface ClientErrorOptions {
  readonly path?: readonly (string | number)[] | undefined;
  readonly extensions: Readonly<Record<string, unknown>> & { readonly code: string };
}

/**
 * Makes an error for a response. It has no stack: a response can hold a thousand errors, and a server that shows stacks would
 * show them to clients.
 */
export function clientError(message: string, { path, extensions }: ClientErrorOptions): GraphQLError {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    const error = new GraphQLError(message, { extensions: { ...extensions }, path });
    made.add(error);
    return withoutStack(error);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

const made = new WeakSet<object>();

/** Whether an error was made here, from nothing that a client may not read. */
export function isClientError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && made.has(error);
}

/** Removes the stack from an error for a client. */
export function withoutStack(error: GraphQLError): GraphQLError {
  Object.defineProperty(error, 'stack', { value: undefined, configurable: true, writable: true });
  return error;
}

/** For unexpected errors: their text may contain a value, so the client gets none of it. */
export function internalError(): GraphQLError {
  return clientError('Internal server error', { extensions: { code: 'INTERNAL_SERVER_ERROR' } });
}

/** Errors of one response, at most `max`; then one that counts the rest. */
export class ErrorList {
  readonly #listed: GraphQLError[] = [];
  #omitted = 0;
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get isFull(): boolean {
    return this.#listed.length >= this.#max;
  }

  /** @param make is called only if there is room */
  add(make: () => GraphQLError): void {
    if (this.isFull) this.#omitted += 1;
    else this.#listed.push(make());
  }

  /** Counts errors that were never made. */
  omit(count: number): void {
    this.#omitted += count;
  }

  toArray(): GraphQLError[] {
    if (this.#omitted === 0) return this.#listed;
    const code = 'ERRORS_OMITTED' satisfies GatewayErrorCode;
    return [
      ...this.#listed,
      clientError('Further errors are not listed', { extensions: { code, omittedErrors: this.#omitted } }),
    ];
  }
}
