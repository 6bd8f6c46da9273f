import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { checkHttpOptions } from './option-error.js';
import { milliseconds } from './option-problem.js';
import type { OptionTest } from './option-problem.js';
import { systemTimers } from './timers.js';

/** For a request that has not arrived completely when the server closes. */
const DEFAULT_REQUEST_GRACE_MS = 1_000;

/** For an answer in flight. Longer than the gateway lets a subgraph take by default. */
const DEFAULT_ANSWER_GRACE_MS = 35_000;

/** The bounds of {@link Connections.close}. */
export interface CloseOptions {
  /** Milliseconds until connections whose request has not arrived completely are cut. Default: 1,000. */
  readonly requestGraceMs?: number;
  /** Milliseconds until every connection is cut. Default: 35,000. */
  readonly answerGraceMs?: number;
}

const CLOSE: Readonly<Record<keyof CloseOptions, OptionTest>> = {
  requestGraceMs: milliseconds(0),
  answerGraceMs: milliseconds(0),
};

/**
 * The open connections of a server, so that it can close gracefully: answers in flight are finished, and idle or slow clients
 * do not hold it up.
 *
 * Create it before any other listener for requests.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { Connections, listen } from '@behalf/http';
 *
 * const server = createServer((_request, response) => response.end('hello'));
 * const connections = new Connections(server);
 * await listen(server, '127.0.0.1', 0);
 * await connections.close({ answerGraceMs: 5_000 });
 * ```
 */
export class Connections {
  readonly #server: Server | TlsServer;
  readonly #sockets = new Set<Socket>();
  readonly #inFlight = new Map<ServerResponse, IncomingMessage>();
  #isClosing = false;

  constructor(server: Server | TlsServer) {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.prependListener('request', (request, response) => {
      this.#inFlight.set(response, request);
      response.once('close', () => this.#inFlight.delete(response));
      if (this.#isClosing) response.setHeader('connection', 'close');
    });
  }

  /**
   * Accepts no more connections, finishes the answers in flight, and resolves when every connection is closed.
   *
   * @throws {HttpOptionError} for times that are none; nothing is closed then
   */
  async close(options: CloseOptions = {}): Promise<void> {
    checkHttpOptions(options, CLOSE);
    const { answerGraceMs = DEFAULT_ANSWER_GRACE_MS, requestGraceMs = DEFAULT_REQUEST_GRACE_MS } = options;
    this.#isClosing = true;
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeIdleConnections();
    for (const response of this.#inFlight.keys()) {
      // Otherwise the connection would stay open, idle, after its answer.
      if (!response.headersSent) response.setHeader('connection', 'close');
    }
    const cancelCut = systemTimers.after(requestGraceMs, () => this.#cutUnfinishedRequests());
    const cancelClose = systemTimers.after(answerGraceMs, () => this.#server.closeAllConnections());
    await closed;
    cancelCut();
    cancelClose();
  }

  #cutUnfinishedRequests(): void {
    const complete = [...this.#inFlight.values()].filter((request) => request.complete);
    const answering = new Set(complete.map(({ socket }) => peerOf(socket)));
    for (const socket of this.#sockets) if (!answering.has(peerOf(socket))) socket.destroy();
  }
}

/** Over TLS, a request's socket is not the one of the `connection` event. Both have the same peer. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
