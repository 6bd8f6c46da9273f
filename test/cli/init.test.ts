import { freePort } from '../../subgraphs/bank/start/free-port.js';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { initProject } from '../../cli/actions/init.js';
import type { InitOptions } from '../../cli/actions/init.js';
import { TestIssuer } from '../gateway/support.js';
import { npm } from '../release/pack.js';
import { sharedProject, useModulesOf } from '../support/packed.js';
import { Programs } from '../support/programs.js';
import type { Program } from '../support/programs.js';
import { projectPath } from '@behalf/example/internal';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-init-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function init(
  kind: InitOptions['kind'],
  name: string,
  more: Partial<InitOptions> = {},
): Promise<string> {
  const target = join(folder, name);
  await initProject({ kind, folder: target, force: false, ...more }, () => undefined);
  return target;
}

async function scriptsOf(target: string): Promise<Readonly<Record<string, string>>> {
  const manifest = JSON.parse(await readFile(join(target, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  return manifest.scripts;
}

describe('behalf init', () => {
  it('writes a package named after the folder, with the CLI’s version', async () => {
    const target = await init('subgraph', 'my-notes');
    const { version } = JSON.parse(await readFile(projectPath('cli/package.json'), 'utf8')) as {
      version: string;
    };
    expect(JSON.parse(await readFile(join(target, 'package.json'), 'utf8'))).toMatchObject({
      name: 'my-notes',
      dependencies: { '@behalf/directives': `^${version}` },
    });
    expect((await readdir(target)).sort()).toEqual([
      '.gitignore',
      'README.md',
      'package.json',
      'schema.graphql',
      'server.js',
    ]);
  });

  it.each(['subgraph', 'gateway'] as const)('leaves no placeholder in a %s', async (kind) => {
    const target = await init(kind, `placeholders-${kind}`);
    for (const file of await readdir(target))
      expect(await readFile(join(target, file), 'utf8')).not.toMatch(/__[A-Z]+__|\*\*[A-Z]+\*\*/);
    expect(await readFile(join(target, 'README.md'), 'utf8')).toMatch(`# placeholders-${kind}\n`);
  });

  it('refuses a folder that is not empty, unless forced', async () => {
    const target = join(folder, 'occupied');
    await mkdir(target);
    await writeFile(join(target, 'mine.txt'), 'mine');
    await expect(init('gateway', 'occupied')).rejects.toMatchObject({ code: 'FOLDER_NOT_EMPTY' });
    expect(await readdir(target)).toEqual(['mine.txt']);
    await init('gateway', 'occupied', { force: true });
    expect(await readdir(target)).toContain('gateway.yaml');
    expect(await readFile(join(target, 'mine.txt'), 'utf8')).toBe('mine');
  });

  it.each(['Notes', '../notes', 'a b', '', '"x"', 'x'.repeat(300)])('refuses the name %j', async (name) => {
    await expect(init('subgraph', 'named', { name })).rejects.toMatchObject({ code: 'USAGE' });
    await expect(readdir(join(folder, 'named'))).rejects.toThrow();
  });

  it.each([
    'http://login.example',
    'login.example',
    'file:///etc/passwd',
    'https://login.example?a',
    'https://login.example#a',
  ])('refuses the issuer %s', async (issuer) => {
    await expect(init('gateway', 'issued', { issuer })).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('keeps a quote in the audience inside its YAML string', async () => {
    const target = await init('gateway', 'quoted', { audience: "it's ours" });
    expect(await readFile(join(target, 'gateway.yaml'), 'utf8')).toContain("audience: 'it''s ours'");
  });
});

/** Gives a starter its packages, as they are published, and checks that these are what it asks for. */
async function install(target: string): Promise<void> {
  await useModulesOf(await sharedProject(), target);
  // It exits with an error where one is missing, or not in the version that is asked for.
  await npm(['ls', '--depth=0'], target);
}

const programs = new Programs();
afterAll(() => programs.stopAll());

/** Runs a script of the starter's package.json, as npm would. */
async function run(
  target: string,
  script: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Program> {
  const command = (await scriptsOf(target))[script];
  if (command === undefined) throw new Error(`the starter has no script ${script}`);
  const path = `${join(target, 'node_modules/.bin')}${delimiter}${process.env.PATH ?? ''}`;
  return programs.run('sh', ['-c', `exec ${command}`], target, { ...env, PATH: path });
}

async function start(target: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
  await programs.ready(await run(target, 'start', env), /http:\/\/127\.0\.0\.1:\d+/);
}

async function replaceIn(file: string, from: string, to: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  expect(text).toContain(from);
  await writeFile(file, text.replaceAll(from, to));
}

async function ask(
  port: number,
  query: string,
  token?: string,
): Promise<{ data: unknown; errors?: unknown }> {
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query }),
  });
  return (await response.json()) as { data: unknown; errors?: unknown };
}

describe('the starters, with the packages as they are published', () => {
  it('a gateway without an issuer names the missing variable', { timeout: 480_000 }, async () => {
    const target = await init('gateway', 'no-issuer');
    await install(target);
    const { ended, output } = await run(target, 'start');
    expect(await ended).toBe(1);
    expect(output()).toContain('issuers[0].issuer: the environment has no BEHALF_ISSUER');
    expect(output()).not.toMatch(/^\s+at /m);
  });

  it('together grant one field, mask another and deny a third', { timeout: 480_000 }, async () => {
    const issuer = await TestIssuer.start();
    try {
      const [subgraphPort, gatewayPort] = await Promise.all([freePort(), freePort()]);
      const subgraph = await init('subgraph', 'notes');
      await install(subgraph);
      await start(subgraph, {
        PORT: String(subgraphPort),
        GATEWAY_ISSUER: `http://127.0.0.1:${gatewayPort}`,
      });

      const gateway = await init('gateway', 'gateway', {
        issuer: issuer.url,
        audience: 'https://api.example',
      });
      await install(gateway);
      await replaceIn(join(gateway, 'gateway.yaml'), 'port: 4000', `port: ${gatewayPort}`);
      await replaceIn(join(gateway, 'supergraph.yaml'), '127.0.0.1:4001', `127.0.0.1:${subgraphPort}`);
      for (const script of ['compose', 'lint']) {
        const { ended, output } = await run(gateway, script);
        expect(await ended, output()).toBe(0);
      }
      await start(gateway);

      const anonymous = await ask(gatewayPort, '{ greeting myNotes { text } }');
      expect(anonymous.data).toEqual({ greeting: 'Hello', myNotes: null });
      const token = await issuer.mint({ aud: 'https://api.example', sub: 'alice', scope: 'notes:read' });
      const answer = await ask(gatewayPort, '{ myNotes { text sharedWith location } }', token);
      expect(answer.data).toEqual({
        myNotes: [
          {
            text: 'Buy milk',
            sharedWith: '***@example.net',
            location: null,
          },
        ],
      });
      expect(answer.errors).toMatchObject([
        { path: ['myNotes', 0, 'location'], extensions: { code: 'UNAUTHORIZED_FIELD_OR_TYPE' } },
      ]);
    } finally {
      await issuer.close();
    }
  });
});
