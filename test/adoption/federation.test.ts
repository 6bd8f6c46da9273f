import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { projectPath } from '../../subgraphs/bank/shared/project-path.js';
import { freePort } from '../../subgraphs/bank/start/free-port.js';
import { sharedProject, useModulesOf } from '../support/packed.js';
import { Programs } from '../support/programs.js';
import type { Program } from '../support/programs.js';
import { applyChange, changedStatements, documentedSteps } from './changes.js';
import type { Step } from './changes.js';
import { ask, bearer, errorCodes, Recorder, withPorts } from './support.js';
import type { Answer, Ports } from './support.js';

// A stock federation outside the repository, with the packages as they are published. The changes of docs/how-to/adopt.md are
// applied to it one by one; the tests build on each other.

const EXAMPLE = projectPath('test/adoption/federation');
const INSTALL_TIMEOUT_MS = 480_000;

const ALMA = { id: 'alma', name: 'Alma Lind', phone: '+358 40 123 4567', birthDate: '1990-05-06' };
const BERT = { id: 'bert', name: 'Bert Holm', phone: '+358 50 765 4321', birthDate: '1985-11-23' };
const EVERYBODY = '{ people { id name phone birthDate } }';
const ORDERS = '{ myOrders { id buyer { name } } }';

/** The files as the reader has them at this step, with the ports of the page. */
const files = new Map<string, string>();
const programs = new Programs();
const running = new Map<string, Program>();
let steps: readonly Step[];
let folder: string;
let ports: Ports;
let people: Recorder;
let orders: Recorder;
/** The gateway reaches the subgraphs through the recorders. */
let portsOfGateway: Ports;

beforeAll(async () => {
  steps = await documentedSteps();
  folder = await mkdtemp(join(tmpdir(), 'behalf-adoption-'));
  await useModulesOf(await sharedProject(), folder);
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  for (const name of await readdir(join(EXAMPLE, 'stock')))
    files.set(name, await readFile(join(EXAMPLE, 'stock', name), 'utf8'));
  files.set('issuer.js', await readFile(join(EXAMPLE, 'issuer.js'), 'utf8'));

  const [gateway, first, second, issuer] = await Promise.all([1, 2, 3, 4].map(() => freePort()));
  ports = { gateway, first, second, issuer } as Ports;
  people = new Recorder(ports.first);
  orders = new Recorder(ports.second);
  portsOfGateway = { ...ports, first: await people.listen(), second: await orders.listen() };
  await write();
  await Promise.all([start('issuer.js'), start('people.js'), start('orders.js')]);
  await start('gateway.js');
}, INSTALL_TIMEOUT_MS);

afterAll(async () => {
  await programs.stopAll();
  await people.close();
  await orders.close();
  await rm(folder, { recursive: true, force: true });
});

async function write(): Promise<void> {
  for (const [name, text] of files)
    await writeFile(join(folder, name), withPorts(text, name === 'gateway.js' ? portsOfGateway : ports));
}

/** Starts a program of the example, or starts it again. */
async function start(name: string): Promise<void> {
  const before = running.get(name);
  if (before !== undefined) await programs.stop(before);
  const program = programs.run(process.execPath, [name], folder, { NODE_ENV: 'production' });
  running.set(name, await programs.ready(program, /^\w+: http/m));
}

/** Applies the next step of the page, and restarts what it changes: subgraphs first. */
async function apply(title: string): Promise<Step> {
  const [step, ...later] = steps;
  if (step?.title !== title) throw new Error(`the next step is ${step?.title ?? 'none'}, not ${title}`);
  steps = later;
  for (const change of step.changes)
    files.set(change.file, applyChange(files.get(change.file) ?? '', change));
  await write();
  if (step.changes.some(({ file }) => file.startsWith('people'))) await start('people.js');
  await start('gateway.js');
  people.take();
  orders.take();
  return step;
}

function gateway(query: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return ask(`http://127.0.0.1:${ports.gateway}/graphql`, query, headers);
}

const token = (sub: string, scope = ''): ReturnType<typeof bearer> => bearer(ports, { sub, scope });

it('before: everything is answered to anybody, and a header says who they are', async () => {
  expect((await gateway(EVERYBODY)).data).toEqual({ people: [ALMA, BERT] });
  expect((await gateway(EVERYBODY, { authorization: 'Bearer forged' })).data).toEqual({
    people: [ALMA, BERT],
  });
  const { data } = await gateway(ORDERS, { 'x-user-id': 'bert' });
  expect(data).toEqual({ myOrders: [{ id: 'o-2', buyer: { name: 'Bert Holm' } }] });
});

it('a wrapped gateway refuses an invalid token, and forwards nothing of the client', async () => {
  await apply('Wrap the gateway');
  expect((await gateway(EVERYBODY)).data).toEqual({ people: [ALMA, BERT] });
  expect((await gateway(EVERYBODY, await token('alma'))).data).toEqual({ people: [ALMA, BERT] });
  const refused = await gateway(EVERYBODY, { authorization: 'Bearer forged' });
  expect([refused.status, errorCodes(refused)]).toEqual([401, ['INVALID_TOKEN']]);
  expect(refused.data ?? null).toBeNull();

  expect((await gateway(ORDERS, { 'x-user-id': 'bert' })).data).toEqual({ myOrders: [] });
  expect(JSON.stringify(orders.take())).not.toContain('bert');
  const log = running.get('gateway.js')?.output() ?? '';
  for (const code of ['SUBGRAPH_UNPROTECTED', 'AUDIT_OFF', 'REVOCATION_OFF']) expect(log).toContain(code);
});

