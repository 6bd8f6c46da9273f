import type { IncomingMessage } from 'node:http';
import { checkHttpOptions } from './option-error.js';
import { milliseconds } from './option-problem.js';
import type { OptionTest } from './option-problem.js';
import { systemTimers } from './timers.js';

/** How long a body may take to arrive. */
const DEFAULT_TIMEOUT_MS = 30_000;

/** The bounds of {@link readBody}. */
export interface BodyLimits {
  /** Bytes as they arrive, before any decompression. */
  readonly maxBytes: number;
  /** Milliseconds until the whole body must have arrived. Default: 30,000. */
  readonly timeoutMs?: number;
}

const LIMITS: Readonly<Record<keyof BodyLimits, OptionTest>> = {
  maxBytes: {
    isUsable: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
    words: 'a whole number of bytes, 0 or more',
  },
  timeoutMs: milliseconds(1),
};

const STATUS = Object.freeze({ BODY_TOO_LARGE: 413, BODY_TIMEOUT: 408, BODY_ABORTED: 400 });

/** Every code of a {@link BodyError}. */
export type BodyErrorCode = keyof typeof STATUS;

/**
 * The body was not read. The rest of it is still on its way, so answer with `connection: close`.
 *
 * @example
 * ```ts
 * import { BodyError, sendJson } from '@behalf/http';
 * import type { ServerResponse } from 'node:http';
 *
 * export function refuse(response: ServerResponse, error: unknown): void {
 *   if (!(error instanceof BodyError)) throw error;
 *   sendJson(response, error.status, { error: error.code }, { connection: 'close' });
 * }
 * ```
 */
export class BodyError extends Error {
  override readonly name = 'BodyError';

  constructor(readonly code: BodyErrorCode) {
    super(code);
  }

  /** The HTTP status to answer with: 413, 408 or 400. */
  get status(): number {
    return STATUS[this.code];
  }
}

/**
 * Reads the whole body of a request, within bounds of size and time.
 *
 * The connection stays open when a bound is exceeded, so that the caller can still answer; nothing more is read from it.
 *
 * @throws {BodyError} `BODY_TOO_LARGE`, `BODY_TIMEOUT`, or `BODY_ABORTED` when the client went away
 * @throws {HttpOptionError} for limits that are none
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { BodyError, readBody } from '@behalf/http';
 *
 * createServer(async (request, response) => {
 *   try {
 *     const body = await readBody(request, { maxBytes: 64 * 1024 });
 *     response.end(`${body.length} bytes`);
 *   } catch (error) {
 *     if (!(error instanceof BodyError)) throw error;
 *     response.writeHead(error.status, { connection: 'close' }).end();
 *   }
 * });
 * ```
 */
export async function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  checkHttpOptions(limits, LIMITS, ['maxBytes']);
  const { maxBytes, timeoutMs = DEFAULT_TIMEOUT_MS } = limits;
  // If the client states the length, an oversized body is refused before its first byte.
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
    throw new BodyError('BODY_TOO_LARGE');
  }
  if (request.destroyed) throw new BodyError('BODY_ABORTED');
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const stop = (): void => {
      cancelTimeout();
      request.off('data', onData).off('end', onEnd).off('close', onAbort);
    };
    const refuse = (code: BodyErrorCode): void => {
      stop();
      request.pause();
      reject(new BodyError(code));
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > maxBytes) refuse('BODY_TOO_LARGE');
      else chunks.push(chunk);
    };
    const onEnd = (): void => {
      stop();
      resolve(Buffer.concat(chunks, size));
    };
    const onAbort = (): void => refuse('BODY_ABORTED');
    const cancelTimeout = systemTimers.after(timeoutMs, () => refuse('BODY_TIMEOUT'));
    request.on('data', onData).once('end', onEnd).once('close', onAbort);
    // A broken connection closes the request as well, and an error without a listener would end the process.
    request.on('error', () => undefined);
  });
}
