import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { AuditOutcome } from '@behalf/audit';
import type { Clock, TxnTokenRefusal } from '@behalf/directives';
import type { MetricObject } from 'prom-client';
import type { Stage } from '../stages/stages.js';
import type { AuditTrail } from './audit-trail.js';

/** Label values come from the schema and the code, never from a client or a subgraph. */
const MAX_COORDINATES = 10_000;
/** Seconds: from a cached answer to a subgraph's time limit. */
const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export interface MetricsSources {
  readonly audit: Pick<AuditTrail, 'lost' | 'isGlassBroken'>;
  /** Age of the revocation view in seconds; undefined without a stream. */
  readonly revocationAgeSeconds: () => number | undefined;
  readonly clock: Clock;
}

export interface MetricDefinition {
  readonly name: string;
  /** `counter`, `gauge` or `histogram`. */
  readonly type: string;
  readonly labels: readonly string[];
  readonly help: string;
}

/** The gateway's metrics, in their own registry, for Prometheus. */
export class GatewayMetrics {
  readonly #registry = new Registry();
  readonly #requests: Counter<'outcome'>;
  readonly #refusals: Counter<'reason'>;
  readonly #denials: Counter<'coordinate' | 'decision'>;
  readonly #unaccounted: Counter<'subgraph'>;
  readonly #disbelieved: Counter<'subgraph'>;
  readonly #refusedTokens: Counter<'subgraph' | 'reason'>;
  readonly #reloads: Counter<'outcome'>;
  readonly #durations: Histogram;
  readonly #coordinates = new Set<string>();
  readonly #clock: Clock;

  constructor(sources: MetricsSources) {
    this.#clock = sources.clock;
    const registers = [this.#registry];
    this.#requests = new Counter({
      name: 'behalf_requests_total',
      help: 'Operations, by their outcome (see the audit record).',
      labelNames: ['outcome'],
      registers,
    });
    this.#refusals = new Counter({
      name: 'behalf_refusals_total',
      help: 'Operations that were refused or failed as a whole, by the code of the reason.',
      labelNames: ['reason'],
      registers,
    });
    this.#denials = new Counter({
      name: 'behalf_denials_total',
      help: 'Denials by schema coordinate: denied, or would-deny in shadow mode.',
      labelNames: ['coordinate', 'decision'],
      registers,
    });
    this.#unaccounted = new Counter({
      name: 'behalf_unaccounted_total',
      help: 'Operations with incomplete facts from a subgraph that was called for an authenticated caller.',
      labelNames: ['subgraph'],
      registers,
    });
    this.#disbelieved = new Counter({
      name: 'behalf_disbelieved_entries_total',
      help: "Entries of a subgraph's facts that were rejected.",
      labelNames: ['subgraph'],
      registers,
    });
    this.#refusedTokens = new Counter({
      name: 'behalf_refused_txn_tokens_total',
      help: 'Transaction tokens that a subgraph refused, by the code of its reason.',
      labelNames: ['subgraph', 'reason'],
      registers,
    });
    this.#reloads = new Counter({
      name: 'behalf_reloads_total',
      help: 'New supergraphs and policies, by whether they were accepted or refused.',
      labelNames: ['outcome'],
      registers,
    });
    this.#durations = new Histogram({
      name: 'behalf_request_duration_seconds',
      help: 'From the arrival of a request to its record.',
      buckets: DURATION_BUCKETS,
      registers,
    });
    registerGauges(this.#registry, sources);
  }

  countReload(outcome: 'accepted' | 'refused'): void {
    this.#reloads.inc({ outcome });
  }

  countRefusedToken(subgraph: string, reason: TxnTokenRefusal): void {
    this.#refusedTokens.inc({ subgraph, reason });
  }

  /** Counts one operation when it is sealed. */
  count(stage: Stage, outcome: AuditOutcome, reason: string | undefined): void {
    this.#requests.inc({ outcome });
    this.#durations.observe((this.#clock.now() - stage.exchange.startedAtMs) / 1_000);
    if (reason !== undefined) this.#refusals.inc({ reason });
    const decision = stage.isShadow === true ? 'would-deny' : 'denied';
    for (const { coordinate, selections } of stage.authorization?.denials ?? [])
      this.#countDenial(coordinate, decision, selections);
    const accounts = stage.propagation?.accounts;
    if (accounts === undefined) return;
    for (const subgraph of accounts.unaccounted) this.#unaccounted.inc({ subgraph });
    for (const [subgraph, entries] of accounts.disbelieved) this.#disbelieved.inc({ subgraph }, entries);
    for (const access of accounts.accesses) {
      if (access.decision === 'denied' || access.decision === 'would-deny') {
        this.#countDenial(access.coordinate, access.decision, access.count);
      }
    }
  }

  #countDenial(coordinate: string, decision: string, count: number): void {
    const isKnown = this.#coordinates.has(coordinate) || this.#coordinates.size < MAX_COORDINATES;
    if (isKnown) this.#coordinates.add(coordinate);
    this.#denials.inc({ coordinate: isKnown ? coordinate : 'other', decision }, count);
  }

  /** The metrics without their numbers. */
  definitions(): readonly MetricDefinition[] {
    // prom-client's type omits a member that every metric has.
    return this.#registry
      .getMetricsAsArray()
      .map((metric: MetricObject & { labelNames?: readonly string[] }) => ({
        name: metric.name,
        type: String(metric.type),
        labels: metric.labelNames ?? [],
        help: metric.help,
      }));
  }

  /** Prometheus' text format, version 0.0.4. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }
}

/** Registers what is asked for at each scrape rather than counted. */
function registerGauges(registry: Registry, { audit, revocationAgeSeconds }: MetricsSources): void {
  const registers = [registry];
  new Gauge({
    name: 'behalf_audit_records_lost',
    help: 'Audit records that could not be kept since the start.',
    registers,
    collect() {
      this.set(audit.lost);
    },
  });
  new Gauge({
    name: 'behalf_audit_glass_broken',
    help: '1 while `audit.breakGlass` lets data leave without a durable record, else 0.',
    registers,
    collect() {
      this.set(audit.isGlassBroken ? 1 : 0);
    },
  });
  if (revocationAgeSeconds() !== undefined) {
    new Gauge({
      name: 'behalf_revocation_view_age_seconds',
      help: 'Age of the revocation view, by the stream that has been silent longest.',
      registers,
      collect() {
        this.set(revocationAgeSeconds() ?? 0);
      },
    });
  }
}
