export interface FetchBounds {
  /** For the whole exchange, body included. */
  readonly timeoutMs: number;
  /** Bytes of the body, after it was decompressed. */
  readonly maxBytes: number;
  /** Ends it early. */
  readonly signal?: AbortSignal;
}

export type FetchFailure = 'TIMEOUT' | 'NETWORK' | 'ANSWER';

/** An unavailable document. The reason is for the log. */
export class FetchError extends Error {
  override readonly name = 'FetchError';

  constructor(
    readonly reason: FetchFailure,
    options?: ErrorOptions,
  ) {
    super(reason, options);
  }
}

/**
 * Fetches a JSON object. Redirects are not followed: only the first address was checked. No credentials are sent.
 *
 * @throws {FetchError}
 */
export async function fetchJson(
  address: string,
  { timeoutMs, maxBytes, signal: closing }: FetchBounds,
): Promise<Readonly<Record<string, unknown>>> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = closing === undefined ? timeout : AbortSignal.any([closing, timeout]);
  let text: string | undefined;
  try {
    const response = await fetch(address, {
      headers: { accept: 'application/json, application/jwk-set+json' },
      redirect: 'manual',
      signal,
    });
    text = await readBody(response, maxBytes);
    if (response.status !== 200) text = undefined;
  } catch (cause) {
    throw new FetchError(timeout.aborted ? 'TIMEOUT' : 'NETWORK', { cause });
  }
  const document = text === undefined ? undefined : parseObject(text);
  if (document === undefined) throw new FetchError('ANSWER');
  return document;
}

/**
 * A `fetch` that reads the whole body: redirects are not followed, and an oversized body is an error, `FetchError`.
 *
 * @param maxBytes of the body, after it was decompressed
 */
export function boundedFetch(maxBytes: number): (address: string, options: RequestInit) => Promise<Response> {
  return async (address, options) => {
    const response = await fetch(address, { ...options, redirect: 'manual' });
    const text = await readBody(response, maxBytes);
    if (text === undefined) throw new FetchError('ANSWER');
    const { status, headers } = response;
    return new Response(text === '' ? null : text, { status, headers });
  };
}

/** @returns undefined for an oversized body, whose rest is not read */
async function readBody({ body }: Response, maxBytes: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}
