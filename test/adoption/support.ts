import { createServer, request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** What the examples say, in their own text: `127.0.0.1:4000` is the gateway, 4001 and 4002 its subgraphs, 4003 the issuer. */
export const PORTS = { gateway: 4000, first: 4001, second: 4002, issuer: 4003 } as const;

export type Ports = Readonly<Record<keyof typeof PORTS, number>>;

/** An example's text, with ports that are free on this machine in place of its own. */
export function withPorts(text: string, ports: Ports): string {
  const names = Object.keys(PORTS) as (keyof typeof PORTS)[];
  return text.replaceAll(/\b400[0-3]\b/g, (found) => {
    const name = names.find((each) => String(PORTS[each]) === found);
    return name === undefined ? found : String(ports[name]);
  });
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly data?: unknown;
  readonly errors?: readonly {
    readonly path?: readonly unknown[];
    readonly extensions: { readonly code: string };
  }[];
}

/** Asks a GraphQL server over HTTP. */
export async function ask(
  url: string,
  query: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  });
  const body = (await response.json()) as Pick<Answer, 'data' | 'errors'>;
  return { status: response.status, headers: response.headers, ...body };
}

/** `people.0.birthDate UNAUTHORIZED_FIELD_OR_TYPE`, one for each error. */
export function errorCodes({ errors = [] }: Answer): readonly string[] {
  return errors.map(({ path, extensions: { code } }) => `${path?.join('.') ?? ''} ${code}`.trim());
}

/** An access token of the example's issuer, as a header. */
export async function bearer(
  { issuer }: Ports,
  claims: Readonly<Record<string, unknown>>,
): Promise<{ readonly authorization: string }> {
  const response = await fetch(`http://127.0.0.1:${issuer}`, {
    method: 'POST',
    body: JSON.stringify(claims),
  });
  return { authorization: `Bearer ${await response.text()}` };
}

export interface Passed {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Stands before a subgraph, and remembers what the gateway sent it. */
export class Recorder {
  readonly passed: Passed[] = [];
  readonly #server: Server;

  constructor(subgraphPort: number) {
    this.#server = createServer((request, response) => {
      void buffer(request).then((body) => {
        const { method, url: path, headers } = request;
        this.passed.push({ headers, body: body.toString() });
        const passedOn = httpRequest({ host: '127.0.0.1', port: subgraphPort, method, path, headers });
        passedOn.on('response', (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        });
        passedOn.on('error', () => response.writeHead(502).end());
        passedOn.end(body);
      });
    });
  }

  /** @returns The port on which it listens. */
  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** What was sent since this was asked last. */
  take(): readonly Passed[] {
    return this.passed.splice(0);
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}
