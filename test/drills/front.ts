import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the front lets through to the authority. */
export type Passage = 'all' | 'nothing' | 'no-stream';

/** A proxy in front of the authority, like a load balancer, whose connections a drill can cut. */
export class Front {
  readonly #server = createServer((request, response) => this.#pass(request, response));
  #passage: Passage = 'all';
  /** Where the authority listens. */
  target: URL | undefined;

  static async start(): Promise<Front> {
    const front = new Front();
    await new Promise<void>((resolve) => front.#server.listen(0, '127.0.0.1', resolve));
    return front;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Breaks open connections off, as when a cable is cut. */
  let(passage: Passage): void {
    this.#passage = passage;
    if (passage !== 'all') this.#server.closeAllConnections();
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #pass(request: IncomingMessage, response: ServerResponse): void {
    const isStream = request.url?.startsWith('/ssf/') === true;
    const { target } = this;
    if (target === undefined || this.#passage === 'nothing' || (this.#passage === 'no-stream' && isStream)) {
      request.socket.destroy();
      return;
    }
    const onward = httpRequest(
      {
        host: target.hostname,
        port: target.port,
        method: request.method,
        path: request.url,
        headers: request.headers,
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  }
}
