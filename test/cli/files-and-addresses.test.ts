import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectPath } from '@behalf/example/internal';
import { networkReason } from '../../gateway/http/network-reason.js';
import { readText } from '../../cli/read-text.js';
import { makeCertificate } from '../gateway/certificates.js';
import { behalf } from './support.js';

let folder: string;
let missing: string;
let supergraph: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-files-'));
  missing = join(folder, 'missing.file');
  supergraph = join(folder, 'supergraph.graphql');
  await writeFile(supergraph, 'type Query { a: Int }');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A `supergraph.yaml` with one subgraph, whose schema is there. */
async function federation(schema: string): Promise<string> {
  const file = join(folder, 'supergraph.yaml');
  await writeFile(
    file,
    `subgraphs:\n  people:\n    routing_url: http://127.0.0.1:4001/\n    schema: { ${schema} }\n`,
  );
  return file;
}

it.each([['--version'], ['-V']])('%s prints the version of the package', async (flag) => {
  const { version } = JSON.parse(await readFile(projectPath('cli/package.json'), 'utf8')) as {
    version: string;
  };
  expect(await behalf([flag])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

it('compose names an output that cannot be written', async () => {
  const schema = join(folder, 'people.graphql');
  await writeFile(schema, 'type Query { a: Int }');
  const config = await federation(`file: ${schema}`);
  const out = join(missing, 'supergraph.graphql');
  const { code, stderr } = await behalf(['compose', '--config', config, '--out', out]);
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: `FILE_UNWRITABLE: ${out} cannot be written: ENOENT\n`,
  });
});

describe('a missing file has one code and its name in every command: ', () => {
  it.each<[string, () => readonly string[] | Promise<readonly string[]>]>([
    ['gateway', () => ['gateway', '--config', missing]],
    ['compose', () => ['compose', '--config', missing]],
    ['compose, of a schema', async () => ['compose', '--config', await federation(`file: ${missing}`)]],
    ['lint', () => ['lint', '--config', missing]],
    ['lint, of a supergraph', () => ['lint', '--supergraph', missing]],
    ['lint, of the policy', () => ['lint', '--supergraph', supergraph, '--policy', missing]],
    ['explain', () => ['explain', missing, '--supergraph', supergraph]],
    ['explain, of a token', () => ['explain', supergraph, '--token', `@${missing}`]],
    ['diff', () => ['diff', missing, missing]],
    ['policies', () => ['policies', '--supergraph', missing]],
    ['clients add', () => ['clients', 'add', 'app', '--file', missing]],
  ])('%s', async (_, args) => {
    const { code, stderr } = await behalf(await args());
    expect(stderr).toMatch(/^FILE_UNREADABLE: [^\n]*\n$/);
    expect(stderr).toContain(`${missing} cannot be read: there is no such file (ENOENT)`);
    expect(code).toBeGreaterThan(0);
  });
});

describe('a file cannot be read', () => {
  it('if it is a folder', async () => {
    await mkdir(join(folder, 'folder'));
    await expect(readText(join(folder, 'folder'))).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: `${join(folder, 'folder')} cannot be read: it is a folder (EISDIR)`,
    });
  });

  it('if it is not UTF-8, of which half would be replaced', async () => {
    const file = join(folder, 'latin1');
    await writeFile(file, Buffer.from('type Query { é: Int }', 'latin1'));
    await expect(readText(file)).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: `${file} cannot be read: it is not UTF-8 text`,
    });
  });

  it('if that is not permitted', async () => {
    const file = join(folder, 'secret');
    await writeFile(file, '');
    await chmod(file, 0o000);
    await asSomebodyElse(() =>
      expect(readText(file)).rejects.toMatchObject({
        code: 'FILE_UNREADABLE',
        message: `${file} cannot be read: permission denied (EACCES)`,
      }),
    );
  });
});

/** The superuser may read everything, so a test that runs as root becomes somebody else for a moment. */
async function asSomebodyElse(action: () => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0) return action();
  await chmod(folder, 0o755);
  process.seteuid?.(65_534);
  try {
    await action();
  } finally {
    process.seteuid?.(0);
  }
}

describe('an address that does not answer', () => {
  const servers: Server[] = [];
  afterAll(() => Promise.all(servers.map((server) => new Promise((done) => server.close(done)))));

  async function portOf(server: Server): Promise<number> {
    servers.push(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return (server.address() as { port: number }).port;
  }

  it('is named by compose, with the reason', async () => {
    const { keyPem, pem } = await makeCertificate('self-signed');
    const closed = await portOf(createServer());
    await new Promise((done) => servers.pop()?.close(done));
    const plain = await portOf(createServer((_request, response) => response.writeHead(404).end('<html>')));
    const tls = await portOf(createTlsServer({ key: keyPem, cert: pem }));
    for (const [url, reason] of [
      [`http://127.0.0.1:${closed}/`, 'nothing listens there (ECONNREFUSED)'],
      [`http://127.0.0.1:${plain}/`, 'the answer is not JSON (HTTP status 404)'],
      [`https://127.0.0.1:${plain}/`, 'the server does not speak TLS there (ERR_SSL_WRONG_VERSION_NUMBER)'],
      [
        `https://127.0.0.1:${tls}/`,
        'its certificate is self-signed, and not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)',
      ],
    ]) {
      const config = await federation(`subgraph_url: "${url}"`);
      const { code, stderr } = await behalf(['compose', '--config', config]);
      expect(stderr).toBe(`COMPOSE_SCHEMA_UNREADABLE: [people] ${url}: ${reason}\n`);
      expect(code).toBe(1);
    }
  });

  const failed = (cause: unknown): Error => new TypeError('fetch failed', { cause });
  const coded = (code: string): Error => Object.assign(new Error('quotes an address'), { code });
  it.each<[string, unknown]>([
    ['nothing listens there (ECONNREFUSED)', failed(coded('ECONNREFUSED'))],
    [
      'nothing listens there (ECONNREFUSED)',
      failed(Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })),
    ],
    ['the host name is unknown (ENOTFOUND)', failed(coded('ENOTFOUND'))],
    ['the name server does not answer (EAI_AGAIN)', failed(coded('EAI_AGAIN'))],
    ['the connection was closed (ECONNRESET)', failed(coded('ECONNRESET'))],
    ['its certificate has expired (CERT_HAS_EXPIRED)', failed(coded('CERT_HAS_EXPIRED'))],
    [
      'its certificate is for another host (ERR_TLS_CERT_ALTNAME_INVALID)',
      failed(coded('ERR_TLS_CERT_ALTNAME_INVALID')),
    ],
    ['it does not answer in time (TimeoutError)', new DOMException('aborted', 'TimeoutError')],
    ['it does not answer in time (UND_ERR_CONNECT_TIMEOUT)', failed(coded('UND_ERR_CONNECT_TIMEOUT'))],
    ['there is no answer (EWEIRD)', failed(coded('EWEIRD'))],
    ['there is no answer', failed(undefined)],
  ])('says why: %s', (reason, error) => {
    expect(networkReason(error)).toBe(reason);
  });
});
