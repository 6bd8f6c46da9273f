import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { httpErrors } from '../errors.js';
import type { HttpErrorCode } from '../errors.js';
import type { Cors } from './cors.js';
import { refuseAnywhere } from './refuse-http.js';

interface ClientError extends NodeJS.ErrnoException {
  /** What arrived last. */
  readonly rawPacket?: Buffer;
}

/** Requests that node:http ends itself, which it would answer without a body: by its error code. */
const CODES: Readonly<Record<string, HttpErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'BODY_TOO_LARGE',
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
};

/**
 * Answers requests that node:http cannot read, in GraphQL's form: their address is not known, and most requests are for
 * operations.
 */
export function answerUnreadable(server: Server | TlsServer, cors?: Cors): void {
  const answering = new WeakMap<Duplex, ServerResponse>();
  server.on('request', (request, response) => {
    answering.set(request.socket, response);
    response.once('close', () => answering.delete(request.socket));
  });
  server.on('clientError', (error: ClientError, socket) => {
    // After the first byte of an answer, a second one could be taken for a part of it.
    if (socket.writable && answering.get(socket)?.headersSent !== true)
      socket.write(refusal(CODES[error.code ?? ''] ?? 'REQUEST_MALFORMED', headersOf(error, cors)));
    socket.destroy();
  });
  // node:http would close the connection without a word.
  server.on('connect', (_request, socket) => {
    socket.on('error', () => socket.destroy());
    socket.end(refusal('METHOD_NOT_ALLOWED', ['allow: GET, HEAD, POST']));
  });
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    cors?.setHeaders(request, response);
    refuseAnywhere(request, response, 'EXPECTATION_FAILED', { connection: 'close' });
  });
}

/** A web page has to read a refusal too. The start of the request is known if it arrived with what ended it. */
function headersOf({ rawPacket }: ClientError, cors: Cors | undefined): readonly string[] {
  if (cors === undefined) return [];
  const headers = cors.unreadHeaders(rawPacket?.toString('latin1') ?? '');
  return Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
}

function refusal(code: HttpErrorCode, headers: readonly string[]): string {
  const { description: message, status } = httpErrors[code];
  const body = JSON.stringify({ errors: [{ message, extensions: { code } }] });
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    'connection: close',
    ...headers,
    '',
    body,
  ].join('\r\n');
}
