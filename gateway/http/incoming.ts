import type { IncomingMessage } from 'node:http';
import { clientCertificate } from '@behalf/http';
import { requestTarget } from '@behalf/http/internal';
import type { IncomingRequest } from '../request/incoming-request.js';
import type { TrustedProxies } from './proxies.js';

/** Facts that the server knows beyond the request itself. */
export interface ServerContext {
  /**
   * The address at which clients reach the gateway. Never from the `Host` header, or its sender would choose the address of a
   * proof.
   */
  readonly externalUrl: string;
  readonly proxies: TrustedProxies;
}

/** The parts of an HTTP request that the pipeline reads. */
export function incomingOf(
  request: IncomingMessage,
  { externalUrl, proxies }: ServerContext,
): IncomingRequest {
  const { headersDistinct, method, socket } = request;
  const { path, search } = requestTarget(request);
  return {
    authorization: headersDistinct.authorization ?? [],
    dpop: headersDistinct.dpop ?? [],
    method,
    url: `${externalUrl.replace(/\/$/, '')}${path}${search}`,
    clientCertificate: clientCertificate(request, (peer) => proxies.tellsClientCertificate(peer)),
    headers: headersDistinct,
    traceparent: headersDistinct.traceparent?.[0],
    remoteAddress: proxies.clientAddress(socket.remoteAddress, headersDistinct['x-forwarded-for'] ?? []),
  };
}
