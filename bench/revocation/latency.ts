import { setTimeout as sleep } from 'node:timers/promises';
import type { Consent } from '@behalf/authority/consent';
import { printTable } from '../harness/table.js';
import { GatewayClient } from './client.js';
import { CLIENT_ID } from './names.js';
import { percentile } from './percentile.js';
import type { World } from './world.js';

const REVOCATIONS = 1_000;
/** Tokens in use at the same time, each in one closed loop per gateway. */
const IN_USE = 4;
const WARM_UP_TOKENS = 60;
/** Each loop counts this many successes before the revocation, and this many refusals after it. */
const SUCCESSES_BEFORE = 3;
const REFUSALS_AFTER = 3;
/** Far beyond the target: a token that still works by then is reported, and the benchmark goes on. */
const GIVE_UP_MS = 5_000;
const GRANTS_AT_ONCE = 8;
/** On a machine that is too slow, the benchmark ends with the revocations made by then. */
const AT_MOST_MS = 300_000;

const USE = '{ myConsents { id clientId scopes status until } }';

/** One revoked token on one gateway. */
interface Observation {
  /** From the mutation's answer to the arrival of the last success; 0 when none came later. */
  readonly lastSuccessMs: number;
  /** Successes that arrived after the mutation's answer. */
  readonly after: number;
  /** Of those, the requests that were also sent after it. */
  readonly askedAfter: number;
  readonly others: number;
  readonly isRefused: boolean;
}

/**
 * Revokes tokens in use on every gateway by `revokeConsent`, and measures how long each still works after the mutation was
 * answered.
 */
