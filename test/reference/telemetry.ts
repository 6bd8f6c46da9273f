import { FIELD_SPAN, fieldSpanAttributes } from '@behalf/directives/internal';
import type { AttributeDescription } from '@behalf/directives/internal';
import { REQUEST_SPAN, requestSpanAttributes } from '@behalf/gateway/internal';
import { cell, MADE_BY, table } from './markdown.js';

/** The spans and their attributes as Markdown, from the lists by which the code sets them. */
export function telemetryReference(): string {
  return `${[
    '# Spans',
    '',
    MADE_BY,
    '',
    'Spans are exported by the OpenTelemetry SDK of the process that makes them; without one they cost nothing. No attribute holds a value, an argument,',
    'a variable, a token or a person, not even under a pseudonym. Names follow OpenTelemetry’s conventions where there are any ([GraphQL server',
    'spans](https://opentelemetry.io/docs/specs/semconv/graphql/graphql-spans/), still in development).',
    '',
    `## A request: \`query\`, \`mutation\` or \`${REQUEST_SPAN}\``,
    '',
    'One for each operation, made by the gateway, of kind `SERVER`. Its context is the `traceparent` that subgraphs get; the record has it as `traceId`, or',
    'as `traceLink` if the client began the trace. `@apollo/gateway`’s own spans are below it.',
    '',
    ...attributeTable(requestSpanAttributes),
    '',
    `## A field: \`${FIELD_SPAN}\``,
    '',
    'One for each coordinate and decision of a request, made by the subgraph, of kind `INTERNAL`, below the gateway’s span.',
    '',
    ...attributeTable(fieldSpanAttributes),
  ].join('\n')}\n`;
}

function attributeTable(attributes: Readonly<Record<string, AttributeDescription>>): string[] {
  const rows = Object.entries(attributes).map(([name, { source, description }]) => [
    `\`${name}\``,
    source,
    cell(description),
  ]);
  return table(['attribute', 'defined by', 'meaning'], rows);
}
