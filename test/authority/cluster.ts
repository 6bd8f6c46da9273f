import { randomBytes } from 'node:crypto';

import { type Kysely, sql } from 'kysely';

import type { AuthoritySchema } from '../../authority/internal.js';
import type { GatewayLog } from '../../gateway/index.js';
import { SsfReceiver } from '../../revocation/receiver.js';
import { RevocationView } from '../../revocation/view.js';
import { openDatabase } from '../../store/index.js';
import { type Cleanup, until } from '../gateway/support.js';
import { Balancer } from './balancer.js';
import type { Answer, Change } from './failover-child.js';
import { Instance } from './instance.js';
import { AUDIENCE, POLICY_FILE, STREAM_SECRET } from './setup.js';
import { pause } from '../support/wait.js';

const CLIENT_ID = 'budget-app';
const UNTIL_MS = Date.now() + 3_600_000;
const WRITERS = 24;

/** A person's consent is granted and narrowed, their sessions end, and the consent is revoked. */
export const CHANGES_PER_PERSON = 4;
/** All but the first are events for gateways. */
export const EVENTS_PER_PERSON = 3;

/** A gateway's receiver: real, with a real view, and the events in their order. */
export interface Ear {
  readonly view: RevocationView;
  /** Events in the order in which the view applied them, repeated ones included. */
  readonly heard: string[];
  /** How often the stream broke. */
  breaks: number;
}

/**
 * Three instances of the authority on one PostgreSQL behind one address, three receivers, and many people changing consents.
 */
export class Cluster {
  readonly ears: Ear[] = [];
  readonly instances: Instance[] = [];
  /** Identifiers of the consents that an answered change ended, and of answered events. */
  readonly ended = new Set<string>();
  readonly answered = new Set<string>();
  answers = 0;
  /** Changes that were not answered, and repeated. */
  failures = 0;
  #next = 0;

  private constructor(
    readonly db: Kysely<AuthoritySchema>,
    readonly balancer: Balancer,
  ) {}

  /** Three instances behind one address, and three receivers that know only that. */
  static async start(databaseUrl: string, cleanup: Cleanup): Promise<Cluster> {
    const db = openDatabase<AuthoritySchema>(databaseUrl, { max: 2 });
    cleanup.add(() => db.destroy());
    const balancer = await Balancer.start();
    cleanup.add(() => balancer.close());
    const cluster = new Cluster(db, balancer);
    const options = {
      audience: AUDIENCE,
      encryptionKey: randomBytes(32).toString('base64url'),
      policy: POLICY_FILE,
      scopes: Object.keys(POLICY_FILE.scopes),
      streamSecret: STREAM_SECRET,
    };
    const env = {
      CHILD_ISSUER: balancer.url,
      CHILD_DATABASE: databaseUrl,
      CHILD_OPTIONS: JSON.stringify(options),
    };
    // All at once, as in a deployment: all of them migrate and create keys.
    const started = await Promise.allSettled([1, 2, 3].map(() => Instance.start(env)));
    for (const outcome of started) {
      if (outcome.status === 'rejected') throw outcome.reason;
      cluster.instances.push(outcome.value);
      cleanup.add(() => outcome.value.kill());
    }
    balancer.to(cluster.instances.map(({ url }) => url));
    for (let index = 0; index < 3; index += 1) cluster.ears.push(cluster.#listen(cleanup));
    await until(() => cluster.ears.every(({ view }) => view.isFresh()), 'fresh', 20_000);
    return cluster;
  }

  #listen(cleanup: Cleanup): Ear {
    const issuer = this.balancer.url;
    const lifetimes = { maxStalenessMs: 60_000, maxTokenLifetimeSeconds: 3_600 };
    const view = new RevocationView({ issuers: [issuer], ...lifetimes });
    const ear: Ear = { view, heard: [], breaks: 0 };
    const log: GatewayLog = {
      log(_level, code, facts) {
        if (code === 'REVOKED') ear.heard.push(String(facts?.event));
        if (code === 'REVOCATION_STREAM_BROKEN') ear.breaks += 1;
      },
    };
    const receiver = new SsfReceiver({ issuer, secret: STREAM_SECRET }, view, log);
    receiver.start();
    cleanup.add(() => receiver.close());
    return ear;
  }

  /** As a client behind a load balancer: if an instance does not answer, use the next. */
  async change(change: Change): Promise<Answer> {
    for (;;) {
      const alive = this.instances.filter(({ isAlive }) => isAlive);
      const instance = alive[this.#next++ % alive.length];
      if (instance === undefined) throw new Error('no instance is alive');
      try {
        const answer = await instance.change(change);
        this.answers += 1;
        if (answer.jti !== undefined) this.answered.add(answer.jti);
        return answer;
      } catch {
        this.failures += 1;
        await pause();
      }
    }
  }

  async grant(subject: string, scopes: readonly string[]): Promise<string> {
    const { consentId = '' } = await this.change({
      kind: 'grant',
      untilMs: UNTIL_MS,
      terms: {
        subject,
        clientId: CLIENT_ID,
        scopes,
        declined: [],
        purposes: ['budgeting'],
        detail: 'full',
        by: subject,
        notice: { language: 'en', client: 'Budget', purposes: [], scopes: [], duration: '', detail: '' },
      },
    });
    return consentId;
  }

  async livePerson(subject: string): Promise<void> {
    const options = { by: subject, initiator: 'user' } as const;
    const wide = await this.grant(subject, ['profile:read', 'accounts:read']);
    const narrow = await this.grant(subject, ['profile:read']);
    this.ended.add(wide);
    await this.change({ kind: 'end-sessions', subject, options });
    await this.change({ kind: 'revoke', consentId: narrow, options });
    this.ended.add(narrow);
  }

  /** Many people's changes run concurrently; each person's run in sequence. */
  async live(people: number): Promise<void> {
    let next = 0;
    const writer = async (): Promise<void> => {
      while (next < people) await this.livePerson(`person-${next++}`);
    };
    await Promise.all(Array.from({ length: WRITERS }, writer));
  }

  /** The change log, in order. */
  async log(): Promise<readonly { seq: number; jti: string; consentId: string | null }[]> {
    const { rows } = await sql<{ seq: number; jti: string; consentId: string | null }>`
      select seq, jti, members->>'consentId' as "consentId" from authority.change_event order by seq`.execute(
      this.db,
    );
    return rows;
  }
}
