import { execFile } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import { packedPackages, packedProject } from '../support/packed.js';

const run = promisify(execFile);
let project: string;

beforeAll(async () => {
  project = await packedProject('subgraph-alone', [
    '@behalf/directives',
    '@behalf/revocation',
    '@apollo/subgraph@2.15',
    '@opentelemetry/api@1',
    'graphql@16',
  ]);
}, 480_000);

it('the tarball of the directives holds what is built, and nothing else', async () => {
  const packed = await packedPackages();
  const files = packed.find(({ manifest }) => manifest.name === '@behalf/directives')?.files ?? [];
  expect(files).toContain('dist/index.js');
  expect(files.filter((path) => !/^(dist\/|schemas\/|README\.md|LICENSE|package\.json)/.test(path))).toEqual(
    [],
  );
});

it('the directives alone protect a subgraph', async () => {
  await writeFile(
    join(project, 'subgraph.js'),
    `import { buildProtectedSubgraph, protectedContext } from '@behalf/directives';
     import { graphql } from 'graphql';
     const schema = buildProtectedSubgraph({
       name: 'people',
       typeDefs: \`
         extend schema @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@requiresScope", "@public"])
           @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@requiresScopes"])
         type Query { open: String @public closed: String @requiresScope(scope: "x") }\`,
       resolvers: { Query: { open: () => 'open', closed: () => 'closed' } },
       gateway: { issuer: 'https://gateway.example', jwksUri: 'https://gateway.example/jwks' },
     });
     const contextValue = await protectedContext(schema, { 'txn-token': 'forged' });
     const result = await graphql({ schema, source: '{ open closed }', contextValue });
     console.log(JSON.stringify([result.data, result.errors.map((error) => error.extensions.code)]));`,
  );
  const { stdout } = await run(process.execPath, ['subgraph.js'], { cwd: project });
  expect(JSON.parse(stdout)).toEqual([{ open: 'open', closed: null }, ['UNAUTHORIZED_FIELD_OR_TYPE']]);
});

it('a subgraph with a cache watches revocations without a gateway', async () => {
  await writeFile(
    join(project, 'watch.js'),
    `import { watchRevocations } from '@behalf/revocation';
     const watch = watchRevocations({ streams: [{ issuer: 'https://localhost:1', secret: 'sesame' }], onRevocation() {} });
     console.log(watch.isFresh());
     await watch.close();`,
  );
  const { stdout } = await run(process.execPath, ['watch.js'], { cwd: project });
  expect(stdout).toBe('false\n');
});

it('directives and revocation install neither gateway, authority nor store', async () => {
  const installed = await readdir(join(project, 'node_modules'), { recursive: false });
  const scoped = await readdir(join(project, 'node_modules/@apollo'));
  expect(scoped).not.toContain('gateway');
  expect(scoped).not.toContain('server');
  for (const name of ['pg', 'kysely', 'oidc-provider', 'undici', 'koa', 'graphql-shield']) {
    expect(installed).not.toContain(name);
  }
});
