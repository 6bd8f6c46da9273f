import type { ActorClaim } from '@behalf/directives';
import { SignJWT } from 'jose';
import type { AuthenticatedToken } from '../../gateway/authenticate/token.js';
import { SESSION_REVOKED } from '../../revocation/events.js';
import { bodyOf, listen, makeKey, sendJson } from '../gateway/support.js';
import type { IssuerKey, Listening } from '../gateway/support.js';
import { pause } from '../support/wait.js';

export const ISSUER = 'https://issuer.example';
export const LIFETIME_SECONDS = 600;

export interface Who {
  readonly issuer?: string;
  readonly subject?: string;
  readonly clientId?: string;
  readonly consentId?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly tokenId?: string | undefined;
  readonly scopes?: readonly string[];
  readonly actor?: ActorClaim | undefined;
  readonly issuedAt: number;
  readonly lifetimeSeconds?: number;
}

export function token({
  issuer = ISSUER,
  subject = 's',
  clientId = 'c',
  consentId,
  sessionId,
  tokenId,
  scopes = [],
  actor,
  issuedAt,
  lifetimeSeconds,
}: Who): AuthenticatedToken {
  return {
    issuer,
    tokenId,
    sessionId,
    issuedAt,
    expiresAt: issuedAt + (lifetimeSeconds ?? 300),
    confirmation: undefined,
    delegation: {
      subject,
      clientId,
      scopes: new Set(scopes),
      policies: new Set(),
      roles: [],
      ...(actor === undefined ? {} : { actor }),
      ...(consentId === undefined
        ? {}
        : { consent: { id: consentId, version: 1, purposes: [], detail: 'full' } }),
    },
  };
}

/** A small transmitter (SSF 1.0, RFC 8936) that can be told to misbehave. */
export class Transmitter {
  readonly polls: { ack: string[]; returnImmediately: boolean; authorization: string | undefined }[] = [];
  streams = 0;
  /** Requests of receivers to create streams, and the streams that they deleted. */
  readonly created: Record<string, unknown>[] = [];
  readonly deleted: (string | null)[] = [];
  readonly queue = new Map<string, string>();
  mode: 'up' | 'error' | 'forgotten' | 'html' | 'stopped' | 'unauthorized' = 'up';
  /** Whether each stream has its own secret; the configured one then only creates streams. */
  hasStreamSecrets = false;
  /** Members that replace those of its answers. */
  metadataInstead: Readonly<Record<string, unknown>> = {};
  streamInstead: Readonly<Record<string, unknown>> = {};
  answerInstead: Readonly<Record<string, unknown>> = {};
  /** Runs before a stream is created. */
  beforeCreate: (() => void) | undefined;
  /** Long polls are answered at once. */
  isHasty = false;
  /** Acknowledgements are ignored. */
  isForgetful = false;
  /** The Authorization header of each request, by method and path. */
  readonly authorizations: [string, string | undefined][] = [];
  /** A key that signs events, and is published. */
  signer!: IssuerKey;
  published!: IssuerKey;
  #listening!: Listening;
  #waiting: (() => void)[] = [];
  /** The offset of its answers' Date header (RFC 9110 section 6.6.1) from the real time. */
  clockAheadMs = 0;
  /** Runs between reading the events for a poll and answering it. */
  beforeAnswer: (() => unknown) | undefined;

  static async start(port = 0): Promise<Transmitter> {
    const transmitter = new Transmitter();
    transmitter.published = transmitter.signer = await makeKey();
    await transmitter.listen(port);
    return transmitter;
  }

