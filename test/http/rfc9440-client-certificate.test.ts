import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { clientCertificate } from '../../http/index.js';

const PROXY = '10.0.0.1';
const DER = Buffer.from('any bytes: nothing is parsed here');
const isProxy = (peer: string | undefined): boolean => peer === PROXY;

function requestFrom(peer: string, ...headers: readonly string[]): IncomingMessage {
  return {
    socket: { remoteAddress: peer },
    headersDistinct: headers.length === 0 ? {} : { 'client-cert': headers },
  } as unknown as IncomingMessage;
}

const VALUE = `:${DER.toString('base64')}:`;

describe('clientCertificate', () => {
  it('decodes the byte sequence that a trusted proxy sends (section 2.1)', () => {
    expect(clientCertificate(requestFrom(PROXY, VALUE), isProxy)).toEqual(DER);
  });

  it('ignores the header from any other peer (section 4)', () => {
    expect(clientCertificate(requestFrom('192.0.2.7', VALUE), isProxy)).toBeUndefined();
  });

  it('is undefined when the proxy sends no header', () => {
    expect(clientCertificate(requestFrom(PROXY), isProxy)).toBeUndefined();
  });

  it('refuses a second header, which the client may have smuggled past the proxy', () => {
    expect(clientCertificate(requestFrom(PROXY, VALUE, VALUE), isProxy)).toBeUndefined();
  });

  it.each([
    ['without colons', DER.toString('base64')],
    ['as a list', `${VALUE}, ${VALUE}`],
    ['with parameters', `${VALUE};a=1`],
    ['with bad padding', ':AAAAA:'],
    ['in base64url', ':_-8=:'],
    ['when empty', '::'],
  ])('refuses a value %s', (_case, value) => {
    expect(clientCertificate(requestFrom(PROXY, value), isProxy)).toBeUndefined();
  });
});
