import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectPath } from '../../subgraphs/bank/shared/project-path.js';
import { freePort } from '../../subgraphs/bank/start/free-port.js';
import { installedPackages } from '../release/installed.js';
import { packedProject, sharedProject, useModulesOf } from '../support/packed.js';
import { Programs } from '../support/programs.js';
import { GUIDE } from './changes.js';
import { ask, bearer, errorCodes, withPorts } from './support.js';
import type { Answer, Ports } from './support.js';

// Subgraphs on graphql-yoga with Pothos, and on NestJS, behind the protected gateway of test/adoption/federation; outside the
// repository, with the packages as they are published.

const EXAMPLES = projectPath('test/adoption');
const INSTALL_TIMEOUT_MS = 480_000;

const SUBGRAPH_PACKAGES = [
  '@behalf/directives',
  '@apollo/server@5',
  '@apollo/subgraph@2.15',
  '@as-integrations/express5@1',
  '@nestjs/apollo@14',
  '@nestjs/common@12',
  '@nestjs/core@12',
  '@nestjs/graphql@14',
  '@nestjs/platform-express@12',
  '@opentelemetry/api@1',
  '@pothos/core@4',
  '@pothos/plugin-directives@4',
  'graphql@16',
  'graphql-yoga@5',
  'reflect-metadata@0.2',
  'rxjs@7',
];

const programs = new Programs();
let subgraphs: string;
let gatewayFolder: string;
let ports: Ports;

beforeAll(async () => {
  [gatewayFolder, subgraphs] = await Promise.all([
    folderWith(sharedProject()),
    folderWith(packedProject('subgraphs', SUBGRAPH_PACKAGES)),
  ]);
  const [gateway, first, second, issuer] = await Promise.all([1, 2, 3, 4].map(() => freePort()));
  ports = { gateway, first, second, issuer } as Ports;
  const devices = await readFile(join(EXAMPLES, 'subgraphs/devices.js'), 'utf8');
  const visits = withoutTypes(await readFile(join(EXAMPLES, 'subgraphs/visits.ts'), 'utf8'));
  await Promise.all([
    start(gatewayFolder, 'issuer.js', await readFile(join(EXAMPLES, 'federation/issuer.js'), 'utf8')),
    start(subgraphs, 'devices.js', devices),
    start(subgraphs, 'visits.js', visits),
  ]);
  await start(gatewayFolder, 'gateway.js', await gatewayOf('devices', 'visits'));
}, INSTALL_TIMEOUT_MS);

afterAll(async () => {
  await programs.stopAll();
  for (const folder of [gatewayFolder, subgraphs]) await rm(folder, { recursive: true, force: true });
});

async function folderWith(installed: Promise<string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-code-first-'));
  await useModulesOf(await installed, folder);
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  return folder;
}

/** As `tsc` and `nest build` compile it. */
function withoutTypes(source: string): string {
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
    },
  });
  return outputText;
}

/** The protected gateway of the guide, before two other subgraphs. */
async function gatewayOf(first: string, second: string): Promise<string> {
  const source = await readFile(join(EXAMPLES, 'federation/protected/gateway.js'), 'utf8');
  return source
    .replace("name: 'people'", `name: '${first}'`)
    .replace("name: 'orders'", `name: '${second}'`)
    .replace(/^ *subgraphs: \{ orders: .*\n/m, '');
}

async function start(folder: string, name: string, source: string): Promise<void> {
  await writeFile(join(folder, name), withPorts(source, ports));
  const program = programs.run(process.execPath, [name], folder, { NODE_ENV: 'production' });
  await programs.ready(program, /^\w+: http/m);
}

async function asAlma(query: string, scope: string): Promise<Answer> {
  return ask(`http://127.0.0.1:${ports.gateway}/graphql`, query, await bearer(ports, { sub: 'alma', scope }));
}

interface Example {
  readonly port: 'first' | 'second';
  readonly query: string;
  readonly field: string;
  readonly scope: string;
  readonly partial: Readonly<Record<string, unknown>>;
  readonly denied: string;
  readonly allScopes: string;
  readonly whole: Readonly<Record<string, unknown>>;
}

const GRAPHQL_YOGA: Example = {
  port: 'first',
  query: '{ devices { id model serial location } }',
  field: 'devices',
  scope: 'devices:read',
  partial: { id: 'd-1', model: 'Phone 3', serial: '***678', location: null },
  denied: 'devices.0.location',
  allScopes: 'devices:read devices:serial devices:location',
  whole: { id: 'd-1', model: 'Phone 3', serial: 'SN-1234-5678', location: 'Helsinki' },
};
const NEST: Example = {
  port: 'second',
  query: '{ visits { id clinic date diagnosis } }',
  field: 'visits',
  scope: 'visits:read',
  partial: { id: 'v-1', clinic: 'North', date: '2026-03-01', diagnosis: null },
  denied: 'visits.0.diagnosis',
  allScopes: 'visits:read visits:date visits:diagnosis',
  whole: { id: 'v-1', clinic: 'North', date: '2026-03-17', diagnosis: 'Flu' },
};

describe.each([
  ['graphql-yoga with Pothos, rules in extensions.directives', GRAPHQL_YOGA],
  ['NestJS, rules in astNode', NEST],
])('%s', (_, { port, query, field, scope, partial, denied, allScopes, whole }) => {
  it('enforces scopes, minimizes, and keeps others’ rows back', async () => {
    const some = await asAlma(query, scope);
    expect(some.data).toEqual({ [field]: [partial] });
    expect(errorCodes(some)).toEqual([`${denied} UNAUTHORIZED_FIELD_OR_TYPE`]);
  });

  it('gives everything that all scopes allow', async () => {
    const all = await asAlma(query, allScopes);
    expect(all.errors).toBeUndefined();
    expect(all.data).toEqual({ [field]: [whole] });
  });

  it('denies a token without scopes', async () => {
    const none = await asAlma(query, '');
    expect(none.data).toEqual({ [field]: null });
    expect(errorCodes(none)).toEqual([`${field} UNAUTHORIZED_FIELD_OR_TYPE`]);
  });

  it('gives nothing to whoever goes around the gateway', async () => {
    const token = await bearer(ports, { sub: 'alma', scope: allScopes });
    const around = await ask(`http://127.0.0.1:${ports[port]}/`, query, token);
    expect(around.data).toEqual({ [field]: null });
  });
});

it('both give the gateway their account of what was read', () => {
  const log = programs.outputOf('gateway.js');
  expect(log).toContain('AUDIT_OFF');
  expect(log).not.toContain('SUBGRAPH_UNPROTECTED');
  expect(log).not.toContain('SUBGRAPH_FACTS_MALFORMED');
});

it('no Elastic-licensed package is in the node_modules of the subgraphs', async () => {
  const installed = await installedPackages(subgraphs);
  expect(installed.map(({ name }) => name)).toEqual(expect.arrayContaining(['graphql-yoga', '@nestjs/core']));
  expect(installed.filter(({ license }) => /elastic/i.test(license))).toEqual([]);
  expect(installed.filter(({ name }) => name === 'graphql')).toHaveLength(1);
});

it('the guide shows the code that runs here', async () => {
  const guide = await readFile(GUIDE, 'utf8');
  const fences = [...guide.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);
  expect(fences).toHaveLength(2);
  const sources = await Promise.all(
    ['devices.js', 'visits.ts'].map((name) => readFile(join(EXAMPLES, 'subgraphs', name), 'utf8')),
  );
  for (const fence of fences)
    expect(
      sources.some((source) => source.includes(fence)),
      fence,
    ).toBe(true);
});
