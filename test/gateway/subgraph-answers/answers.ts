import type { IncomingMessage, ServerResponse } from 'node:http';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';

/** Answers in place of a subgraph that is asked for `{ hello }`. */
export type Answering = (request: IncomingMessage, response: ServerResponse) => unknown;

type Headers = Readonly<Record<string, string | readonly string[]>>;

const JSON_TYPE = 'application/json';

/** In each answer that is not used, so that a test finds it wherever it leaks to. */
export const VALUE = 'distinctive';
export const GOOD = `{"data":{"hello":"${VALUE}"}}`;
const ERROR = `{"message":"${VALUE}","extensions":{"code":"BAD_VALUE"}}`;
const MEGABYTE = 1024 * 1024;

export function send(status: number, body: string | Buffer, headers: Headers = {}): Answering {
  return (_request, response) => {
    for (const [name, value] of Object.entries({ 'content-type': JSON_TYPE, ...headers }))
      response.setHeader(name, value);
    response.writeHead(status).end(body);
  };
}

const ok = (body: string | Buffer, headers?: Headers): Answering => send(200, body, headers);
const typed = (type: string | readonly string[]): Answering => ok(GOOD, { 'content-type': type });
const encoded = (body: Buffer, encoding: string): Answering => ok(body, { 'content-encoding': encoding });
const untyped =
  (status: number, body = ''): Answering =>
  (_request, response) =>
    void response.writeHead(status).end(body);

const CHUNKED_HEAD = `HTTP/1.1 200 OK\r\ncontent-type: ${JSON_TYPE}\r\ntransfer-encoding: chunked\r\n\r\n`;

/** More than is read, from few bytes. */
const bomb = Buffer.alloc(64 * MEGABYTE, ' ');

export const usedAnswers: Readonly<Record<string, Answering>> = {
  '`data`': ok(GOOD),
  '`"errors": null`': ok(`{"data":{"hello":"${VALUE}"},"errors":null}`),
  '`"errors": []`': ok(`{"data":{"hello":"${VALUE}"},"errors":[]}`),
  '`"extensions": null`': ok(`{"data":{"hello":"${VALUE}"},"extensions":null}`),
  'unknown members': ok(
    `{"data":{"hello":"${VALUE}"},"hasNext":false,"label":null,"__proto__":{"errors":[1]}}`,
  ),
  'members of `data` that were not requested': ok(
    `{"data":{"hello":"${VALUE}","rates":"down","__proto__":{"hello":1},"__typename":5}}`,
  ),
  'a member twice: the last one counts': ok(`{"data":5,"data":{"hello":"${VALUE}"}}`),
  'a byte order mark': ok(`\uFEFF${GOOD}`),
  'white space around': ok(`\r\n\t ${GOOD} \n`),
  '`application/graphql-response+json`': typed('application/graphql-response+json'),
  '`Application/JSON; Charset="UTF-8"`': typed('Application/JSON; Charset="UTF-8"'),
  'a quoted parameter that only looks like a charset': typed(
    'application/json; profile="x;charset=latin1"; a="\\";charset=latin1"; charset = "utf-8" ; b;',
  ),
  'another 2xx status': send(203, GOOD),
  '103 before the answer': (request, response) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload' }, () => {
      ok(GOOD)(request, response);
    });
  },
  '`Content-Encoding: gzip`': encoded(gzipSync(GOOD), 'gzip'),
  '`Content-Encoding: X-GZip`': encoded(gzipSync(GOOD), 'X-GZip'),
  '`Content-Encoding: br`': encoded(brotliCompressSync(GOOD), 'br'),
  'gzip in two members': encoded(
    Buffer.concat([gzipSync(GOOD.slice(0, 9)), gzipSync(GOOD.slice(9))]),
    'gzip',
  ),
  '`Content-Encoding: identity`': encoded(Buffer.from(GOOD), 'identity'),
  '`Content-Encoding: gzip, identity`': encoded(gzipSync(GOOD), 'gzip, identity'),
  '`Content-Encoding: Identity,br`': encoded(brotliCompressSync(GOOD), 'Identity,br'),
  'two `Content-Encoding`s, gzip and identity': ok(gzipSync(GOOD), {
    'content-encoding': ['gzip', 'identity'],
  }),
};

