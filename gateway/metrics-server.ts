import { createServer } from 'node:http';
import { Connections, listen, sendJson } from '@behalf/http';
import type { ProtectedGateway } from './protect-gateway.js';

export interface MetricsServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * `GET /metrics` for Prometheus, on a separate address: not everybody who may use the gateway may see the schema's coordinates
 * and the load.
 */
export async function startMetricsServer(
  gateway: ProtectedGateway,
  address: { readonly host: string; readonly port: number },
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      sendJson(response, 404, { error: 'not_found' });
      return;
    }
    gateway.metrics().then(
      ({ contentType, text }) => {
        response.setHeader('content-type', contentType);
        response.end(text);
      },
      () => sendJson(response, 500, { error: 'metrics' }),
    );
  });
  const connections = new Connections(server);
  const { origin } = await listen(server, address.host, address.port);
  return { url: origin, close: () => connections.close({ requestGraceMs: 0, answerGraceMs: 0 }) };
}
