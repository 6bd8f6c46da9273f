import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { runInNewContext } from 'node:vm';
import { protectedContext } from '@behalf/directives';
import type { RequestHeaders } from '@behalf/directives';
import { describe, expect, it } from 'vitest';
import { testedSubgraph } from './support.js';

const subgraph = testedSubgraph('type Query { a: Int @public }');
const token = await subgraph.token({ subject: 'alma' });

async function subjectOf(request: unknown): Promise<string | undefined> {
  return (await protectedContext(subgraph.schema, request as RequestHeaders)).delegation?.subject;
}

function incoming(): IncomingMessage {
  const message = new IncomingMessage(new Socket());
  message.headers['txn-token'] = token;
  return message;
}

describe('protectedContext finds the transaction token in', () => {
  it.each([
    ['IncomingHttpHeaders of node:http', () => incoming().headers],
    ['an IncomingMessage', incoming],
    [
      'what Express makes of one, which has a get function',
      () => Object.assign(incoming(), { get: () => undefined }),
    ],
    ['Headers', () => new Headers({ 'Txn-Token': token })],
    ['a Request', () => new Request('https://a.example', { headers: { 'Txn-Token': token } })],
    [
      'an object without a prototype, as node:http2 has',
      () => Object.assign(Object.create(null) as object, { 'txn-token': token }),
    ],
    [
      'an object of another realm, as in Jest',
      () => runInNewContext('({ "txn-token": token })', { token }) as unknown,
    ],
    ['headers in any case', () => ({ 'Txn-Token': token })],
    ['a list of one', () => ({ 'txn-token': [token] })],
    [
      'headers that are named as functions of Headers are',
      () => ({ 'txn-token': token, get: 'g', has: 'h' }),
    ],
    ['headers beside a header named headers', () => ({ 'txn-token': token, headers: 'h' })],
    ['headers of which another is undefined', () => ({ 'txn-token': token, 'Txn-Token': undefined })],
  ])('%s', async (_, request) => {
    expect(await subjectOf(request())).toBe('alma');
  });

  it.each([
    ['no headers', {}],
    ['an empty list', { 'txn-token': [] }],
    ['an undefined header', { 'txn-token': undefined }],
    ['Headers without one', new Headers()],
    ['two in one list', { 'txn-token': [token, token] }],
    ['two in different spellings', { 'txn-token': token, 'Txn-Token': token }],
    [
      'two in one line',
      new Headers([
        ['txn-token', token],
        ['Txn-Token', token],
      ]),
    ],
    ['an empty one', { 'txn-token': '' }],
  ])('or makes an anonymous caller: %s', async (_, request) => {
    expect(await subjectOf(request)).toBeUndefined();
  });
});

describe('protectedContext throws for what is not a request, instead of silently denying', () => {
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a token', 'a.b.c'],
    ['a list of pairs', [['txn-token', 'a.b.c']]],
    ['a Map', new Map([['txn-token', 'a.b.c']])],
    ['a URL', new URL('https://a.example')],
    [
      'an object of a class',
      new (class Headers2 {
        'txn-token' = 'a.b.c';
      })(),
    ],
    ['a function', () => undefined],
    [
      'half of Headers',
      new (class {
        get = () => token;
        has = () => true;
      })(),
    ],
    ['a request whose headers are a Map', { headers: new Map() }],
    ['a header that is not a string', { 'txn-token': 1 }],
    ['a header of objects', { 'txn-token': [{}] }],
    ['a header of a text and an object', { 'txn-token': ['a.b.c', {}] }],
    ['another header that is not a string', { 'txn-token': 'a.b.c', other: 1 }],
    ['Apollo Server’s context argument', { req: { headers: {} }, res: {} }],
    ['Yoga’s context argument', { request: new Request('https://people.example'), params: {} }],
    ['headers that are null', { headers: null }],
    ['headers that are undefined', { headers: undefined }],
    ['headers that are undefined, beside a property of text', { headers: undefined, method: 'POST' }],
    ['headers that are text', { headers: 'txn-token: a.b.c' }],
    ['headers that are a list', { headers: ['txn-token', 'a.b.c'] }],
    ['a request within a request', { headers: { headers: { 'txn-token': 'a.b.c' } } }],
    ['a Response of the Fetch standard', new Response('', { headers: { 'txn-token': 'a.b.c' } })],
    [
      'what another library makes of a response',
      { ok: true, status: 200, headers: { 'txn-token': 'a.b.c' } },
    ],
    ['a response that Node received', Object.assign(incoming(), { statusCode: 200 })],
    ['raw headers', { rawHeaders: ['Txn-Token', 'a.b.c'] }],
    ['no raw headers', { rawHeaders: [] }],
    ['a request whose headers are raw', { headers: { rawHeaders: [] } }],
    ['the headers of a cloud function', { multiValueHeaders: ['a.b.c'] }],
    ['the token under a name of its own', { txnToken: 'a.b.c' }],
    ['inherited headers', Object.create({ 'txn-token': 'a.b.c' }) as object],
    ['URLSearchParams', new URLSearchParams({ 'txn-token': 'a.b.c' })],
    ['FormData', new FormData()],
    ['a request whose headers are URLSearchParams', { headers: new URLSearchParams() }],
  ])('%s', async (_, request) => {
    await expect(subjectOf(request)).rejects.toMatchObject({
      name: 'DirectiveError',
      code: 'UNREADABLE_HEADERS',
    });
  });
});
