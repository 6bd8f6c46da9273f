import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalizedTarget } from '../../gateway/authenticate/dpop/target.js';

const HOST = 'https://api.example';

describe('RFC 3986 section 6.2: equivalent addresses', () => {
  it.each([
    ['HTTPS://API.Example/graphql', `${HOST}/graphql`],
    [`${HOST}:443/graphql`, `${HOST}/graphql`],
    [`${HOST}:/graphql`, `${HOST}/graphql`],
    [HOST, `${HOST}/`],
    [`${HOST}?query`, `${HOST}/`],
    [`${HOST}/graphql?query#fragment`, `${HOST}/graphql`],
    [`${HOST}/a/./b/../graphql`, `${HOST}/a/graphql`],
    [`${HOST}/a/%2e%2E/graphql`, `${HOST}/graphql`],
    [`${HOST}/%7euser`, `${HOST}/~user`],
    [`${HOST}/a%2fb`, `${HOST}/a%2Fb`],
    ['http://127.0.0.1:80/', 'http://127.0.0.1/'],
  ])('%s is %s', (one, other) => {
    expect(normalizedTarget(one)).toBe(other);
  });
});

describe('addresses that differ', () => {
  it.each([
    [`${HOST}/graphql`, `${HOST}/graphql/`],
    [`${HOST}/graphql`, `${HOST}/GraphQL`],
    [`${HOST}/a%2Fb`, `${HOST}/a/b`],
    [`${HOST}/a%3Fb`, `${HOST}/a?b`],
    [`${HOST}/%2525`, `${HOST}/%25`],
    [`${HOST}/`, 'http://api.example/'],
    [`${HOST}/`, `${HOST}:8443/`],
    [`${HOST}/`, `${HOST}./`],
    [`${HOST}/`, `${HOST}.evil.example/`],
  ])('%s is not %s', (one, other) => {
    expect(normalizedTarget(one)).toBeDefined();
    expect(normalizedTarget(one)).not.toBe(normalizedTarget(other));
  });

  it.each([
    '',
    '/graphql',
    'graphql',
    '//api.example/graphql',
    'ftp://api.example/',
    'javascript:alert(1)',
    'https://user@api.example/',
    'https:api.example/',
    'https:///api.example/',
    'https://:secret@api.example/',
    `${HOST}\\graphql`,
    `${HOST}/gra\tphql`,
    `${HOST}/gra\nphql`,
    ` ${HOST}/`,
    `${HOST}/%`,
    `${HOST}/%zz`,
    `${HOST}/ü`,
    'https://',
    'https://a b/',
  ])('%j is not an address', (address) => {
    expect(normalizedTarget(address)).toBeUndefined();
  });
});

describe('any address', () => {
  const address = fc.webUrl({
    withQueryParameters: true,
    withFragments: true,
    validSchemes: ['http', 'https'],
  });

  it('is stable once normalized, and loses only query and fragment', () => {
    fc.assert(
      fc.property(address, (text) => {
        const normal = normalizedTarget(text);
        fc.pre(normal !== undefined);
        expect(normalizedTarget(normal)).toBe(normal);
        expect(normalizedTarget(`${text.split(/[?#]/)[0]}?other#fragment`)).toBe(normal);
      }),
    );
  });

  it('never becomes one of another host', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const normal = normalizedTarget(`${HOST}/${text}`);
        expect(normal === undefined || normal.startsWith(`${HOST}/`)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});