  async listen(port: number): Promise<void> {
    this.#listening = await listen(async (request, response) => {
      const text = await bodyOf(request);
      const path = request.url ?? '';
      const { authorization } = request.headers;
      this.authorizations.push([`${request.method} ${path}`, authorization]);
      response.setHeader('date', new Date(Date.now() + this.clockAheadMs).toUTCString());
      if (path === '/jwks') sendJson(response, 200, { keys: [this.published.publicJwk] });
      else if (this.mode === 'error') sendJson(response, 500, {});
      else if (this.mode === 'html') response.end('<p>');
      else if (path === '/.well-known/ssf-configuration') sendJson(response, 200, this.#metadata());
      else if (path === '/streams') sendJson(response, 201, this.#createStream(text));
      else if (request.method === 'DELETE') {
        this.deleted.push(new URL(path, this.url).searchParams.get('stream_id'));
        response.writeHead(204).end();
      } else if (this.mode === 'forgotten' || path !== `/poll/s${this.streams}`) sendJson(response, 404, {});
      else if (this.mode === 'stopped') sendJson(response, 409, {});
      else if (this.mode === 'unauthorized' || !this.#isOwn(authorization)) sendJson(response, 401, {});
      else sendJson(response, 200, await this.#poll(text, authorization));
    }, port);
  }

  #isOwn(authorization: string | undefined): boolean {
    return !this.hasStreamSecrets || authorization === `Bearer secret-of-s${this.streams}`;
  }

  #metadata(): object {
    return {
      issuer: this.url,
      jwks_uri: `${this.url}/jwks`,
      configuration_endpoint: `${this.url}/streams`,
      ...this.metadataInstead,
    };
  }

  #createStream(text: string): object {
    this.beforeCreate?.();
    this.created.push(JSON.parse(text) as Record<string, unknown>);
    this.streams += 1;
    this.mode = 'up';
    return {
      stream_id: `s${this.streams}`,
      iss: this.url,
      aud: 'gateway',
      delivery: { method: 'urn:ietf:rfc:8936', endpoint_url: `${this.url}/poll/s${this.streams}` },
      ...(this.hasStreamSecrets ? { behalf_stream_secret: `secret-of-s${this.streams}` } : {}),
      ...this.streamInstead,
    };
  }

  async #poll(text: string, authorization: string | undefined): Promise<object> {
    const { ack = [], returnImmediately = false } = JSON.parse(text) as {
      ack?: string[];
      returnImmediately?: boolean;
    };
    this.polls.push({ ack, returnImmediately, authorization });
    if (!this.isForgetful) for (const jti of ack) this.queue.delete(jti);
    if (this.queue.size === 0 && !returnImmediately && !this.isHasty) {
      const announced = new Promise<void>((resolve) => void this.#waiting.push(resolve));
      await Promise.race([announced, pause()]);
    }
    const sets = Object.fromEntries(this.queue);
    await this.beforeAnswer?.();
    return { sets, moreAvailable: false, ...this.answerInstead };
  }

  get url(): string {
    return this.#listening.url;
  }

  close(): Promise<void> {
    return this.#listening.close();
  }

  async announce(subjectId: unknown, options: Announcing = {}): Promise<string> {
    const [jti, set] = await this.sign(subjectId, options);
    this.queue.set(jti, set);
    for (const wake of this.#waiting.splice(0)) wake();
    return jti;
  }

  /** An event that is not announced yet. */
  async sign(
    subjectId: unknown,
    { typ = 'secevent+jwt', aud = 'gateway', event, iss, eventType = SESSION_REVOKED }: Announcing = {},
  ): Promise<[jti: string, set: string]> {
    const jti = crypto.randomUUID();
    const set = await new SignJWT({
      iss: iss ?? this.url,
      aud,
      jti,
      sub_id: subjectId,
      events: { [eventType]: event ?? { event_timestamp: Math.floor(Date.now() / 1000) } },
    })
      .setIssuedAt()
      .setProtectedHeader({ alg: this.signer.alg, kid: this.signer.kid, typ })
      .sign(this.signer.privateKey);
    return [jti, set];
  }
}

interface Announcing {
  readonly typ?: string;
  readonly aud?: string;
  readonly event?: unknown;
  readonly eventType?: string;
  readonly iss?: string;
}

export const ofConsent = (id: string) => ({ format: 'complex', consent: { format: 'opaque', id } });
