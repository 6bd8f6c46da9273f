import { errors, Pool } from 'undici';
import type { Dispatcher } from 'undici';

/** Larger than any page of personal data; a subgraph that sends more is broken. */
const MAX_RESPONSE_BYTES = 32 * 1024 * 1024;
const MAX_CONNECTIONS = 128;

/** Keep-alive connections to an address's origin. */
export function subgraphPool(url: string): Pool {
  return new Pool(new URL(url).origin, {
    connections: MAX_CONNECTIONS,
    // Each request has its own deadline, and subgraphs at one origin may differ in it.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: MAX_RESPONSE_BYTES,
  });
}

export interface SubgraphAnswer {
  readonly status: number;
  readonly contentType: unknown;
  readonly text: string;
}

/** The whole exchange, connection and body included, took too long. */
class DeadlineError extends Error {}

/**
 * One POST over the pool. It uses undici's dispatch, which delivers chunks as they come: a stream per response would cost more
 * than the response.
 */
export function postToSubgraph(
  pool: Pool,
  path: string,
  headers: Record<string, string>,
  body: string,
  timeoutMs: number,
): Promise<SubgraphAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let status = 0;
    let contentType: unknown;
    let isOver = false;
    let abort: (() => void) | undefined;
    const timer = setTimeout(() => {
      isOver = true;
      reject(new DeadlineError());
      abort?.();
    }, timeoutMs);
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(controller) {
        abort = () => controller.abort(new DeadlineError());
        // It waited for a connection until its request was given up.
        if (isOver) abort();
      },
      onResponseStart(_controller, statusCode, responseHeaders) {
        status = statusCode;
        contentType = responseHeaders['content-type'];
      },
      onResponseData(_controller, chunk) {
        chunks.push(chunk);
      },
      onResponseEnd() {
        clearTimeout(timer);
        const [first] = chunks;
        const whole = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
        resolve({ status, contentType, text: whole.toString('utf8') });
      },
      onResponseError(_controller, error) {
        clearTimeout(timer);
        reject(error);
      },
    };
    pool.dispatch({ method: 'POST', path, headers, body }, handler);
  });
}

/** Why there is no answer, as a code for the log. */
export function failureReason(error: unknown): string {
  if (error instanceof DeadlineError) return 'TIMEOUT';
  return error instanceof errors.UndiciError ? error.code : systemCode(error);
}

function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
}
