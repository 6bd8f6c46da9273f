import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { ATTR_SERVICE_NAME } from '@opentelemetry/semantic-conventions';

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether the environment names a collector (OpenTelemetry's own variables; the exporter reads the rest of them). */
function hasTraceEndpoint(environment: Environment = process.env): boolean {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: all, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces } = environment;
  return (all ?? '') !== '' || (traces ?? '') !== '';
}

/**
 * Exports spans by OTLP over HTTP to the collector that the environment names. Without one, nothing is registered and spans
 * cost nothing.
 *
 * @returns a function that sends the remaining spans and ends the export
 */
export function startTracing(serviceName: string): () => Promise<void> {
  if (!hasTraceEndpoint()) return () => Promise.resolve();
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ [ATTR_SERVICE_NAME]: process.env.OTEL_SERVICE_NAME ?? serviceName }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  return async () => {
    await provider.shutdown();
    trace.disable();
    context.disable();
    propagation.disable();
  };
}
