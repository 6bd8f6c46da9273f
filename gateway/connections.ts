import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';

/** For a request that has not arrived whole when the server closes. */
const UNFINISHED_GRACE_MS = 1_000;
/** For an answer that is under way; longer than a subgraph may take by default. */
const ANSWER_GRACE_MS = 35_000;

/**
 * What a server has open, so that its close neither cuts what is under way nor waits for whoever keeps a connection. Make
 * it before other listeners for requests.
 */
export class Connections {
  private readonly sockets = new Set<Socket>();
  private readonly underWay = new Map<ServerResponse, IncomingMessage>();
  private isClosing = false;

  constructor(private readonly server: Server | TlsServer) {
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    server.on('request', (request, response) => {
      this.underWay.set(response, request);
      response.once('close', () => this.underWay.delete(response));
      if (this.isClosing) response.setHeader('connection', 'close');
    });
  }

  /** Takes no new connection, answers what has arrived, and lets go of the rest. */
  async close(): Promise<void> {
    this.isClosing = true;
    const closed = new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
    this.server.closeIdleConnections();
    for (const response of this.underWay.keys()) {
      // Otherwise the connection would stay open, idle, after its answer.
      if (!response.headersSent) response.setHeader('connection', 'close');
    }
    const unfinished = setTimeout(() => this.destroyUnfinished(), UNFINISHED_GRACE_MS);
    const last = setTimeout(() => this.server.closeAllConnections(), ANSWER_GRACE_MS);
    await closed;
    clearTimeout(unfinished);
    clearTimeout(last);
  }

  private destroyUnfinished(): void {
    const answering = new Set(
      [...this.underWay.values()].filter(({ complete }) => complete).map(({ socket }) => peerOf(socket)),
    );
    for (const socket of this.sockets) if (!answering.has(peerOf(socket))) socket.destroy();
  }
}

/** A request over TLS comes over another socket than the connection. Their peer is one. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
