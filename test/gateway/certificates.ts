// The library asks for it, by its name and first.
import 'reflect-metadata';
import { createHash, webcrypto } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import type { RequestOptions } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BasicConstraintsExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { X509Certificate } from '@peculiar/x509';
import { bodyOf } from './support.js';
import type { Answer, Cleanup } from './support.js';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;

/** A certificate and its key, made by a real X.509 library. */
export interface Certificate {
  readonly pem: string;
  readonly keyPem: string;
  readonly der: Buffer;
  /** `x5t#S256` (RFC 8705 section 3.1). */
  readonly thumbprint: string;
  readonly x509: X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

/** @param issuer Signs it; default: itself. */
export async function makeCertificate(name: string, issuer?: Certificate): Promise<Certificate> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const now = Date.now();
  const x509 = await X509CertificateGenerator.create({
    serialNumber: Buffer.from(webcrypto.getRandomValues(new Uint8Array(8))).toString('hex'),
    subject: `CN=${name}`,
    issuer: issuer?.x509.subject ?? `CN=${name}`,
    notBefore: new Date(now - DAY_MS),
    notAfter: new Date(now + DAY_MS),
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(issuer === undefined, undefined, true),
      new SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }]),
    ],
  });
  const der = Buffer.from(x509.rawData);
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return {
    pem: x509.toString('pem'),
    keyPem: `-----BEGIN PRIVATE KEY-----\n${pkcs8.toString('base64')}\n-----END PRIVATE KEY-----\n`,
    der,
    thumbprint: createHash('sha256').update(der).digest('base64url'),
    x509,
    keys,
  };
}

/** Where a gateway finds them. */
export async function writeCertificates(
  cleanup: Cleanup,
  certificates: Readonly<Record<string, Certificate>>,
): Promise<Readonly<Record<string, string>>> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-certificates-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  const files: Record<string, string> = {};
  for (const [name, { pem, keyPem }] of Object.entries(certificates)) {
    files[name] = join(folder, `${name}.pem`);
    files[`${name}Key`] = join(folder, `${name}.key`);
    await writeFile(files[name] ?? '', pem);
    await writeFile(files[`${name}Key`] ?? '', keyPem);
  }
  return files;
}

/** One HTTPS request, on a connection of its own unless an agent is given. */
export function sendTls(
  url: string,
  body: string,
  options: RequestOptions & Pick<ConnectionOptions, 'session'>,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(url, { method: 'POST', agent: false, ...options }, (response) => {
      bodyOf(response).then((text) => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          body: JSON.parse(text) as Answer['body'],
        });
      }, reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}
