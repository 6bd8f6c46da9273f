import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Duplex } from 'node:stream';

/** Why node:http ends a request itself. */
export type UnreadableReason =
  'REQUEST_MALFORMED' | 'HEADERS_TOO_LARGE' | 'BODY_TOO_LARGE' | 'REQUEST_TIMEOUT' | 'METHOD_NOT_ALLOWED';

/** A request that node:http ended: as much of it as is known. */
export interface UnreadableRequest {
  /** If its head could be read. */
  readonly request: IncomingMessage | undefined;
  /** What arrived last; the start of the request, if it arrived with what ended it. */
  readonly text: string;
}

/** How a server answers what node:http would answer without a body, and without headers. */
export interface UnreadableAnswers {
  /** @returns the status, and a body that is sent as JSON */
  answer(reason: UnreadableReason): { readonly status: number; readonly body: unknown };
  /** Headers of its own, such as those without which a web page cannot read the answer. */
  headersFor?(request: UnreadableRequest): Headers | Promise<Headers>;
  /** RFC 9110 section 10.1.1: an expectation that the server does not know. */
  refuseExpectation(request: IncomingMessage, response: ServerResponse): void;
}

type Headers = Readonly<Record<string, string>>;

interface ClientError extends NodeJS.ErrnoException {
  /** What arrived last. */
  readonly rawPacket?: Buffer;
}

/** By the error code of node:http. */
const REASONS: Readonly<Record<string, UnreadableReason>> = {
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'BODY_TOO_LARGE',
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
};

/** RFC 9110 section 15.5.6. */
const ALLOW: Headers = { allow: 'GET, HEAD, POST' };

/** Answers requests that node:http cannot read, or ends itself, in the server's own form. */
export function answerUnreadable(server: Server | TlsServer, answers: UnreadableAnswers): void {
  const inFlight = new WeakMap<Duplex, ServerResponse>();
  server.on('request', (request, response) => {
    inFlight.set(request.socket, response);
    response.once('close', () => inFlight.delete(request.socket));
  });
  const end = async (socket: Duplex, reason: UnreadableReason, known: UnreadableRequest): Promise<void> => {
    let headers: Headers = {};
    try {
      headers = (await answers.headersFor?.(known)) ?? {};
    } catch {
      // The refusal matters more than its headers.
    }
    // After the first byte of an answer, a second one could be taken for a part of it.
    if (socket.writable && inFlight.get(socket)?.headersSent !== true)
      socket.write(
        textOf(answers.answer(reason), reason === 'METHOD_NOT_ALLOWED' ? { ...headers, ...ALLOW } : headers),
      );
    socket.destroy();
  };
  server.on('clientError', (error: ClientError, socket) => {
    const request = inFlight.get(socket)?.req;
    const text = error.rawPacket?.toString('latin1') ?? '';
    void end(socket, REASONS[error.code ?? ''] ?? 'REQUEST_MALFORMED', { request, text });
  });
  // node:http would close the connection without a word.
  server.on('connect', (request, socket) => {
    socket.on('error', () => socket.destroy());
    void end(socket, 'METHOD_NOT_ALLOWED', { request, text: '' });
  });
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    answers.refuseExpectation(request, response);
  });
}

function textOf({ body, status }: ReturnType<UnreadableAnswers['answer']>, headers: Headers): string {
  const text = JSON.stringify(body);
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(text)}`,
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    'connection: close',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '',
    text,
  ].join('\r\n');
}
