// The library needs this polyfill, imported first.
import 'reflect-metadata';
import { webcrypto, X509Certificate } from 'node:crypto';

import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const HOUR_MS = 3_600_000;

export const FOR_CLIENTS = '1.3.6.1.5.5.7.3.2';
export const FOR_SERVERS = '1.3.6.1.5.5.7.3.1';

/** A certificate and its key. */
export interface Issued {
  readonly certificate: X509Certificate;
  readonly pem: string;
  readonly keyPem: string;
  readonly name: string;
  readonly keys: webcrypto.CryptoKeyPair;
}

/** @see issueCertificate */
export interface CertificateRequest {
  readonly name: string;
  /** Default: self-signed. */
  readonly issuer?: Issued;
  readonly isAuthority?: boolean;
  readonly dnsNames?: readonly string[];
  /** Extended key usage; default: for clients and servers. */
  readonly usages?: readonly string[];
  readonly expired?: boolean;
}

/** A certificate as a private authority would issue it. */
export async function issueCertificate(request: CertificateRequest): Promise<Issued> {
  const { dnsNames = [], expired = false, isAuthority = false, issuer, name } = request;
  const { usages = [FOR_CLIENTS, FOR_SERVERS] } = request;
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const endMs = Date.now() + (expired ? -HOUR_MS : HOUR_MS);
  const x509 = await X509CertificateGenerator.create({
    serialNumber: Buffer.from(webcrypto.getRandomValues(new Uint8Array(8))).toString('hex'),
    subject: `CN=${name}`,
    issuer: `CN=${issuer?.name ?? name}`,
    notBefore: new Date(endMs - 24 * HOUR_MS),
    notAfter: new Date(endMs),
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(isAuthority, undefined, true),
      ...(isAuthority ? [] : [new ExtendedKeyUsageExtension([...usages])]),
      ...(dnsNames.length === 0
        ? []
        : [new SubjectAlternativeNameExtension(dnsNames.map((value) => ({ type: 'dns', value })))]),
    ],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return {
    certificate: new X509Certificate(Buffer.from(x509.rawData)),
    pem: x509.toString('pem'),
    keyPem: `-----BEGIN PRIVATE KEY-----\n${pkcs8.toString('base64')}\n-----END PRIVATE KEY-----\n`,
    name,
    keys,
  };
}
