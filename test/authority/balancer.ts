import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** One address in front of several: each connection goes to the next backend that accepts it, and ends with it. */
export class Balancer {
  readonly #server: Server;
  readonly #open = new Map<Socket, number>();
  #ports: readonly number[] = [];
  #next = 0;

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      // The client left before a backend was connected.
      socket.on('error', () => socket.destroy());
      this.#join(socket);
    });
  }

  static async start(): Promise<Balancer> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Balancer(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  to(urls: readonly string[]): void {
    this.#ports = urls.map((url) => Number(new URL(url).port));
  }

  /** Open connections to it. */
  countTo(url: string): number {
    const port = Number(new URL(url).port);
    return [...this.#open.values()].filter((other) => other === port).length;
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#open.keys()) socket.destroy();
    await once(this.#server, 'close');
  }

  #join(socket: Socket, tries = this.#ports.length): void {
    const port = this.#ports[this.#next++ % this.#ports.length];
    if (port === undefined || tries === 0) {
      socket.destroy();
      return;
    }
    const target = connect(port, '127.0.0.1');
    const isRefused = (): void => this.#join(socket, tries - 1);
    target.once('error', isRefused);
    target.once('connect', () => {
      target.off('error', isRefused);
      const end = (): void => {
        this.#open.delete(socket);
        socket.destroy();
        target.destroy();
      };
      for (const one of [socket, target]) one.on('error', end).on('close', end);
      if (socket.destroyed) {
        end();
        return;
      }
      this.#open.set(socket, port);
      socket.pipe(target).pipe(socket);
    });
  }
}
