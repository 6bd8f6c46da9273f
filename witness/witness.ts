import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseLogs } from '@behalf/audit-verify/internal';
import { BodyError, Connections, isGetOrHead, listen, readBody } from '@behalf/http';
import { aPort, aText, optionProblem, requestTarget } from '@behalf/http/internal';
import type { OptionTest } from '@behalf/http/internal';
import { addCheckpoint } from './add-checkpoint.js';
import type { WitnessParts } from './add-checkpoint.js';
import { Cosigner } from './cosigner.js';
import { WitnessError } from './errors.js';
import { WitnessMemory } from './memory.js';

/** Room for 63 hashes, a checkpoint, and a hundred signatures of post-quantum size. */
const MAX_BODY_BYTES = 512 * 1024;
const BODY_TIMEOUT_MS = 10_000;
/** Requests that wait for the one before them. More are told to come again. */
const MAX_WAITING = 100;
const MONITOR_PATH = /^\/([0-9a-f]{64})\/checkpoint$/;
const TEXT = 'text/plain; charset=utf-8';

/** The options of {@link startWitness}. */
export interface WitnessOptions {
  /** The name under which it cosigns, such as `witness.example/w1`. */
  readonly name: string;
  /** File of its private key (PEM); made if it is missing. */
  readonly keyFile: string;
  /** The logs that it cosigns: the `log` lines of a C2SP tlog-policy. Its other lines are not needed. */
  readonly policy: string;
  /**
   * Folder of what it remembers; made if it is missing. Losing it means that it could cosign a log that was cut off. It belongs to
   * the key: another key begins with another folder. Two processes may have it while one replaces the other.
   */
  readonly stateFolder: string;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0: any free port. */
  readonly port: number;
  /** Milliseconds since the epoch, for the time of a cosignature. */
  readonly now: () => number;
}

const aFunction: OptionTest = { isUsable: (value) => typeof value === 'function', words: 'a function' };
const OPTIONS: Readonly<Record<keyof WitnessOptions, OptionTest>> = {
  // Its other rules have a code of their own.
  name: { isUsable: (value) => typeof value === 'string', words: 'a text' },
  keyFile: aText,
  policy: aText,
  stateFolder: aText,
  host: aText,
  port: aPort,
  now: aFunction,
};

/** @throws {WitnessError} `WITNESS_OPTION_INVALID` */
function checkOptions(options: unknown): void {
  const required = Object.keys(OPTIONS).filter((key) => key !== 'host');
  const problem = optionProblem(options, OPTIONS, required);
  if (problem !== undefined) throw new WitnessError('WITNESS_OPTION_INVALID', problem);
}

/** A running witness. */
export interface RunningWitness {
  /** Its submission prefix and monitoring prefix. */
  readonly url: string;
  /** The key as logs and verifiers trust it. */
  readonly verifierKey: string;
  close(): Promise<void>;
}

/**
 * Starts a witness (C2SP tlog-witness v1.0.0): `POST /add-checkpoint`, and `GET /<origin hash>/checkpoint` for monitors.
 *
 * @throws {WitnessError}, VerificationError for the policy, ListenError
 *
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs';
 * import { startWitness } from '@behalf/witness';
 *
 * const witness = await startWitness({
 *   name: 'witness.example/w1',
 *   keyFile: 'witness-key.pem',
 *   policy: readFileSync('logs.policy', 'utf8'),
 *   stateFolder: 'witness-state',
 *   port: 7380,
 *   now: () => Date.now(),
 * });
 * console.log(`witness W1 ${witness.verifierKey} ${witness.url}`);
 * ```
 */
export async function startWitness(options: WitnessOptions): Promise<RunningWitness> {
  checkOptions(options);
  const { host = '127.0.0.1', keyFile, name, now, port, stateFolder } = options;
  const policy = parseLogs(options.policy);
  const cosigner = await Cosigner.load(name, keyFile, await WitnessMemory.isEmpty(stateFolder));
  const memory = await WitnessMemory.open(stateFolder, cosigner);
  const witness = new Witness({ policy, cosigner, memory, now });
  const server = createServer((request, response) => void witness.answer(request, response));
  const connections = new Connections(server);
  const { origin } = await listen(server, host, port);
  return { url: origin, verifierKey: cosigner.verifierKey, close: () => connections.close() };
}

class Witness {
  readonly #parts: WitnessParts;
  /** One after the other: a smaller checkpoint must never be stored over a larger one. */
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(parts: WitnessParts) {
    this.#parts = parts;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#route(request, response);
    } catch (error) {
      const status = error instanceof BodyError ? error.status : 500;
      send(
        response,
        status,
        status === 500 ? 'the checkpoint could not be stored\n' : 'the request was not read\n',
        {
          connection: 'close',
        },
      );
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { path } = requestTarget(request);
    if (path === '/add-checkpoint') {
      if (request.method !== 'POST') {
        send(response, 405, 'POST a checkpoint\n', { allow: 'POST', connection: 'close' });
        return;
      }
      const body = await readBody(request, { maxBytes: MAX_BODY_BYTES, timeoutMs: BODY_TIMEOUT_MS });
      const answer = await this.#inTurn(() => addCheckpoint(body.toString('utf8'), this.#parts));
      if (answer === undefined) send(response, 503, 'too many requests wait\n', { 'retry-after': '1' });
      else send(response, answer.status, answer.body, { 'content-type': answer.contentType });
      return;
    }
    if (!isGetOrHead(request)) {
      send(response, 405, 'GET a checkpoint\n', { allow: 'GET, HEAD', connection: 'close' });
      return;
    }
    const hash = MONITOR_PATH.exec(path)?.[1];
    const last = hash === undefined ? undefined : await this.#parts.memory.byOriginHash(hash);
    if (last === undefined) send(response, 404, 'no checkpoint of that log was cosigned\n');
    else send(response, 200, last.text, { 'cache-control': 'no-store' });
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (this.#waiting >= MAX_WAITING) return undefined;
    this.#waiting += 1;
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
    }
  }
}

function send(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent) return;
  response.writeHead(status, {
    'content-type': TEXT,
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
