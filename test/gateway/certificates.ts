import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import type { RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { issueCertificate } from '../authority/certificates.js';
import type { Issued } from '../authority/certificates.js';
import { bodyOf } from './support.js';
import type { Answer, Cleanup } from './support.js';

/** Test clients reach the servers by address, and expect this name. */
export const SERVER_NAME = 'gateway.example';

export interface Certificate extends Issued {
  readonly der: Buffer;
  /** `x5t#S256` (RFC 8705 section 3.1). */
  readonly thumbprint: string;
}

/** @param issuer the authority that signs it; default: self-signed, and may sign others */
export async function makeCertificate(name: string, issuer?: Certificate): Promise<Certificate> {
  const issued = await issueCertificate(
    issuer === undefined
      ? { name, isAuthority: true, dnsNames: [SERVER_NAME] }
      : { name, issuer, dnsNames: [SERVER_NAME] },
  );
  const der = issued.certificate.raw;
  return { ...issued, der, thumbprint: createHash('sha256').update(der).digest('base64url') };
}

/** Paths from which a gateway reads them. */
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

/** One HTTPS request, on its own connection unless an agent is given. */
export function sendTls(
  url: string,
  body: string,
  options: RequestOptions & Pick<ConnectionOptions, 'session'>,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      url,
      { method: 'POST', agent: false, servername: SERVER_NAME, ...options },
      (response) => {
        bodyOf(response).then((text) => {
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            body: JSON.parse(text) as Answer['body'],
          });
        }, reject);
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}
