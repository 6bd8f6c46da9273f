import type { IncomingMessage } from 'node:http';
import { clientCertificate } from '@behalf/http';
import type { IncomingRequest } from '../request/exchange.js';
import type { TrustedProxies } from './proxies.js';

/** What the server knows, beside the request itself. */
export interface ServerContext {
  /**
   * The address under which clients reach the gateway. Never the `Host` header: whoever sends it would choose which address a
   * proof is for.
   */
  readonly externalUrl: string;
  readonly proxies: TrustedProxies;
}

/** What the pipeline reads of an HTTP request. */
export function incomingOf(
  request: IncomingMessage,
  { externalUrl, proxies }: ServerContext,
): IncomingRequest {
  const { headersDistinct, method, socket, url = '/' } = request;
  return {
    authorization: headersDistinct.authorization ?? [],
    dpop: headersDistinct.dpop ?? [],
    method,
    url: `${externalUrl.replace(/\/$/, '')}${url}`,
    clientCertificate: clientCertificate(request, (peer) => proxies.tellsClientCertificate(peer)),
    headers: headersDistinct,
    traceparent: headersDistinct.traceparent?.[0],
    remoteAddress: proxies.clientAddress(socket.remoteAddress, headersDistinct['x-forwarded-for'] ?? []),
  };
}