const errorAnswers: Readonly<Record<string, Answering>> = {
  'an error at the field': ok(
    `{"data":{"hello":null},"errors":[{"message":"${VALUE}","path":["hello"],"extensions":{"code":"LOCKED"}}]}`,
  ),
  'errors without `data`': ok(`{"errors":[${ERROR}]}`),
  'errors and `"data": null`': ok(`{"data":null,"errors":[${ERROR}]}`),
  'errors with members that are null': ok(
    `{"data":null,"errors":[{"message":"${VALUE}","path":null,"locations":null,"extensions":null}]}`,
  ),
  '400 with errors': send(400, `{"errors":[${ERROR}]}`),
  '400 with errors and `data`: only the errors count': send(
    400,
    `{"data":{"hello":"${VALUE}"},"errors":[${ERROR}]}`,
  ),
  '400 with errors, compressed': send(400, gzipSync(`{"errors":[${ERROR}]}`), { 'content-encoding': 'gzip' }),
  '500 with errors': send(500, `{"errors":[${ERROR}]}`),
};

const httpErrors: Readonly<Record<string, Answering>> = {
  'status 302': send(302, GOOD, { location: `http://127.0.0.1:1/${VALUE}` }),
  'status 304': untyped(304),
  '307 with errors': send(307, `{"errors":[${ERROR}]}`, { location: '/' }),
  '400 with `data` alone': send(400, GOOD),
  '400 with `{}`': send(400, '{}'),
  '400 with `"errors": []`': send(400, '{"errors":[]}'),
  '400 with errors that are none': send(400, `{"errors":["${VALUE}"]}`),
  '400 with errors as `text/plain`': send(400, `{"errors":[${ERROR}]}`, { 'content-type': 'text/plain' }),
  '401 with another JSON body': send(401, `{"error":"${VALUE}"}`),
  '404 with HTML': send(404, `<p>${VALUE}</p>`, { 'content-type': 'text/html' }),
  '500 without a body': untyped(500),
  '502 in an unknown encoding': send(502, VALUE, { 'content-encoding': 'zstd' }),
  'more than 32 MB': ok(Buffer.alloc(33 * MEGABYTE, ' ')),
  'gzip of more than 32 MB': encoded(gzipSync(bomb), 'gzip'),
  'br of more than 32 MB': encoded(brotliCompressSync(bomb), 'br'),
  'a connection that closes before the answer': ({ socket }) => socket.destroy(),
  'a body shorter than its `Content-Length`': (_request, response) => {
    response.writeHead(200, { 'content-type': JSON_TYPE, 'content-length': GOOD.length + 1 }).write(GOOD);
    setImmediate(() => response.socket?.destroy());
  },
  'a body whose last chunk is missing': (_request, response) => {
    response.writeHead(200, { 'content-type': JSON_TYPE }).write(GOOD);
    setImmediate(() => response.socket?.destroy());
  },
  'not HTTP': ({ socket }) => socket.end(GOOD),
  'a chunk whose size is not a number': ({ socket }) =>
    socket.end(`${CHUNKED_HEAD}ZZ\r\n${GOOD}\r\n0\r\n\r\n`),
  'a chunk that is longer than its size': ({ socket }) =>
    socket.end(`${CHUNKED_HEAD}5\r\n${GOOD}\r\n0\r\n\r\n`),
  'two `Content-Length`s that differ': ({ socket }) =>
    socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n${GOOD}`),
  'status 101': ({ socket }) =>
    socket.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
  '100 before the answer, which was not asked for': (request, response) => {
    response.writeContinue();
    ok(GOOD)(request, response);
  },
  'no answer in time': () => undefined,
  'half an answer in time': (_request, response) =>
    response.writeHead(200, { 'content-type': JSON_TYPE }).write(GOOD.slice(0, 9)),
};

const malformedBodies: Readonly<Record<string, Answering>> = {
  '`{}`': ok('{}'),
  '`"data": null`': ok('{"data":null}'),
  '`"data": null, "errors": []`': ok('{"data":null,"errors":[]}'),
  'errors that are null alone': ok('{"errors":null}'),
  'extensions alone': ok(`{"extensions":{"${VALUE}":1}}`),
  '`data` that is a number': ok('{"data":5}'),
  '`data` that is a number beyond a double': ok('{"data":12345678901234567890}'),
  '`data` that is text': ok(`{"data":"${VALUE}"}`),
  '`data` that is a list': ok(`{"data":[{"hello":"${VALUE}"}]}`),
  '`data` that is `false`': ok('{"data":false}'),
  'errors that are an object': ok(`{"data":{"hello":"${VALUE}"},"errors":{}}`),
  'errors that are text': ok(`{"data":{"hello":"${VALUE}"},"errors":"${VALUE}"}`),
  '`"errors": [null]`': ok(`{"data":{"hello":"${VALUE}"},"errors":[null]}`),
  'an error that is text': ok(`{"data":{"hello":"${VALUE}"},"errors":["${VALUE}"]}`),
  'an error without a message': ok(`{"data":{"hello":"${VALUE}"},"errors":[{"path":["hello"]}]}`),
  'extensions that are a list': ok(`{"data":{"hello":"${VALUE}"},"extensions":[]}`),
  'extensions that are text': ok(`{"data":{"hello":"${VALUE}"},"extensions":"${VALUE}"}`),
  'a batch': ok(`[${GOOD}]`),
  'JSON `null`': ok('null'),
  'JSON text': ok(`"${VALUE}"`),
  'a JSON number': ok('12345678901234567890'),
  'no body': ok(''),
  'truncated JSON': ok(GOOD.slice(0, -1)),
  'something after the JSON': ok(`${GOOD}}`),
  'two responses': ok(`${GOOD}\n${GOOD}`),
  '`NaN`': ok('{"data":{"hello":NaN}}'),
  'two byte order marks': ok(`\uFEFF\uFEFF${GOOD}`),
};

const malformedMembers: Readonly<Record<string, Answering>> = {
  '`"data": {}`: a field is missing': ok('{"data":{}}'),
  'a field that is a list': ok(`{"data":{"hello":["${VALUE}"]}}`),
  'a field that is an object': ok(`{"data":{"hello":{"${VALUE}":1}}}`),
  'a field that is a number, for a String': ok('{"data":{"hello":5}}'),
  'a field that is a number beyond a double, for a String': ok('{"data":{"hello":12345678901234567890}}'),
  'a field that is `true`, for a String': ok('{"data":{"hello":true}}'),
  'a field under a name that was not requested': ok(`{"data":{"Hello":"${VALUE}"}}`),
};

const malformedTexts: Readonly<Record<string, Answering>> = {
  'invalid UTF-8': ok(Buffer.from(GOOD.replace(VALUE, 'Z\u00fcrich'), 'latin1')),
  'UTF-16': ok(Buffer.from(`\uFEFF${GOOD}`, 'utf16le')),
  '`charset=iso-8859-1`': typed('application/json; charset=iso-8859-1'),
  '`charset="iso-8859-1"` after a quoted parameter': typed('application/json; a="b;"; Charset="iso-8859-1"'),
  'status 204': untyped(204),
  '200 with no `Content-Type`': untyped(200, GOOD),
  'two `Content-Type`s': typed([JSON_TYPE, 'text/html']),
  '`text/html`': typed('text/html; charset=utf-8'),
  '`text/plain`': typed('text/plain'),
  '`application/json-seq`': typed('application/json-seq'),
  '`application/jsonp`': typed('application/jsonp'),
  '`multipart/mixed`': typed('multipart/mixed; boundary="-"'),
  '`text/event-stream`': typed('text/event-stream'),
  'gzip without its header': ok(gzipSync(GOOD)),
  'a header without gzip': encoded(Buffer.from(GOOD), 'gzip'),
  'truncated gzip': encoded(gzipSync(GOOD).subarray(0, -9), 'gzip'),
  'truncated br': encoded(brotliCompressSync(GOOD).subarray(0, -3), 'br'),
  'gzip, and something after it': encoded(Buffer.concat([gzipSync(GOOD), Buffer.from('junk')]), 'gzip'),
  'gzip, and zeros after it': encoded(Buffer.concat([gzipSync(GOOD), Buffer.alloc(8)]), 'gzip'),
  'br, and something after it': encoded(Buffer.concat([brotliCompressSync(GOOD), Buffer.from('junk')]), 'br'),
  'br, and zeros after it': encoded(Buffer.concat([brotliCompressSync(GOOD), Buffer.alloc(8)]), 'br'),
  '`Content-Encoding: deflate`, which was not offered': encoded(deflateSync(GOOD), 'deflate'),
  '`Content-Encoding: gzip, br`': encoded(brotliCompressSync(gzipSync(GOOD)), 'gzip, br'),
  'two `Content-Encoding`s': ok(gzipSync(gzipSync(GOOD)), { 'content-encoding': ['gzip', 'gzip'] }),
};

/** By the first column of `docs/reference/subgraph-answers.md`, in its order. */
export const answers: Readonly<Record<string, Answering>> = {
  ...usedAnswers,
  ...errorAnswers,
  ...httpErrors,
  ...malformedBodies,
  ...malformedMembers,
  ...malformedTexts,
};
