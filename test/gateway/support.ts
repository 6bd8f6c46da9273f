import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest } from 'node:http';
import type {
  IncomingHttpHeaders,
  IncomingMessage,
  OutgoingHttpHeaders,
  Server,
  ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApolloServer, HeaderMap } from '@apollo/server';
import { buildSubgraphSchema, type GraphQLResolverMap } from '@apollo/subgraph';
import { buildProtectedSubgraph, protectedContext, protectedSubgraphPlugin } from '@behalf/directives';
import { completeSubgraph } from '@behalf/directives/internal';
import type { ProtectedSubgraphOptions } from '@behalf/directives';
import { parse } from 'graphql';
import type { GraphQLSchema } from 'graphql';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey, JWK, JWTPayload } from 'jose';
import { accountsSdl, peopleSdl, resolvers } from './domain.js';
// A stock server of today does not start with another prefix for federation's elements.
import { withFederationNamespace } from '../../directives/src/specification/federation-namespace.js';
import { composeSupergraph } from '../../gateway/compose/compose.js';
import { freePort } from '../../subgraphs/bank/start/free-port.js';
import { startGateway } from '../../gateway/index.js';
import type { GatewayConfig, GatewayLog, GatewayOverrides, RunningGateway } from '../../gateway/index.js';

export const AUDIENCE = 'https://api.bank.example';
/** The challenge to a caller without credentials: both schemes, and no error (RFC 6750 section 3). */
export const BOTH_SCHEMES =
  /^Bearer(?: resource_metadata="[^"]+")?, DPoP algs="[^"]+"(?:, resource_metadata="[^"]+")?$/;

/** What was started in a test, closed in the opposite order. */
export class Cleanup {
  readonly #tasks: (() => unknown)[] = [];

  add(task: () => unknown): void {
    this.#tasks.push(task);
  }

  async run(): Promise<void> {
    for (const task of this.#tasks.splice(0).reverse()) await task();
  }
}

export interface Listening {
  readonly url: string;
  readonly server: Server;
  close(): Promise<void>;
}

/** A real HTTP server on a port of the system's choice, or on the one that is given. */
export async function listen(
  handler: (request: IncomingMessage, response: ServerResponse) => unknown,
  port = 0,
): Promise<Listening> {
  const server = createServer((request, response) => void handler(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

export interface IssuerKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

let keyCount = 0;

export async function makeKey(alg = 'ES256'): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  keyCount += 1;
  const kid = `key-${keyCount}`;
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

export interface Minting {
  readonly key?: IssuerKey;
  readonly header?: Readonly<Record<string, unknown>>;
}

/** An issuer with a metadata document and a key set over real HTTP. */
export class TestIssuer {
  keys: IssuerKey[] = [];
  /** Requests of the key set, and of the metadata. */
  keyRequests = 0;
  metadataRequests = 0;
  /** What the key set's endpoint does. */
  mode: 'up' | 'error' | 'html' = 'up';
  #listening!: Listening;

  static async start(alg = 'ES256'): Promise<TestIssuer> {
    const issuer = new TestIssuer();
    issuer.keys = [await makeKey(alg)];
    issuer.#listening = await listen((request, response) => issuer.#answer(request, response));
    return issuer;
  }

  get url(): string {
    return this.#listening.url;
  }

  close(): Promise<void> {
    return this.#listening.close();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (request.url === '/.well-known/openid-configuration') {
      this.metadataRequests += 1;
      sendJson(response, 200, { issuer: this.url, jwks_uri: `${this.url}/jwks` });
    } else if (request.url === '/jwks') {
      this.keyRequests += 1;
      if (this.mode === 'error') sendJson(response, 500, {});
      else if (this.mode === 'html') {
        response.writeHead(200, { 'content-type': 'text/html' });
        response.end('<p>try later</p>');
      } else sendJson(response, 200, { keys: this.keys.map(({ publicJwk }) => publicJwk) });
    } else sendJson(response, 404, {});
  }

  /** Claims of a good token; a member that is undefined is left out. */
  claims(more: Readonly<Record<string, unknown>> = {}): JWTPayload {
    const now = Math.floor(Date.now() / 1000);
    return {
      iss: this.url,
      aud: AUDIENCE,
      sub: 'c-000001',
      client_id: 'budget-app',
      scope: '',
      jti: crypto.randomUUID(),
      iat: now,
      exp: now + 300,
      ...more,
    };
  }

  mint(more: Readonly<Record<string, unknown>> = {}, { key, header }: Minting = {}): Promise<string> {
    const signer = key ?? this.keys.at(-1);
    if (signer === undefined) throw new Error('the issuer has no key');
    return new SignJWT(this.claims(more))
      .setProtectedHeader({ alg: signer.alg, kid: signer.kid, typ: 'at+jwt', ...header })
      .sign(signer.privateKey);
  }
}

export interface Recorded {
  readonly headers: IncomingHttpHeaders;
  readonly query: string;
  readonly variables: unknown;
  readonly text: string;
}

/** A subgraph over real HTTP that remembers what reached it. */
export class TestSubgraph {
  readonly requests: Recorded[] = [];
  /** Answers instead of the subgraph. */
  instead: ((request: IncomingMessage, response: ServerResponse) => unknown) | undefined;

  readonly #listening: Listening;
  readonly #apollo: ApolloServer;

  private constructor(
    readonly name: string,
    readonly sdl: string,
    listening: Listening,
    apollo: ApolloServer,
  ) {
    this.#listening = listening;
    this.#apollo = apollo;
  }

  get url(): string {
    return `${this.#listening.url}/graphql`;
  }

  /** Every query that reached it, in one text. */
  get queries(): string {
    return this.requests.map(({ query }) => query).join('\n');
  }

  async close(): Promise<void> {
    await this.#listening.close();
    await this.#apollo.stop();
  }

  /** @param gateway With it the subgraph is a protected one, that believes this gateway. */
  static async start(
    name: string,
    gateway?: ProtectedSubgraphOptions['gateway'],
    sdl = name === 'people' ? peopleSdl : accountsSdl,
    more: Partial<ProtectedSubgraphOptions> = {},
  ): Promise<TestSubgraph> {
    const own = more.resolvers ?? (name === 'people' ? resolvers.people : resolvers.accounts);
    const schema: GraphQLSchema =
      gateway === undefined
        ? buildSubgraphSchema([
            {
              typeDefs: completeSubgraph(withFederationNamespace(parse(sdl))),
              resolvers: own as GraphQLResolverMap,
            },
          ])
        : buildProtectedSubgraph({
            name,
            typeDefs: sdl,
            gateway,
            coverage: 'open',
            ...more,
            resolvers: own,
          });
    const apollo = new ApolloServer({
      schema,
      plugins: gateway === undefined ? [] : [protectedSubgraphPlugin(schema)],
      stopOnTerminationSignals: false,
      logger: quiet,
    });
    await apollo.start();
    const listening = await listen(async (request, response) => {
      const text = await bodyOf(request);
      const body = JSON.parse(text) as { query: string; variables?: unknown };
      subgraph.requests.push({
        headers: request.headers,
        query: body.query,
        variables: body.variables,
        text: `${JSON.stringify(request.rawHeaders)} ${text}`,
      });
      if (subgraph.instead !== undefined) {
        await subgraph.instead(request, response);
        return;
      }
      const headers = new HeaderMap();
      for (const [header, value] of Object.entries(request.headers)) headers.set(header, String(value));
      const answer = await apollo.executeHTTPGraphQLRequest({
        httpGraphQLRequest: { method: 'POST', headers, search: '', body },
        context: async () => (gateway === undefined ? {} : protectedContext(schema, request.headers, body)),
      });
      for (const [header, value] of answer.headers) response.setHeader(header, value);
      response.statusCode = answer.status ?? 200;
      response.end(answer.body.kind === 'complete' ? answer.body.string : '');
    });
    const subgraph = new TestSubgraph(name, sdl, listening, apollo);
    return subgraph;
  }
}

const quiet = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export function compose(...subgraphs: readonly TestSubgraph[]): string {
  return composeSupergraph(subgraphs.map(({ name, url, sdl }) => ({ name, url, sdl })));
}

export interface Logged {
  readonly level: string;
  readonly code: string;
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

export class TestLog implements GatewayLog {
  readonly entries: Logged[] = [];

  log(level: string, code: string, facts: Readonly<Record<string, string | number | boolean>> = {}): void {
    this.entries.push({ level, code, facts });
  }

  codes(): string[] {
    return this.entries.map(({ code }) => code);
  }

  /** Facts of every entry with this code. */
  of(code: string): Readonly<Record<string, string | number | boolean>>[] {
    return this.entries.filter((entry) => entry.code === code).map(({ facts }) => facts);
  }

  get text(): string {
    return JSON.stringify(this.entries);
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: {
    readonly data?: Record<string, unknown> | null;
    readonly errors?: readonly {
      readonly message: string;
      readonly path?: readonly (string | number)[];
      readonly extensions?: Readonly<Record<string, unknown>>;
    }[];
    readonly extensions?: unknown;
  };
}

/** Node's own type does not let a client be as rude as an attacker is. */
type Headers = Readonly<Record<string, string | readonly string[]>>;

/** One HTTP request with the headers exactly as given: several values of one name go out as several headers. */
export function send(url: string, body: string, headers: Headers = {}, method = 'POST'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      url,
      { method, agent: false, headers: headers as OutgoingHttpHeaders },
      (response) => {
        bodyOf(response).then((text) => {
          let parsed: unknown = {};
          try {
            parsed = JSON.parse(text);
          } catch {
            // Not every answer is JSON; its text is there.
          }
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            body: parsed as Answer['body'],
          });
        }, reject);
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

export interface Asking {
  readonly token?: string | undefined;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly operationName?: string;
  readonly headers?: Headers;
}

export function ask(url: string, query: string, { token, headers, ...more }: Asking = {}): Promise<Answer> {
  return send(url, JSON.stringify({ query, ...more }), {
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...headers,
  });
}

/** Codes of an answer's errors. */
export function codes(answer: Answer): unknown[] {
  return (answer.body.errors ?? []).map(({ extensions }) => extensions?.code);
}

export interface TestGateway {
  readonly url: string;
  readonly running: RunningGateway;
  readonly log: TestLog;
  readonly supergraphFile: string;
  ask(query: string, asking?: Asking): Promise<Answer>;
  /** Replaces the supergraph file and has it read again. */
  update(sdl: string): Promise<void>;
}

export async function startTestGateway(
  cleanup: Cleanup,
  supergraph: string,
  config: Omit<Partial<GatewayConfig>, 'issuers'> & Pick<GatewayConfig, 'issuers'>,
  overrides: GatewayOverrides = {},
): Promise<TestGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-gateway-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  const supergraphFile = join(folder, 'supergraph.graphql');
  await writeFile(supergraphFile, supergraph);
  const log = new TestLog();
  const running = await startGateway(
    { listen: { port: 0 }, supergraph: supergraphFile, ...config },
    { log, ...overrides },
  );
  cleanup.add(() => running.close());
  const url = `${running.url}/graphql`;
  return {
    url: running.url,
    running,
    log,
    supergraphFile,
    ask: (query, asking) => ask(url, query, asking),
    async update(sdl) {
      await writeFile(supergraphFile, sdl);
      await running.reload();
    },
  };
}

/** Waits until it is so. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 5_000,
): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

export { freePort };
