import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { httpErrors } from '../errors.js';
import type { HttpErrorCode } from '../errors.js';
import { refuseAnywhere } from './refuse-http.js';

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
export function answerUnreadable(server: Server | TlsServer): void {
  const answering = new WeakMap<Duplex, ServerResponse>();
  server.on('request', (request, response) => {
    answering.set(request.socket, response);
    response.once('close', () => answering.delete(request.socket));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // After the first byte of an answer, a second one could be taken for a part of it.
    if (socket.writable && answering.get(socket)?.headersSent !== true)
      socket.write(refusal(CODES[error.code ?? ''] ?? 'REQUEST_MALFORMED'));
    socket.destroy();
  });
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    refuseAnywhere(request, response, 'EXPECTATION_FAILED', { connection: 'close' });
  });
}

function refusal(code: HttpErrorCode): string {
  const { description: message, status } = httpErrors[code];
  const body = JSON.stringify({ errors: [{ message, extensions: { code } }] });
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    'connection: close',
    '',
    body,
  ].join('\r\n');
}
