import { constants } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import { ConfigurationError } from '../errors.js';

/** Key `listen.tls` of the configuration: TLS ends here. Files are PEM, absolute paths. */
export interface TlsOptions {
  /** The certificate, and those between it and a known authority. */
  readonly certFile: string;
  readonly keyFile: string;
  /**
   * Ask clients for a certificate, for tokens that are bound to one (RFC 8705). A client without one is served as far as its
   * token needs none. Default: false.
   */
  readonly requestClientCertificate?: boolean;
  /** The authorities whose client certificates are accepted. Default: any, even self-signed ones. */
  readonly clientCaFile?: string;
}

/**
 * RFC 8705 section 6.2: the token names its certificate, so who issued that one is not looked at, unless the configuration
 * names an authority.
 *
 * @throws {ConfigurationError} for a file that cannot be read or holds no certificate or key.
 */
export async function createTlsServer(options: TlsOptions): Promise<Server> {
  const { certFile, keyFile, clientCaFile, requestClientCertificate = false } = options;
  const cert = await readPem(certFile, 'listen.tls.certFile');
  const key = await readPem(keyFile, 'listen.tls.keyFile');
  const ca = clientCaFile === undefined ? undefined : await readPem(clientCaFile, 'listen.tls.clientCaFile');
  let server: Server;
  try {
    server = createServer({
      cert,
      key,
      ...(ca === undefined ? {} : { ca }),
      requestCert: requestClientCertificate,
      // It would refuse every client without a certificate as well; below, only certificates of others are.
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      // One connection, one certificate.
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

async function readPem(file: string, path: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new ConfigurationError(path, `${file} cannot be read (${code})`);
  }
}
