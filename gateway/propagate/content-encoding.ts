import { brotliDecompress, gunzip } from 'node:zlib';
import { UnreadableAnswerError } from './unreadable-answer.js';

/** Larger than any page of personal data; a subgraph that sends more is broken. It holds before and after decompression. */
export const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

type Decode = (body: Buffer) => Promise<Buffer>;

const BOUND = { maxOutputLength: MAX_ANSWER_BYTES, info: true };

/** With `info`: how many bytes the stream has. zlib ignores what follows it. */
interface Inflated {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

type Decompress = (
  body: Buffer,
  options: typeof BOUND,
  callback: (error: Error | null, inflated: unknown) => void,
) => void;

/** Rejects a body that has bytes after its end: it is not what was sent, or not in this encoding. */
function wholly(decompress: Decompress): Decode {
  return (body) =>
    new Promise((resolve, reject) => {
      decompress(body, BOUND, (error, inflated) => {
        if (error !== null) {
          reject(error);
          return;
        }
        const { buffer, engine } = inflated as Inflated;
        if (engine.bytesWritten === body.length) resolve(buffer);
        else reject(new Error('bytes after the end'));
      });
    });
}

const inflate = wholly(gunzip);
const inflateBrotli = wholly(brotliDecompress);

/** RFC 9110 section 8.4.1. Only what was offered is decoded. */
const DECODERS: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ['', (body) => Promise.resolve(body)],
  ['identity', (body) => Promise.resolve(body)],
  ['gzip', inflate],
  ['x-gzip', inflate],
  ['br', inflateBrotli],
]);

/**
 * Undoes the content encoding of a response, up to a number of bytes: a small body can expand to gigabytes.
 *
 * @param encoding the header; a list of several is refused
 * @throws {UnreadableAnswerError} `CONTENT_ENCODING` or `TOO_LARGE`
 */
export async function decodeContent(body: Buffer, encoding: unknown): Promise<Buffer> {
  const decode = typeof encoding === 'string' ? DECODERS.get(encoding.trim().toLowerCase()) : undefined;
  if (decode === undefined)
    throw new UnreadableAnswerError('SUBREQUEST_MALFORMED_RESPONSE', 'CONTENT_ENCODING');
  try {
    return await decode(body);
  } catch (error) {
    const isTooLarge =
      error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    throw isTooLarge
      ? new UnreadableAnswerError('SUBREQUEST_HTTP_ERROR', 'TOO_LARGE')
      : new UnreadableAnswerError('SUBREQUEST_MALFORMED_RESPONSE', 'CONTENT_ENCODING');
  }
}
