import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isEncodedText, requestTarget } from '../../http/request-target.js';

it.each([
  ['/graphql', '/graphql', ''],
  ['/graphql?a=b?c', '/graphql', '?a=b?c'],
  ['http://gateway.example/graphql?a', '/graphql', '?a'],
  ['HTTPS://user@gateway.example:4000/graphql', '/graphql', ''],
  ['http://[::1]:4000', '/', ''],
  ['http://gateway.example?a', '/', '?a'],
  ['http://gateway.example//other.example/x', '//other.example/x', ''],
  ['//other.example/x', '//other.example/x', ''],
  ['/http://other.example/', '/http://other.example/', ''],
  ['/x?at=http://other.example/', '/x', '?at=http://other.example/'],
  ['http:///graphql', 'http:///graphql', ''],
  ['ftp://gateway.example/graphql', 'ftp://gateway.example/graphql', ''],
  ['*', '*', ''],
  ['', '/', ''],
])('%s is path and query (RFC 9112 section 3.2)', (url, path, search) => {
  expect(requestTarget({ url })).toEqual({ path, search });
});

it('a target without a URL is the root', () => {
  expect(requestTarget({})).toEqual({ path: '/', search: '' });
});

it.each([
  ['?query=%7Bhello%7D+%E2%82%AC', true],
  ['', true],
  ['?query=%FF', false],
  ['?query=%C3', false],
  ['?query=%C0%AF', false],
  ['?query=%ED%A0%80', false],
  ['?query=%', false],
  ['?query=%4', false],
  ['?query=%zz', false],
  ['?query=\u00fc', false],
])('whether %s is text: %s', (search, isText) => {
  expect(isEncodedText(search)).toBe(isText);
});

it('whatever URLSearchParams writes is text, and is read as it was (property)', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      const search = `?${new URLSearchParams({ query: value.toWellFormed() }).toString()}`;
      expect(isEncodedText(search)).toBe(true);
      expect(new URLSearchParams(search).get('query')).toBe(value.toWellFormed());
    }),
  );
});
