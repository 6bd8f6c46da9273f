import { generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';

/** A certificate and its key. */
export interface Issued {
  readonly certificate: X509Certificate;
  readonly pem: string;
  readonly key: KeyObject;
  readonly keyPem: string;
}

/** @see issueCertificate */
export interface CertificateRequest {
  readonly name: string;
  /** Without: it signs itself. */
  readonly issuer?: Issued;
  readonly isAuthority?: boolean;
  readonly dnsNames?: readonly string[];
  /** Extended key usage; default: for clients and servers. */
  readonly usages?: readonly string[];
  readonly expired?: boolean;
}

export const FOR_CLIENTS = '1.3.6.1.5.5.7.3.2';
export const FOR_SERVERS = '1.3.6.1.5.5.7.3.1';

const HOUR_MS = 3_600_000;

/** Issues an X.509 certificate (RFC 5280) for a new P-256 key, as far as these tests need one. */
export function issueCertificate(request: CertificateRequest): Issued {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { dnsNames = [], expired = false, issuer, usages = [FOR_CLIENTS, FOR_SERVERS] } = request;
  const end = Date.now() + (expired ? -HOUR_MS : HOUR_MS);
  const algorithm = sequence(oid('1.2.840.10045.4.3.2'));
  const content = sequence(
    tlv(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    issuer === undefined ? nameOf(request.name) : nameOf(commonName(issuer.certificate)),
    sequence(time(end - 24 * HOUR_MS), time(end)),
    nameOf(request.name),
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(
      0xa3,
      sequence(
        extension(
          '2.5.29.19',
          request.isAuthority === true ? sequence(tlv(0x01, Buffer.from([0xff]))) : sequence(),
        ),
        ...(request.isAuthority === true ? [] : [extension('2.5.29.37', sequence(...usages.map(oid)))]),
        ...(dnsNames.length === 0
          ? []
          : [extension('2.5.29.17', sequence(...dnsNames.map((name) => tlv(0x82, Buffer.from(name)))))]),
      ),
    ),
  );
  const signature = sign('sha256', content, issuer?.key ?? privateKey);
  const der = sequence(content, algorithm, tlv(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const certificate = new X509Certificate(der);
  const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { certificate, pem: certificate.toString(), key: privateKey, keyPem };
}

function tlv(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...contents: readonly Buffer[]): Buffer {
  return tlv(0x30, ...contents);
}

function integer(content: Buffer): Buffer {
  return tlv(0x02, content);
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const digits = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
    bytes.push(...digits);
  }
  return tlv(0x06, Buffer.from(bytes));
}

function nameOf(name: string): Buffer {
  return sequence(tlv(0x31, sequence(oid('2.5.4.3'), tlv(0x0c, Buffer.from(name)))));
}

function commonName(certificate: X509Certificate): string {
  return certificate.subject.replace(/^CN=/, '');
}

function time(atMs: number): Buffer {
  const digits = new Date(atMs).toISOString().replaceAll(/[-:T]/g, '').slice(2, 14);
  return tlv(0x17, Buffer.from(`${digits}Z`));
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(oid(id), tlv(0x04, value));
}
