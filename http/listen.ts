import type { Server } from 'node:http';
import { Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { checkHttpOptions } from './option-error.js';
import { aPort, aText } from './option-problem.js';
import type { OptionTest } from './option-problem.js';

/** Where a server listens. */
export interface Listening {
  /** Without a trailing slash, such as `http://127.0.0.1:4000` or `https://[::1]:4443`. */
  readonly origin: string;
  /** Differs from the requested port when that was 0. */
  readonly port: number;
}

/**
 * The server cannot listen on the address. `code` is the system's, such as `EADDRINUSE` or `EACCES`.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { listen, ListenError } from '@behalf/http';
 *
 * try {
 *   await listen(createServer(), '127.0.0.1', 4000);
 * } catch (error) {
 *   if (!(error instanceof ListenError)) throw error;
 *   console.error(error.code, error.message);
 * }
 * ```
 */
export class ListenError extends Error {
  override readonly name = 'ListenError';

  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

const ADDRESS: Readonly<Record<string, OptionTest>> = { host: aText, port: aPort };

/**
 * Starts listening.
 *
 * @param host a name or an address; an IPv6 address without brackets
 * @param port 0 for any free port
 * @throws {ListenError} when the address is taken, unknown or forbidden; the message names it
 * @throws {HttpOptionError} for a host or port that cannot be one
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { listen } from '@behalf/http';
 *
 * const server = createServer((_request, response) => response.end('hello'));
 * const { origin } = await listen(server, '127.0.0.1', 0);
 * ```
 */
export async function listen(server: Server | TlsServer, host: string, port: number): Promise<Listening> {
  // Without a host, the server would listen on every address.
  checkHttpOptions({ host, port }, ADDRESS, ['host', 'port']);
  await new Promise<void>((resolve, reject) => {
    const refuse = (cause: NodeJS.ErrnoException): void => reject(toListenError(cause, host, port));
    server.once('error', refuse);
    server.listen(port, host, () => {
      server.off('error', refuse);
      resolve();
    });
  });
  const { port: taken } = server.address() as AddressInfo;
  const scheme = server instanceof TlsServer ? 'https' : 'http';
  return { origin: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${taken}`, port: taken };
}

function toListenError(cause: NodeJS.ErrnoException, host: string, port: number): ListenError {
  const code = cause.code ?? 'UNKNOWN';
  const reason = code === 'EADDRINUSE' ? 'the port is taken' : code;
  return new ListenError(code, `cannot listen on ${host}, port ${port}: ${reason}`, { cause });
}