export async function benchLatency(world: World): Promise<void> {
  const clients = world.gateways.map((url) => new GatewayClient(url, IN_USE + 1));
  try {
    const consents = await grantConsents(world, WARM_UP_TOKENS + REVOCATIONS);
    await runAll(world, clients, consents.slice(0, WARM_UP_TOKENS));
    const answeredBefore = answered(clients);
    const startedAt = performance.now();
    const observations = await runAll(world, clients, consents.slice(WARM_UP_TOKENS));
    const seconds = (performance.now() - startedAt) / 1_000;
    report(observations, clients.length);
    const revocations = observations[0]?.length ?? 0;
    console.log(
      `${revocations} revocations in ${seconds.toFixed(1)} s: ${(revocations / seconds).toFixed(0)} revocations/s beside ` +
        `${((answered(clients) - answeredBefore) / seconds).toFixed(0)} requests/s, ${IN_USE} tokens in use at a time on each of ` +
        `${clients.length} gateways.`,
    );
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
}

/** Grants directly in the register: a thousand sign-ins on pages would measure something else. */
async function grantConsents({ consents }: World, count: number): Promise<Consent[]> {
  const granted: Consent[] = [];
  await atOnce(GRANTS_AT_ONCE, count, async (index) => {
    const subject = `person-${index}`;
    granted.push(
      await consents.grant({
        subject,
        clientId: CLIENT_ID,
        scopes: ['consents:read'],
        declined: [],
        purposes: [],
        detail: 'full',
        until: new Date(Date.now() + 3_600_000),
        by: subject,
        notice: { language: 'en', client: 'Bench', purposes: [], scopes: [], duration: '', detail: '' },
      }),
    );
  });
  return granted;
}

/** @returns by gateway */
async function runAll(
  world: World,
  clients: readonly GatewayClient[],
  consents: readonly Consent[],
): Promise<Observation[][]> {
  const observations = clients.map((): Observation[] => []);
  const until = performance.now() + AT_MOST_MS;
  await atOnce(IN_USE, consents.length, async (index) => {
    const consent = consents[index];
    if (consent === undefined || performance.now() > until) return;
    const ofToken = await revokeInUse(world, clients, consent, index);
    for (const [gateway, observation] of ofToken.entries()) observations[gateway]?.push(observation);
  });
  return observations;
}

async function revokeInUse(
  { mint }: World,
  clients: readonly GatewayClient[],
  consent: Consent,
  index: number,
): Promise<Observation[]> {
  const [token, administrator] = await Promise.all([mint.person(consent), mint.administrator()]);
  const mutation: { answeredAt: number } = { answeredAt: Number.POSITIVE_INFINITY };
  const users = clients.map((client) => new TokenUser(client, token, mutation));
  const used = users.map((user) => user.run());
  await Promise.all(users.map((user) => user.inUse));
  const through = clients[index % clients.length];
  const answer = await through?.ask(
    administrator,
    `mutation { revokeConsent(id: "${consent.id}", reason: "bench") { change ended { id } } }`,
  );
  mutation.answeredAt = performance.now();
  if (answer?.outcome !== 'success' || !answer.text.includes(consent.id)) {
    throw new Error(`the revocation was not carried out: ${answer?.text.slice(0, 300) ?? ''}`);
  }
  return Promise.all(used);
}

/** Uses one token on one gateway without pausing, until it has been refused several times in a row. */
class TokenUser {
  readonly inUse: Promise<void>;
  #isInUse!: () => void;
  readonly #client: GatewayClient;
  readonly #token: string;
  readonly #mutation: { readonly answeredAt: number };

  constructor(client: GatewayClient, token: string, mutation: { readonly answeredAt: number }) {
    this.#client = client;
    this.#token = token;
    this.#mutation = mutation;
    this.inUse = new Promise((resolve) => (this.#isInUse = resolve));
  }

  async run(): Promise<Observation> {
    const successes: { readonly askedAt: number; readonly at: number }[] = [];
    let refusals = 0;
    let others = 0;
    while (refusals < REFUSALS_AFTER && performance.now() < this.#mutation.answeredAt + GIVE_UP_MS) {
      const askedAt = performance.now();
      const { outcome } = await this.#client.ask(this.#token, USE);
      if (outcome === 'success') {
        successes.push({ askedAt, at: performance.now() });
        // A success after a refusal is worse: count the refusals from the start again.
        refusals = 0;
      } else if (outcome === 'refused') refusals += 1;
      else {
        others += 1;
        await sleep(10);
      }
      if (successes.length >= SUCCESSES_BEFORE || refusals > 0) this.#isInUse();
    }
    // Unset when the gateway applied the revocation before the client had its answer: then no success came later.
    const { answeredAt } = this.#mutation;
    const after = successes.filter(({ at }) => at > answeredAt);
    const last = after.at(-1);
    return {
      lastSuccessMs: last === undefined ? 0 : last.at - answeredAt,
      after: after.length,
      askedAfter: after.filter(({ askedAt }) => askedAt > answeredAt).length,
      others,
      isRefused: refusals >= REFUSALS_AFTER,
    };
  }
}

function report(observations: readonly (readonly Observation[])[], gateways: number): void {
  const rows = [...observations, observations.flat()].map((ofGateway, index) => {
    const times = ofGateway.map(({ lastSuccessMs }) => lastSuccessMs);
    const sum = (count: (one: Observation) => number): string =>
      ofGateway.reduce((total, one) => total + count(one), 0).toString();
    return [
      index < gateways ? `gateway ${index + 1}` : 'all',
      percentile(times, 0.5).toFixed(1),
      percentile(times, 0.95).toFixed(1),
      percentile(times, 1).toFixed(1),
      sum(({ after }) => (after > 0 ? 1 : 0)),
      sum(({ after }) => after),
      sum(({ askedAfter }) => askedAfter),
      sum(({ others }) => others),
      sum(({ isRefused }) => (isRefused ? 0 : 1)),
    ];
  });
  console.log('\nFrom the answer of revokeConsent to the last success with the revoked token, ms:');
  const header = ['', 'p50', 'p95', 'worst', 'tokens used after', 'successes after', 'asked after'];
  printTable([...header, 'neither', 'never refused'], rows);
  console.log('');
}

function answered(clients: readonly GatewayClient[]): number {
  return clients.reduce((total, client) => total + client.answered, 0);
}

/** Runs the work for 0 to count - 1, with limited concurrency. */
async function atOnce(width: number, count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: width }, worker));
}