it('an unprotected subgraph hears from the gateway who is asking', async () => {
  await apply('Say who is asking');
  const { data } = await gateway(ORDERS, { ...(await token('alma')), 'x-user-id': 'bert' });
  expect(data).toEqual({ myOrders: [{ id: 'o-1', buyer: { name: 'Alma Lind' } }] });
  const [asked] = orders.take();
  expect(asked?.headers).toMatchObject({ 'x-user-id': 'alma' });
  expect(asked?.headers).not.toHaveProperty('authorization');
  expect((await gateway(ORDERS, { 'x-user-id': 'bert' })).data).toEqual({ myOrders: [] });
});

it('a context function refuses before the operation is read', async () => {
  const forged = { authorization: 'Bearer forged' };
  expect(errorCodes(await gateway('{ nothing }', forged))).toEqual(['GRAPHQL_VALIDATION_FAILED']);
  await apply('Refuse before an operation is read');
  const refused = await gateway('{ nothing }', forged);
  expect([refused.status, errorCodes(refused)]).toEqual([401, ['INVALID_TOKEN']]);
  expect(refused.headers.get('www-authenticate')).toContain('error="invalid_token"');
  expect((await gateway(ORDERS, await token('alma'))).data).toMatchObject({ myOrders: [{ id: 'o-1' }] });
});

it('the gateway’s public keys are served', async () => {
  const address = `http://127.0.0.1:${ports.gateway}/.well-known/jwks.json`;
  expect((await fetch(address)).status).toBe(404);
  await apply("Serve the gateway's keys");
  const { keys } = (await (await fetch(address)).json()) as { keys: Record<string, unknown>[] };
  expect(keys.length).toBeGreaterThan(0);
  for (const key of keys) expect(key).not.toHaveProperty('d');
});

it('a protected subgraph gives partial data, and the gateway keeps its rules', async () => {
  const { answer } = await apply('Protect the first subgraph');
  const alma = await token('alma', 'people:read');
  const { data, errors } = await gateway('{ people { name birthDate } }', alma);
  expect({ data, errors }).toEqual(answer);
  // IntrospectAndCompose kept the rule: the subgraph was not asked for what is denied.
  const asked = people.take();
  expect(asked.length).toBeGreaterThan(0);
  expect(JSON.stringify(asked)).not.toContain('birthDate');
  expect(asked[0]?.headers).toHaveProperty('txn-token');
  expect(asked[0]?.headers).not.toHaveProperty('authorization');

  const all = await gateway(EVERYBODY, await token('alma', 'people:read people:birthdate'));
  expect(all.data).toEqual({ people: [ALMA, BERT] });
  const joined = await gateway(ORDERS, alma);
  expect(joined.data).toEqual({ myOrders: [{ id: 'o-1', buyer: { name: 'Alma Lind' } }] });
  const anonymous = await gateway(EVERYBODY);
  expect(anonymous.data).toEqual({ people: null });
  expect(errorCodes(anonymous)).toEqual(['people UNAUTHORIZED_FIELD_OR_TYPE']);
});

it('whoever goes around the gateway gets nothing of a protected subgraph', async () => {
  const around = `http://127.0.0.1:${ports.first}`;
  expect((await ask(around, EVERYBODY, await token('alma', 'people:read'))).data).toEqual({ people: null });
  const entity =
    '{ _entities(representations: [{ __typename: "Person", id: "alma" }]) { ... on Person { id name } } }';
  expect((await ask(around, entity)).data).toEqual({ _entities: [{ id: 'alma', name: null }] });
});

it('a minimized field shows less than the whole value', async () => {
  await apply('Show less than the whole value');
  const query = '{ people { phone } }';
  expect((await gateway(query, await token('alma', 'people:read'))).data).toEqual({
    people: [{ phone: '***4567' }, { phone: '***4321' }],
  });
  expect((await gateway(query, await token('alma', 'people:read people:contact'))).data).toEqual({
    people: [{ phone: ALMA.phone }, { phone: BERT.phone }],
  });
});

it('rows with a subject are for that person alone', async () => {
  await apply('Keep rows to the person they belong to');
  const alma = await token('alma', 'people:read');
  expect(await gateway('{ people { name } }', alma)).toMatchObject({
    data: { people: [{ name: ALMA.name }] },
  });
  expect((await gateway(ORDERS, alma)).data).toEqual({
    myOrders: [{ id: 'o-1', buyer: { name: 'Alma Lind' } }],
  });
  expect(running.get('people.js')?.output()).toContain('FOREIGN_ROWS');
});

it('after all steps the files are those of the example', async () => {
  expect(steps).toEqual([]);
  for (const name of await readdir(join(EXAMPLE, 'protected')))
    expect(files.get(name), name).toBe(await readFile(join(EXAMPLE, 'protected', name), 'utf8'));
});

it('that took at most 5 statements at the gateway, and 10 in the subgraph', async () => {
  const changed: Record<string, number> = {};
  for (const [name, text] of files) {
    if (name === 'issuer.js') continue;
    changed[name] = changedStatements(name, await readFile(join(EXAMPLE, 'stock', name), 'utf8'), text);
  }
  // The page says these numbers.
  expect(changed).toEqual({
    'gateway.js': 5,
    'people.js': 5,
    'people.graphql': 3,
    'orders.js': 0,
    'orders.graphql': 0,
  });
});
