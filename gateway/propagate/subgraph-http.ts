import type { Clock } from '@behalf/directives';
import { errors, Pool } from 'undici';
import type { Dispatcher } from 'undici';
import { systemCode } from '../system-code.js';
import { decodeContent, MAX_ANSWER_BYTES } from './content-encoding.js';

const MAX_CONNECTIONS = 128;
const ACCEPTED_ENCODINGS = 'gzip, br';
/** A connection that its other end closed. */
const LOST_CONNECTION: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** Keep-alive connections to an address's origin. */
export function subgraphPool(url: string): Pool {
  return new Pool(new URL(url).origin, {
    connections: MAX_CONNECTIONS,
    // Each request has its own deadline, and subgraphs at one origin may differ in it.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: MAX_ANSWER_BYTES,
  });
}

export interface SubgraphPost {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

export interface SubgraphAnswer {
  readonly status: number;
  readonly contentType: unknown;
  /** Decompressed. */
  readonly body: Buffer;
}

/** The whole exchange, connection and body included, took too long. */
class DeadlineError extends Error {}

/** The connection was closed before there was an answer, as happens to one that was idle. */
class UnansweredError extends Error {}

/**
 * One POST over the pool. It uses undici's dispatch, which delivers chunks as they come: a stream per response would cost more
 * than the response.
 */
export function postToSubgraph(
  pool: Pool,
  { path, headers, body, timeoutMs, clock }: SubgraphPost,
): Promise<SubgraphAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let status = 0;
    let contentType: unknown;
    let contentEncoding: string | string[] | undefined;
    let isOver = false;
    let abort: (() => void) | undefined;
    const cancelDeadline = clock.after(timeoutMs, () => {
      isOver = true;
      reject(new DeadlineError());
      abort?.();
    });
    const fail = (error: unknown): void => {
      cancelDeadline();
      reject(error instanceof Error ? error : new Error('unknown', { cause: error }));
    };
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(controller) {
        abort = () => controller.abort(new DeadlineError());
        // It waited for a connection until its request was given up.
        if (isOver) abort();
      },
      onResponseStart(_controller, statusCode, responseHeaders) {
        // Informational: the answer is still to come (RFC 9110 section 15.2).
        if (statusCode < 200) return;
        status = statusCode;
        contentType = responseHeaders['content-type'];
        contentEncoding = responseHeaders['content-encoding'];
      },
      onResponseData(_controller, chunk) {
        chunks.push(chunk);
      },
      onResponseEnd() {
        const finish = (whole: Buffer): void => {
          cancelDeadline();
          resolve({ status, contentType, body: whole });
        };
        // Without an encoding it costs no turn of the event loop.
        if (contentEncoding === undefined) finish(joined(chunks));
        else decodeBody(joined(chunks), contentEncoding, status).then(finish, fail);
      },
      onResponseError(_controller, error) {
        fail(
          status === 0 && LOST_CONNECTION.has(systemCode(error, 'UNKNOWN'))
            ? new UnansweredError('', { cause: error })
            : error,
        );
      },
    };
    const sent = { ...headers, 'accept-encoding': ACCEPTED_ENCODINGS };
    pool.dispatch({ method: 'POST', path, headers: sent, body }, handler);
  });
}

/** An error status says more than that its body is unreadable. */
async function decodeBody(
  body: Buffer,
  encoding: string | readonly string[],
  status: number,
): Promise<Buffer> {
  try {
    return await decodeContent(body, encoding);
  } catch (error) {
    if (status > 299) return Buffer.alloc(0);
    throw error;
  }
}

function joined(chunks: readonly Buffer[]): Buffer {
  const [first] = chunks;
  return chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
}

/** Whether a request that may be repeated got no answer because its connection was closed. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof UnansweredError;
}

/** Why there is no answer, as a code for the log. */
export function failureReason(error: unknown): string {
  if (error instanceof DeadlineError) return 'TIMEOUT';
  if (error instanceof UnansweredError) return failureReason(error.cause);
  // An answer that is not HTTP has a code only if the parser gives one.
  return systemCode(error, error instanceof errors.HTTPParserError ? 'NOT_HTTP' : 'UNKNOWN');
}
