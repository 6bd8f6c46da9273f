import { brotliDecompress, gunzip } from 'node:zlib';
import { contentCodings } from '../content-codings.js';
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

const unchanged: Decode = (body) => Promise.resolve(body);

/** RFC 9110 section 8.4.1. Only what was offered is decoded. */
const DECODERS: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ['gzip', inflate],
  ['x-gzip', inflate],
  ['br', inflateBrotli],
]);

/**
 * Undoes the content encoding of a response, up to a number of bytes: a small body can expand to gigabytes.
 *
 * @param header of one coding, beside `identity`; several are refused
 * @throws {UnreadableAnswerError} `CONTENT_ENCODING` or `TOO_LARGE`
 */
export async function decodeContent(
  body: Buffer,
  header: string | readonly string[] | undefined,
): Promise<Buffer> {
  const [coding, ...others] = contentCodings(header);
  const decode = coding === undefined ? unchanged : DECODERS.get(coding);
  if (decode === undefined || others.length > 0)
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
