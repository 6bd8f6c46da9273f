import { request as httpRequest } from 'node:http';
import { createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';

import type { Issued } from './certificates.js';

/** A proxy that terminates TLS as an operator would configure it, before an authority on plain http. */
export interface TlsProxy {
  /** `https://localhost:…` */
  readonly origin: string;
  /** Where the authority listens. */
  target: string;
  close(): Promise<void>;
}

/**
 * Requests a client certificate, accepts any, and forwards it in `Client-Cert` (RFC 9440); the client's own header is dropped.
 */
export async function startTlsProxy(server: Issued): Promise<TlsProxy> {
  const proxy = createServer(
    { key: server.keyPem, cert: server.pem, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      const { 'client-cert': _said, ...headers } = request.headers;
      const { raw } = (request.socket as TLSSocket).getPeerCertificate() as { raw?: Buffer };
      const forwarded = {
        ...headers,
        'x-forwarded-proto': 'https',
        'x-forwarded-host': request.headers.host,
        ...(raw === undefined ? {} : { 'client-cert': `:${raw.toString('base64')}:` }),
      };
      const to = new URL(request.url ?? '/', started.target);
      const upstream = httpRequest(to, { method: request.method ?? 'GET', headers: forwarded }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      upstream.on('error', () => response.destroy());
      request.pipe(upstream);
    },
  );
  await new Promise<void>((resolve) => proxy.listen(0, 'localhost', resolve));
  const address = proxy.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const started: TlsProxy = {
    origin: `https://localhost:${port}`,
    target: '',
    async close() {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
  return started;
}
