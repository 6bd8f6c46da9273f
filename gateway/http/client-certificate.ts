import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { TrustedProxies } from './proxies.js';

/** RFC 9440 section 2.1: an Item whose value is a Byte Sequence (RFC 8941 section 3.3.5), of which parameters are not taken. */
const BYTE_SEQUENCE = /^:((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?):$/;

/** Certificates do not change while a connection lasts: the server refuses to renegotiate. */
const ofConnection = new WeakMap<TLSSocket, Uint8Array | undefined>();

/**
 * The certificate whose key the client proved to hold, as DER. Behind a proxy that is trusted to tell it, only what this
 * proxy tells counts: its own certificate on the connection to the gateway is not the client's. Of everybody else, the header
 * is ignored, whatever it says.
 *
 * @returns undefined when there is none, or when it cannot be read.
 */
export function clientCertificate(request: IncomingMessage, proxies: TrustedProxies): Uint8Array | undefined {
  const { socket } = request;
  if (proxies.tellsClientCertificate(socket.remoteAddress)) return fromHeader(request);
  return socket instanceof TLSSocket ? fromConnection(socket) : undefined;
}

/** Of two headers one may be what the proxy failed to take out. */
function fromHeader({ headersDistinct }: IncomingMessage): Uint8Array | undefined {
  const [value, ...others] = headersDistinct['client-cert'] ?? [];
  if (value === undefined || others.length > 0) return undefined;
  const [, base64 = ''] = BYTE_SEQUENCE.exec(value.trim()) ?? [];
  return base64 === '' ? undefined : Buffer.from(base64, 'base64');
}

function fromConnection(socket: TLSSocket): Uint8Array | undefined {
  if (ofConnection.has(socket)) return ofConnection.get(socket);
  const certificate = socket.getPeerX509Certificate()?.raw;
  ofConnection.set(socket, certificate);
  return certificate;
}
