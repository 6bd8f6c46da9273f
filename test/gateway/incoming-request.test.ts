import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ConfigurationError, protectGateway, silentLog } from '../../gateway/index.js';
import type { IncomingRequest } from '../../gateway/index.js';
import { requestOf } from '../../gateway/stages/gateway-request.js';

const gateway = protectGateway(
  { supergraphSdl: 'type Query { a: Int }' },
  {
    issuers: [{ issuer: 'https://login.example', audience: 'https://api.example' }],
    propagation: { issuer: 'https://gateway.example' },
    log: silentLog,
  },
);

const message = new IncomingMessage(new Socket());
message.headers.authorization = 'Bearer secret';
const response = new ServerResponse(message);

const MISTAKES: [string, unknown, string][] = [
  ['nothing', undefined, 'incoming'],
  ['null', null, 'incoming'],
  ['a list', [], 'incoming'],
  ['the authorization alone', 'Bearer secret', 'incoming'],
  ['an empty object', {}, 'incoming.authorization'],
  ['headers alone', { headers: message.headers }, 'incoming.authorization'],
  ['an undefined authorization', { authorization: undefined }, 'incoming.authorization'],
  ["Apollo Server's { req, res }", { req: message, res: response }, 'incoming.authorization'],
  ['the IncomingMessage itself', message, 'incoming.authorization'],
  ['a Request of the Fetch standard', new Request('https://a.example'), 'incoming.authorization'],
  ['one authorization', { authorization: 'Bearer secret' }, 'incoming.authorization'],
  ['a list with a gap', { authorization: [undefined] }, 'incoming.authorization'],
  ['one proof', { authorization: [], dpop: 'secret' }, 'incoming.dpop'],
  ['a certificate in PEM', { authorization: [], clientCertificate: 'secret' }, 'incoming.clientCertificate'],
  ['a URL object', { authorization: [], url: new URL('https://a.example/secret') }, 'incoming.url'],
  ['a path', { authorization: [], url: '/graphql' }, 'incoming.url'],
  ['a host', { authorization: [], url: 'api.example/secret' }, 'incoming.url'],
  ['an address without its scheme', { authorization: [], url: '//api.example/secret' }, 'incoming.url'],
  ['an address without its host', { authorization: [], url: 'https:///secret' }, 'incoming.url'],
  ['an address of another scheme', { authorization: [], url: 'ftp://api.example' }, 'incoming.url'],
  ['an empty address', { authorization: [], url: '' }, 'incoming.url'],
  ['several traces', { authorization: [], traceparent: ['secret'] }, 'incoming.traceparent'],
  ['headers that are a list', { authorization: [], headers: ['x-secret', 'secret'] }, 'incoming.headers'],
  ['headers that are a Map', { authorization: [], headers: new Map() }, 'incoming.headers'],
  ['misspelt headers', { authorization: [], header: { 'x-secret': 'secret' } }, 'incoming.header'],
  ['a proof in another case', { authorization: [], Dpop: ['secret'] }, 'incoming.Dpop'],
  ['DPoP as the header has it', { authorization: [], DPoP: ['secret'] }, 'incoming.DPoP'],
  ['a certificate by another name', { authorization: [], certificate: 'secret' }, 'incoming.certificate'],
  ['the request beside its parts', { authorization: [], req: message }, 'incoming.req'],
  ['an instance of a class', Object.assign(new Date(), { authorization: ['secret'] }), 'incoming'],
  ['inherited parts', Object.create({ authorization: ['secret'] }), 'incoming'],
  ['a response as headers', { authorization: [], headers: new Response('secret') }, 'incoming.headers'],
  ['raw headers', { authorization: [], headers: { rawHeaders: ['secret'] } }, 'incoming.headers'],
  ['a header that is a number', { authorization: [], headers: { 'x-a': 1 } }, 'incoming.headers'],
];

describe.each(MISTAKES)('%s in place of the parts of a request', (_what, given, path) => {
  const refusal = { name: 'ConfigurationError', code: 'CONFIGURATION', path };

  it('is refused at once, naming the part and no value', async () => {
    const error = await gateway.context(given as IncomingRequest).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject(refusal);
    expect((error as Error).message).not.toContain('secret');
    expect(() => gateway.begin(given as IncomingRequest)).toThrow(expect.objectContaining(refusal) as Error);
  });
});

it('a caller who passes { req, res } is told what to pass', async () => {
  const given = { req: message, res: response } as unknown as IncomingRequest;
  await expect(gateway.context(given)).rejects.toThrow(
    '{ authorization: req.headersDistinct.authorization ?? [] }',
  );
});

it.each([
  ['header', 'did you mean headers?'],
  ['Dpop', 'did you mean dpop?'],
  ['ip', 'the parts are authorization, dpop'],
])('the refusal of %s says what is meant', async (name, words) => {
  const given = { authorization: [], [name]: [] } as unknown as IncomingRequest;
  await expect(gateway.context(given)).rejects.toThrow(words);
});

describe('the headers of a request are read', () => {
  const node = new IncomingMessage(new Socket());
  Object.assign(node.headers, { 'accept-language': 'de, en' });
  it.each<[string, IncomingRequest['headers']]>([
    ['as headersDistinct', { 'accept-language': ['de', 'en'] }],
    ['as headers of node:http', node.headers],
    ['in any case', { 'Accept-Language': 'de, en' }],
    [
      'as Headers of the Fetch standard',
      new Headers([
        ['Accept-Language', 'de'],
        ['Accept-Language', 'en'],
      ]),
    ],
  ])('%s', async (_what, headers) => {
    const context = await gateway.context({ authorization: [], headers });
    const value = requestOf(context)?.exchange.clientHeaders?.('accept-language');
    expect(typeof value === 'string' ? value : value?.join(', ')).toBe('de, en');
  });
});
