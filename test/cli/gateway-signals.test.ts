import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectPath } from '../../subgraphs/bank/shared/project-path.js';
import { AUDIENCE, Cleanup, compose, send, TestIssuer, TestSubgraph, until } from '../gateway/support.js';
import { Programs } from '../support/programs.js';
import type { Program } from '../support/programs.js';

const cleanup = new Cleanup();
const programs = new Programs();
let config: string;

beforeAll(async () => {
  const issuer = await TestIssuer.start();
  const people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  const folder = await mkdtemp(join(tmpdir(), 'behalf-signals-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'supergraph.graphql'), compose(people));
  config = join(folder, 'gateway.json');
  const content = {
    listen: { port: 0 },
    supergraph: './supergraph.graphql',
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    // Longer than any test: only the signals of the test end it.
    shutdown: { notReadyMs: 600_000 },
  };
  await writeFile(config, JSON.stringify(content));
  cleanup.add(() => programs.stopAll());
});
afterAll(() => cleanup.run());

async function start(): Promise<{ readonly program: Program; readonly url: string }> {
  const bin = projectPath('cli/bin.js');
  const program = programs.run(process.execPath, [bin, 'gateway', '--config', config], projectPath('.'));
  await programs.ready(program, /gateway {2}http/);
  const url = /gateway {2}(http:\/\/[^/\s]+)/.exec(program.output())?.[1] ?? '';
  return { program, url };
}

async function isDraining(url: string): Promise<boolean> {
  const { status, text } = await send(`${url}/health/ready`, '', {}, 'GET');
  return status === 503 && text.includes('"notReady":["DRAINING"]');
}

describe('behalf gateway', { timeout: 120_000 }, () => {
  it('says at SIGTERM that it is not ready, and still answers', async () => {
    const { program, url } = await start();
    expect((await send(`${url}/health/ready`, '', {}, 'GET')).status).toBe(200);
    program.child.kill('SIGTERM');
    await until(() => isDraining(url), 'it says so', 30_000);
    const answer = await send(`${url}/graphql`, '{"query":"{ hello }"}', {
      'content-type': 'application/json',
    });
    expect(answer.body.data).toEqual({ hello: 'hello world' });
    expect((await send(`${url}/health/live`, '', {}, 'GET')).status).toBe(200);
    program.child.kill('SIGINT');
    expect(await program.ended).toBe(0);
  });

  it('ends at SIGINT without waiting for load balancers', async () => {
    const { program, url } = await start();
    program.child.kill('SIGINT');
    expect(await program.ended).toBe(0);
    await expect(send(`${url}/health/live`, '', {}, 'GET')).rejects.toThrow('ECONNREFUSED');
  });
});
