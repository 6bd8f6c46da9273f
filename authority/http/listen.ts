import type { Server } from 'node:http';

import { AuthorityError } from '../errors.js';

const CLOSE_GRACE_MS = 2_000;

/**
 * @returns the port, which differs from the one asked for when that was 0
 * @throws AuthorityError `listen_failed`
 */
export async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reason = cause.code === 'EADDRINUSE' ? 'the port is taken' : (cause.code ?? 'unknown reason');
      const message = `The authority cannot listen on ${host}, port ${port}: ${reason}`;
      reject(new AuthorityError('listen_failed', message, { cause }));
    });
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

/** Lets requests under way finish for a moment, then closes. */
export async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
