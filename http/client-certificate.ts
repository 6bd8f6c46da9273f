import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';

/** RFC 9440 section 2.1: an Item whose value is a Byte Sequence (RFC 8941 section 3.3.5). Parameters are not accepted. */
const BYTE_SEQUENCE = /^:((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?):$/;

/** A connection's certificate never changes: servers with client certificates must refuse to renegotiate. */
const certificates = new WeakMap<TLSSocket, Uint8Array | undefined>();

/**
 * The certificate (DER) whose private key the client proved to hold, as the connection or a trusted proxy's `Client-Cert`
 * header (RFC 9440) tells.
 *
 * Behind a trusted proxy only its header counts, because the proxy's own certificate on the connection is not the client's.
 * From any other peer the header is ignored. Neither the issuer nor the validity of the certificate is checked here.
 *
 * @param isTrusted whether the peer at this address is a proxy that sets `Client-Cert`, and removes what clients send in it
 * @returns undefined when there is no certificate, or its header cannot be read
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { clientCertificate } from '@behalf/http';
 *
 * createServer((request, response) => {
 *   const der = clientCertificate(request, (peer) => peer === '10.0.0.1');
 *   response.end(der === undefined ? 'no certificate' : `${der.length} bytes`);
 * });
 * ```
 */
export function clientCertificate(
  request: IncomingMessage,
  isTrusted: (peer: string | undefined) => boolean,
): Uint8Array | undefined {
  const { socket } = request;
  if (isTrusted(socket.remoteAddress)) return fromHeader(request);
  return socket instanceof TLSSocket ? fromConnection(socket) : undefined;
}

/** If there are two headers, one may be the client's own, which the proxy failed to remove. */
function fromHeader({ headersDistinct }: IncomingMessage): Uint8Array | undefined {
  const [value, ...others] = headersDistinct['client-cert'] ?? [];
  if (value === undefined || others.length > 0) return undefined;
  const [, base64 = ''] = BYTE_SEQUENCE.exec(value.trim()) ?? [];
  return base64 === '' ? undefined : Buffer.from(base64, 'base64');
}

function fromConnection(socket: TLSSocket): Uint8Array | undefined {
  if (certificates.has(socket)) return certificates.get(socket);
  const certificate = socket.getPeerX509Certificate()?.raw;
  certificates.set(socket, certificate);
  return certificate;
}
