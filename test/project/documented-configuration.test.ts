import { readFile } from 'node:fs/promises';
import { Kind, parse, validate } from 'graphql';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { projectPath } from '../../subgraphs/bank/shared/project-path.js';
import { buildProtectedSubgraph, type SubgraphResolvers } from '@behalf/directives';
import { checkConfig, checkPolicy } from '@behalf/gateway';
import { checkTranslation } from '@behalf/policy';
import { lint } from '@behalf/gateway/tools';
import { documentedFences, type Fence } from './fences.js';

// What documents show of configuration, policies and schemas is accepted by the code that reads them.

const fences = await documentedFences();
const titled = (infos: readonly string[]): [string, Fence][] =>
  fences.filter(({ info }) => infos.includes(info)).map((fence) => [fence.place, fence]);

describe('YAML in documents', () => {
  type Yaml = Readonly<Record<string, unknown>>;
  // What a fence does not show of the file that it is a part of.
  const BASE = {
    supergraph: 'supergraph.graphql',
    issuers: [
      { issuer: 'https://login.example', audience: 'https://api.example' },
      { issuer: 'https://idp.example', audience: 'https://api.example', namespace: 'idp' },
    ],
  };
  const sentence = 'Words';
  const POLICY_BASE = {
    purposes: { budgeting: { sentence } },
    categories: {
      location: { sentence, sensitivity: 'sensitive', levels: { city: { sentence } } },
    },
    scopes: { 'accounts:read': { sentence: 'See your accounts', access: 'read', sensitivity: 'personal' } },
  };
  const POLICY_KEYS = new Set([
    'scopes',
    'purposes',
    'categories',
    'minimize',
    'roles',
    'clients',
    'rateClasses',
    'longestConsent',
    'stepUp',
  ]);

  /** Values as long as secrets and keys must be; an address where one is wanted. */
  function fill(text: string): string {
    return text
      .replaceAll(/\$\{[A-Z_]*(?:_URL|_STORE)\}/g, 'postgres://behalf@db.example/behalf')
      .replaceAll(/\$\{[A-Z_]+\}/g, 'x'.repeat(64));
  }

  function read({ text }: Fence): Yaml {
    return parseYaml(fill(text)) as Yaml;
  }

  it.each(titled(['yaml', 'yml']))('%s is valid', (_place, fence) => {
    const value = read(fence);
    const keys = Object.keys(value);
    expect(keys).not.toEqual([]);
    // rover's format, which the test of the tutorial composes.
    if (keys.includes('federation_version')) return;
    // Kubernetes' own, which names keys of the configuration at most.
    if (keys.includes('apiVersion')) return;
    if (typeof value.language === 'string' && 'fields' in value) checkTranslation(value);
    else if (keys.every((key) => POLICY_KEYS.has(key))) checkPolicy({ ...POLICY_BASE, ...value });
    else checkConfig({ ...BASE, ...value });
  });

  it('the issuers in docs/how-to/issuers.md are valid together', () => {
    const found = fences
      .filter(({ place, info }) => info === 'yaml' && place.startsWith('docs/how-to/issuers.md'))
      .flatMap((fence) => (read(fence).issuers ?? []) as { readonly introspection?: unknown }[])
      .filter(({ introspection }) => introspection === undefined);
    expect(checkConfig({ ...BASE, issuers: found }).issuers).toHaveLength(4);
  });

  it('a key that is misspelled is found', () => {
    expect(() => checkConfig({ ...BASE, isuers: [] })).toThrow('isuers');
  });
});

it.each(titled(['json']))('%s is JSON', (_place, { text }) => {
  expect(() => void JSON.parse(text)).not.toThrow();
});

describe('GraphQL in documents', () => {
  const isSchema = (document: DocumentNode): boolean =>
    document.definitions.some(({ kind }) => kind === Kind.SCHEMA_EXTENSION);
  const definesTypes = (document: DocumentNode): boolean =>
    document.definitions.some(({ kind }) => kind === Kind.OBJECT_TYPE_DEFINITION);
  const isOperation = (document: DocumentNode): boolean =>
    document.definitions.some(({ kind }) => kind === Kind.OPERATION_DEFINITION);

  it.each(titled(['graphql']))('%s is valid', async (place, { text }) => {
    const document = parse(text);
    if (isSchema(document) && definesTypes(document)) expect(problemsOf(text)).toEqual([]);
    // The test of the tutorial sends its own operations.
    if (isOperation(document) && !place.startsWith('docs/tutorial.md')) {
      const sdl = await readFile(projectPath('subgraphs/consent/schema.graphql'), 'utf8');
      const schema = subgraphOf(sdl, { Consent: { __resolveReference: () => null } });
      expect(validate(schema, document)).toEqual([]);
    }
  });

  it('a field without a rule is found', () => {
    const [first] = titled(['graphql']).filter(([, { text }]) => definesTypes(parse(text)));
    const text = first?.[1].text ?? '';
    expect(problemsOf(text.replace('id: ID! @public', 'id: ID!'))).toEqual([
      expect.stringMatching(/^COVERAGE_MISSING/),
    ]);
  });

  function subgraphOf(typeDefs: string, resolvers: SubgraphResolvers = {}): GraphQLSchema {
    return buildProtectedSubgraph({
      name: 'documented',
      typeDefs,
      resolvers,
      gateway: { issuer: 'https://gateway.example', jwksUri: 'https://gateway.example/jwks' },
    });
  }

  /** What stops a subgraph's start, or fails `behalf lint`. */
  function problemsOf(sdl: string): string[] {
    subgraphOf(sdl);
    const today = new Date().toISOString().slice(0, 10);
    const subgraphs = [{ name: 'documented', sdl }];
    return lint({ subgraphs, supergraph: { failures: [] }, policy: undefined, today })
      .filter(({ severity }) => severity === 'error')
      .map(({ code, message }) => `${code}: ${message}`);
  }
});
