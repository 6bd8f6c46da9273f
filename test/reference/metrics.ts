import { systemClock } from '@behalf/directives/internal';
import { GatewayMetrics } from '@behalf/gateway/internal';
import { cell, MADE_BY, table } from './markdown.js';

/** The gateway's metrics as Markdown, generated from the registry of a gateway with everything on. */
export function metricsReference(): string {
  const sources = {
    audit: { lost: 0, isGlassBroken: false },
    revocationAgeSeconds: () => 0,
    clock: systemClock,
  };
  const metrics = new GatewayMetrics(sources);
  const rows = metrics
    .definitions()
    .map(({ name, type, labels, help }) => [
      `\`${name}\``,
      type,
      labels.map((label) => `\`${label}\``).join(', '),
      cell(help),
    ]);
  return `${[
    '# Metrics',
    '',
    'This page is for operators who monitor a gateway. It lists the metrics that Prometheus reads at `GET /metrics` of the',
    'listener that `metrics.listen` opens ([configuration](configuration.md#metrics)). Values of labels come from the schema and',
    'from the code, never from a client or a subgraph; beyond 10,000 coordinates the label `coordinate` is `other`.',
    '`behalf_revocation_view_age_seconds` exists only if a stream of revocations is configured.',
    MADE_BY,
    '',
    ...table(['name', 'type', 'labels', 'counts'], rows),
  ].join('\n')}\n`;
}
