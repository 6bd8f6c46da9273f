import { constants } from 'node:crypto';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import { readNamedFile } from '../named-file.js';
import { ConfigurationError } from '../errors.js';

/** Key `listen.tls` of the configuration: TLS ends here. Files are PEM, absolute paths. */
export interface TlsOptions {
  /** The certificate, and intermediate ones. */
  readonly certFile: string;
  readonly keyFile: string;
  /**
   * Request client certificates, for tokens bound to one (RFC 8705). A client without one is served unless its token needs one.
   * Default: false.
   */
  readonly requestClientCertificate?: boolean;
  /** The authorities whose client certificates are accepted. Default: any, even self-signed ones. */
  readonly clientCaFile?: string;
}

/**
 * RFC 8705 section 6.2: the token names its certificate, so the issuer does not matter unless the configuration names an
 * authority.
 *
 * @throws {ConfigurationError} for an unreadable file, or one without a certificate or key
 */
export async function createTlsServer(options: TlsOptions): Promise<Server> {
  const { certFile, keyFile, clientCaFile, requestClientCertificate = false } = options;
  const cert = await readNamedFile(certFile, 'listen.tls.certFile');
  const key = await readNamedFile(keyFile, 'listen.tls.keyFile');
  const ca =
    clientCaFile === undefined ? undefined : await readNamedFile(clientCaFile, 'listen.tls.clientCaFile');
  let server: Server;
  try {
    server = createServer({
      // A request without it is refused by the routes, with a body.
      requireHostHeader: false,
      cert,
      key,
      ca,
      requestCert: requestClientCertificate,
      // Node would also refuse every client without a certificate; below, only certificates of other authorities are refused.
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      // Disables resumption, so that each connection has one certificate.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    });
  } catch {
    // The reason could quote the key.
    throw new ConfigurationError('listen.tls', 'the files hold no certificate and key that go together');
  }
  if (ca !== undefined) {
    server.on('secureConnection', (socket) => {
      if (socket.getPeerX509Certificate() !== undefined && !socket.authorized) socket.destroy();
    });
  }
  return server;
}
