import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const directives = join(root, 'directives');
let project: string;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'behalf-packed-'));
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', project], { cwd: directives });
  const [packed] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
  if (packed === undefined) throw new Error('npm pack gave nothing');
  expect(
    packed.files.every(({ path }) => /^(dist\/|schemas\/|README\.md|LICENSE|package\.json)/.test(path)),
  ).toBe(true);
  await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }');
  await run(
    'npm',
    [
      'install',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      `./${packed.filename}`,
      '@apollo/subgraph',
      'graphql@16',
    ],
    {
      cwd: project,
    },
  );
}, 120_000);

afterAll(() => rm(project, { recursive: true, force: true }));

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
       gateway: { issuer: 'https://gateway.example', keys: [] },
     });
     const contextValue = await protectedContext(schema, { 'txn-token': 'forged' });
     const result = await graphql({ schema, source: '{ open closed }', contextValue });
     console.log(JSON.stringify([result.data, result.errors.map((error) => error.extensions.code)]));`,
  );
  const { stdout } = await run(process.execPath, ['subgraph.js'], { cwd: project });
  expect(JSON.parse(stdout)).toEqual([{ open: 'open', closed: null }, ['UNAUTHORIZED_FIELD_OR_TYPE']]);
});

it('the directives install neither gateway, authority nor store', async () => {
  const installed = await readdir(join(project, 'node_modules'), { recursive: false });
  const scoped = await readdir(join(project, 'node_modules/@apollo'));
  expect(scoped).not.toContain('gateway');
  expect(scoped).not.toContain('server');
  for (const name of ['pg', 'kysely', 'oidc-provider', 'undici', 'koa', 'graphql-shield']) {
    expect(installed).not.toContain(name);
  }
});
