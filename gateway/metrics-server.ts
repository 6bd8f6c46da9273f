import { createServer } from 'node:http';
import { Connections, isGetOrHead, listen } from '@behalf/http';
import { requestTarget } from '@behalf/http/internal';
import { refuseHttp } from './http/refuse-http.js';
import type { ProtectedGateway } from './protect-gateway.js';

const METRICS_PATH = '/metrics';

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
    if (requestTarget(request).path !== METRICS_PATH) {
      refuseHttp(response, 'NOT_FOUND');
      return;
    }
    if (!isGetOrHead(request)) {
      refuseHttp(response, 'METHOD_NOT_ALLOWED', { allow: 'GET, HEAD' });
      return;
    }
    gateway.metrics().then(
      ({ contentType, text }) => {
        response.setHeader('content-type', contentType);
        response.setHeader('content-length', Buffer.byteLength(text));
        response.end(text);
      },
      () => refuseHttp(response, 'METRICS_UNAVAILABLE'),
    );
  });
  const connections = new Connections(server);
  const { origin } = await listen(server, address.host, address.port);
  return { url: origin, close: () => connections.close({ requestGraceMs: 0, answerGraceMs: 0 }) };
}
