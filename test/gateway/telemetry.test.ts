import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { Cleanup, compose, TestIssuer, TestSubgraph } from './support.js';
import { projectPath } from '@behalf/example/internal';

const cleanup = new Cleanup();
afterAll(() => cleanup.run());

it('nothing is sent elsewhere: no usage metrics, no cloud metadata lookup', async () => {
  const issuer = await TestIssuer.start();
  const people = await TestSubgraph.start('people');
  const folder = await mkdtemp(join(tmpdir(), 'behalf-telemetry-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  const supergraph = join(folder, 'supergraph.graphql');
  await writeFile(supergraph, compose(people));

  const { APOLLO_TELEMETRY_DISABLED: _off, VITEST: _vitest, ...environment } = process.env;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      projectPath('test', 'dist', 'gateway', 'telemetry-child.js'),
      supergraph,
      issuer.url,
      await issuer.mint(),
      // As it is installed and run: the built files in their own process.
      pathToFileURL(projectPath('gateway', 'dist', 'index.js')).href,
    ],
    { env: { ...environment, NODE_ENV: 'production' } },
  );
  const { answer, reached } = JSON.parse(stdout) as { answer: string; reached: string[] };
  expect(JSON.parse(answer)).toEqual({ data: { hello: 'hello world' } });
  // The recorder works: the issuer, the subgraph and the gateway itself were reached.
  expect(reached.length).toBeGreaterThan(2);
  expect(reached.filter((entry) => !/ (127\.0\.0\.1|localhost)$/.test(entry))).toEqual([]);
});
