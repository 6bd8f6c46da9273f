import { Pool } from 'undici';

/** How a gateway answered a request. */
export type Outcome =
  /** Data, with nothing denied. */
  | 'success'
  /** 401: the token was refused. */
  | 'refused'
  /** Anything else; it must not happen, and does not count as a refusal. */
  | 'other';

/** An application that talks to one gateway over keep-alive connections. */
export class GatewayClient {
  readonly #pool: Pool;
  readonly #path: string;
  /** Number of answered requests. */
  answered = 0;

  constructor(url: string, connections: number) {
    const { origin, pathname } = new URL(url);
    this.#pool = new Pool(origin, { connections, pipelining: 1 });
    this.#path = pathname;
  }

  async ask(token: string, query: string): Promise<{ readonly outcome: Outcome; readonly text: string }> {
    const { statusCode, body } = await this.#pool.request({
      method: 'POST',
      path: this.#path,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    const text = await body.text();
    this.answered += 1;
    if (statusCode === 401) return { outcome: 'refused', text };
    const { data, errors } = JSON.parse(text) as { data?: unknown; errors?: unknown };
    const isWhole = statusCode === 200 && errors === undefined && data !== null && data !== undefined;
    return { outcome: isWhole ? 'success' : 'other', text };
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}
