import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** An application at an origin of its own. */
export interface CallbackApplication {
  /** Its origin as a browser reaches it. */
  readonly origin: string;
  close(): Promise<void>;
}

/**
 * Starts an application.
 * @param host the address to listen on; its origin names it
 */
export async function startApplication(
  host: '127.0.0.1' | '::1',
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<CallbackApplication> {
  const server = createServer(answer);
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
